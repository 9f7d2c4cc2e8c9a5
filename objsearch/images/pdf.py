"""PDF pages, and the images inside them, by PyMuPDF. Not for threads: one document a process."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import (
    Decoded,
    Limits,
    Part,
    decoded_frame,
    drawing_size,
    opened_picture,
    told_in_a_sentence,
)
from objsearch.images.shown import pixels_of
from objsearch.types import Pixels

POINTS_AN_INCH = 72
_END_BYTES = 64 * 1024


@cache
def _pymupdf() -> Any:
    pymupdf: Any = importlib.import_module("pymupdf")
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


class PdfReader:
    """Keeps the last document open: pages of one file are asked for one after another."""

    def __init__(self) -> None:
        self._key: object = None
        self._document: Any = None

    def list_parts(self, path: str, key: object, embedded: bool, limits: Limits) -> list[Part]:
        """Every page; with `embedded` also every image inside a page, each once in the file."""
        with told_in_a_sentence(limits):
            document = self._opened(path, key)
            parts = []
            seen: set[int] = set()
            for number in range(document.page_count):
                parts.append(Part(page=number + 1))
                for place, image in enumerate(_images(document, number) if embedded else ()):
                    if image[0] not in seen:
                        seen.add(image[0])
                        parts.append(Part(page=number + 1, frame=place))
        return parts

    def read_part(self, path: str, key: object, part: Part, limits: Limits) -> Decoded:
        """One page at `dpi`, or one embedded image. Raises UnreadableImageError with the reason."""
        with told_in_a_sentence(limits):
            document = self._opened(path, key)
            page = 1 if part.page is None else part.page
            if not 1 <= page <= document.page_count:
                count = f"{document.page_count} page{'' if document.page_count == 1 else 's'}"
                raise UnreadableImageError(f"there is no such page: it has {count}")
            if part.frame is None:
                decoded = _page(document, page - 1, limits)
            else:
                decoded = _embedded(document, page - 1, part.frame, limits)
            _check_whole(document, path)
            # MuPDF keeps up to 256 MB of what it has drawn; pages are asked for once.
            _pymupdf().TOOLS.store_shrink(100)
            return decoded

    def _opened(self, path: str, key: object) -> Any:
        if self._document is not None and key == self._key:
            return self._document
        if self._document is not None:
            self._document.close()
            self._document = None
        document = _pymupdf().open(path, filetype="pdf")
        if document.needs_pass:
            document.close()
            raise UnreadableImageError("the PDF is encrypted, and needs a password")
        if document.page_count < 1:
            document.close()
            raise UnreadableImageError("the PDF has no pages")
        _check_whole(document, path)
        self._key, self._document = key, document
        return document


def _check_whole(document: Any, path: str) -> None:
    """Raises UnreadableImageError when MuPDF had to mend a file that has no end.

    It mends what else is wrong, and well; but of a file that is cut it shows what there is.
    """
    if not document.is_repaired:
        return
    with open(path, "rb") as stream:
        stream.seek(max(0, os.path.getsize(path) - _END_BYTES))
        if b"%%EOF" not in stream.read():
            raise UnreadableImageError("the file is cut short")


def _page(document: Any, index: int, limits: Limits) -> Decoded:
    page = document[index]
    inches = page.rect.width / POINTS_AN_INCH, page.rect.height / POINTS_AN_INCH
    width, height = drawing_size(inches, limits)
    warnings: tuple[str, ...] = ()
    if width * height < 0.9 * inches[0] * inches[1] * limits.dpi**2:
        warnings = ("the page is drawn smaller, to stay within the limit of megapixels",)
    zoom = _pymupdf().Matrix(width / page.rect.width, height / page.rect.height)
    pixmap = page.get_pixmap(matrix=zoom, colorspace=_pymupdf().csRGB, alpha=False)
    return Decoded(_rgb(pixmap), "PDF", warnings)


def _images(document: Any, index: int) -> list[tuple[Any, ...]]:
    return list(document.get_page_images(index, full=True))


def _embedded(document: Any, index: int, place: int, limits: Limits) -> Decoded:
    images = _images(document, index)
    if not 0 <= place < len(images):
        count = f"{len(images)} image{'' if len(images) == 1 else 's'}"
        raise UnreadableImageError(f"the page has {count}, counted from 0")
    xref, mask_xref, width, height = images[place][:4]
    limits.check_size(width, height)
    decoded = _original(document, xref, limits)
    if _is_stencil(document, xref):
        pixels = _as_shown(decoded.pixels, document[index], xref)
        decoded = Decoded(pixels, decoded.format, decoded.warnings)
    if not mask_xref:
        return decoded
    mask = _original(document, mask_xref, limits).pixels[..., 0]
    picture = PillowImage.fromarray(decoded.pixels)
    alpha = PillowImage.fromarray(np.ascontiguousarray(mask)).resize(picture.size)
    picture.putalpha(alpha)
    return Decoded(pixels_of(picture, limits.background), decoded.format, decoded.warnings)


def _original(document: Any, xref: int, limits: Limits) -> Decoded:
    """The image as it lies in the file; MuPDF's own decoding where no codec knows its form.

    A stencil has no colours of its own: what it paints is black on white here.
    """
    if _is_stencil(document, xref):
        return Decoded(_stencil(_pymupdf().Pixmap(document, xref)), "PDF")
    data = document.extract_image(xref).get("image", b"")
    try:
        with opened_picture(data, limits) as picture:
            return decoded_frame(picture, "", limits)
    except UnreadableImageError:
        fitz = _pymupdf()
        pixmap = fitz.Pixmap(document, xref)
        rgb = fitz.Pixmap(fitz.csRGB, pixmap) if pixmap.colorspace != fitz.csRGB else pixmap
        rgb = fitz.Pixmap(rgb, 0) if rgb.alpha else rgb
        return Decoded(_rgb(rgb), "PDF")


def _is_stencil(document: Any, xref: int) -> bool:
    return bool(document.xref_get_key(xref, "ImageMask") == ("bool", "true"))


def _as_shown(pixels: Pixels, page: Any, xref: int) -> Pixels:
    """A stencil the way the page first shows it."""
    shown = page.get_image_rects(xref, transform=True)
    if not shown:
        return pixels
    rect, matrix = (one * page.rotation_matrix for one in shown[0])
    return _as_painted(_as_placed(pixels, matrix), page, rect)


def _as_placed(pixels: Pixels, matrix: Any) -> Pixels:
    """Flipped and turned by quarters: scanners store it either way."""
    across, down = matrix.a, matrix.d
    if abs(matrix.b) + abs(matrix.c) > abs(matrix.a) + abs(matrix.d):
        pixels, across, down = pixels.swapaxes(0, 1), matrix.c, matrix.b
    return np.ascontiguousarray(pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


def _as_painted(pixels: Pixels, page: Any, rect: Any) -> Pixels:
    """Light on dark where that is how the page shows it: the paint is the page's, not its own."""
    if rect.is_empty:
        return pixels
    zoom = 256 / max(rect.width, rect.height)
    fitz = _pymupdf()
    drawn = page.get_pixmap(matrix=fitz.Matrix(zoom, zoom), clip=rect, colorspace=fitz.csGRAY)
    seen = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.stride)
    seen = seen[:, : drawn.width].astype(np.float32)
    small = cv2.resize(pixels[..., 0], seen.shape[::-1], interpolation=cv2.INTER_AREA)
    agreement = ((small - small.mean()) * (seen - seen.mean())).mean()
    return 255 - pixels if agreement < 0 else pixels


def _stencil(pixmap: Any) -> Pixels:
    rows = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
    painted = rows[:, : pixmap.width * pixmap.n : pixmap.n]
    return np.repeat(255 - painted[..., None], 3, axis=2)


def _rgb(pixmap: Any) -> Pixels:
    rows = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
    whole = rows[:, : pixmap.width * 3].reshape(pixmap.height, pixmap.width, 3)
    return np.array(whole, dtype=np.uint8)
