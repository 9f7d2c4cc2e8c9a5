"""WMF, EMF and EMF+ drawings -> pixels; a second renderer where the first gives up."""

from __future__ import annotations

from typing import Literal

from objsearch.errors import UnreadableImageError
from objsearch.images import emf, renderers, svg, wmf
from objsearch.images.decode import Decoded, Limits, decode, drawing_size, told_in_a_sentence
from objsearch.types import Pixels

# What `metafile-render` draws at most; larger drawings are drawn smaller.
_MAX_MEGAPIXELS = 15.0
_MAX_SIDE = 8192

_ASSUMED_INCHES = (7.0, 7.0)
_IN_PART = "some of the drawing's parts are left out"


def render(data: bytes, kind: str, limits: Limits) -> Decoded:
    """Draw a metafile. Raises UnreadableImageError: cut short, or no renderer can draw it."""
    with told_in_a_sentence(limits):
        size_wh = _size(data, kind, limits)
        ordered = _in_order(data, kind, size_wh)
        reason = "it comes out blank"
        # The first way is sharper and faster; the second one draws some things that it leaves out.
        for draw in (_by_way_of_svg, _as_pixels):
            try:
                pixels, is_whole = draw(ordered, size_wh, limits)
            except _CannotDrawError as error:
                reason = str(error)
                continue
            if not _is_blank(pixels):
                return Decoded(pixels, kind, () if is_whole else (_IN_PART,))
        second = renderers.render(data, kind, size_wh, limits)
        if second is None:
            raise UnreadableImageError(f"{reason}; {renderers.missing(kind)}")
        return Decoded(second, kind)


class _CannotDrawError(Exception):
    """The first renderer gives up, where a second one may not."""


def _size(data: bytes, kind: str, limits: Limits) -> tuple[int, int]:
    """Pixels to draw. Raises UnreadableImageError for a file that is shorter than it says."""
    inches = emf.inches_of(data) if kind == "EMF" else _wmf_inches(data)
    width, height = drawing_size(inches or _ASSUMED_INCHES, limits)
    scale = min(
        1.0, _MAX_SIDE / max(width, height), (_MAX_MEGAPIXELS * 1e6 / width / height) ** 0.5
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def _wmf_inches(data: bytes) -> tuple[float, float] | None:
    frame = wmf.frame_of(data)
    return frame.inches_wh if frame else None


def _in_order(data: bytes, kind: str, size_wh: tuple[int, int]) -> bytes:
    if kind == "EMF":
        return emf.in_order(data)
    return wmf.in_order(data, wmf.frame_of(data), size_wh)


def _by_way_of_svg(data: bytes, size_wh: tuple[int, int], limits: Limits) -> tuple[Pixels, bool]:
    document, is_whole = _rendered(data, "svg", size_wh)
    try:
        return svg.drawn(document.decode(), size_wh, limits), is_whole
    except ValueError as error:
        raise _CannotDrawError(f"it cannot be drawn ({error})") from None


def _as_pixels(data: bytes, size_wh: tuple[int, int], limits: Limits) -> tuple[Pixels, bool]:
    picture, is_whole = _rendered(data, "png", size_wh)
    return decode(picture, limits=limits).pixels, is_whole


def _rendered(
    data: bytes, form: Literal["svg", "png"], size_wh: tuple[int, int]
) -> tuple[bytes, bool]:
    """A file of that form, and whether all of the drawing is in it."""
    try:
        import metafile_render
    except ImportError:
        raise _CannotDrawError("metafile-render is not installed") from None
    try:
        result = metafile_render.render_metafile(
            data, output_format=form, size_hint=size_wh, backend="replay"
        )
    except metafile_render.MetafileError as error:
        raise _CannotDrawError(f"it cannot be drawn ({error})") from None
    return result.data, not result.partial


def _is_blank(pixels: Pixels) -> bool:
    return bool((pixels == pixels[0, 0]).all())
