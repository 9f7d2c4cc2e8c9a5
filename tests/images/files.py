"""One file a format, all of the same drawing."""

from __future__ import annotations

import gzip
import io
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  (teaches Pillow JPEG XL)
import pymupdf
from PIL import Image as PillowImage

from objsearch.types import Pixels
from tests.images import drawings

pillow_heif.register_heif_opener()


@cache
def shapes() -> list[drawings.Polygon]:
    return drawings.polygons()


@cache
def pixels() -> Pixels:
    return drawings.raster(shapes())


@cache
def every_format() -> dict[str, bytes]:
    """File name -> bytes; each holds the drawing, as pixels or as shapes."""
    made = {
        "drawing.png": _encoded("PNG"),
        "drawing.jpg": _encoded("JPEG", quality=92),
        "progressive.jpg": _encoded("JPEG", quality=92, progressive=True),
        "drawing.bmp": _encoded("BMP"),
        "drawing.gif": _encoded("GIF"),
        "drawing.tiff": _encoded("TIFF", compression="tiff_lzw"),
        "deflate.tiff": _encoded("TIFF", compression="tiff_deflate"),
        "drawing.webp": _encoded("WEBP", quality=90),
        "drawing.avif": _encoded("AVIF", quality=85),
        "drawing.heic": _encoded("HEIF", quality=85),
        "drawing.jxl": _encoded("JXL", quality=90),
        "drawing.jp2": _encoded("JPEG2000"),
        "drawing.ppm": _encoded("PPM"),
        "drawing.pdf": pdf([pixels()]),
        "shapes.pdf": pdf_of_shapes(),
        "shapes.svg": drawings.svg(shapes()),
        "shapes.svgz": gzip.compress(drawings.svg(shapes()), mtime=0),
        "pixels.svg": drawings.svg_around(_encoded("PNG")),
        "placeable.wmf": drawings.wmf(shapes()),
        "plain.wmf": drawings.wmf(shapes(), placeable=False),
        "palette.wmf": drawings.wmf(shapes(), with_palette=True),
        "bitmap.wmf": drawings.wmf_bitmap(pixels()),
        "shapes.emf": drawings.emf(shapes()),
        "plus.emf": drawings.emf_plus(shapes()),
    }
    for name, codec in (("mp4v.mp4", "mp4v"), ("mjpeg.avi", "MJPG"), ("vp9.webm", "VP90")):
        made[name] = video([pixels()] * 3, name, codec)
    return made


def pdf(pages: list[Pixels], *, password: str = "") -> bytes:
    """A page a picture, filling it."""
    document = pymupdf.open()
    for one in pages:
        page = document.new_page(width=one.shape[1], height=one.shape[0])
        page.insert_image(page.rect, stream=drawings.encoded(one, "PNG"))
    locked = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password} if password else {}
    return bytes(document.tobytes(**locked))


def pdf_of_shapes() -> bytes:
    document = pymupdf.open()
    page = document.new_page(width=drawings.WIDTH, height=drawings.HEIGHT)
    for shape in shapes():
        colour = tuple(v / 255 for v in shape.colour)
        page.draw_polyline([*shape.points, shape.points[0]], color=None, fill=colour, width=0)
    return bytes(document.tobytes())


def animation(frames: list[Pixels], kind: str) -> bytes:
    pictures = [PillowImage.fromarray(frame) for frame in frames]
    stream = io.BytesIO()
    lossless = {"lossless": True} if kind == "WEBP" else {}
    rest = {"save_all": True, "append_images": pictures[1:], "duration": 100, **lossless}
    pictures[0].save(stream, kind, **rest)
    return stream.getvalue()


def video(frames: list[Pixels], name: str, codec: str, rate: float = 12.5) -> bytes:
    height, width = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        writer = cv2.VideoWriter(
            str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, (width, height)
        )
        assert writer.isOpened()
        for frame in frames:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()
        return path.read_bytes()


def numbered(count: int, size_wh: tuple[int, int] = (160, 120)) -> list[Pixels]:
    """Pictures that tell their number: picture k is gray 10 + 8k, modulo 240."""
    width, height = size_wh
    return [np.full((height, width, 3), 10 + 8 * k % 240, np.uint8) for k in range(count)]


def number_of(picture: Pixels) -> int:
    """The number of one of the first thirty."""
    return round((float(picture.mean()) - 10) / 8)


def lossless_jpeg(gray: Pixels) -> bytes:
    """(H, W) as the lossless process of JPEG (ITU-T T.81, annex H) stores it.

    Each pixel is told by its difference from the one before.
    """
    bits, values = "", gray.astype(int)
    for (y, x), value in np.ndenumerate(values):
        before = values[y, x - 1] if x else values[y - 1, x] if y else 128
        step = int(value - before)
        size = abs(step).bit_length()
        bits += f"{size:04b}"
        bits += f"{step if step > 0 else step + 2**size - 1:0{size}b}" if size else ""
    bits += "1" * (-len(bits) % 8)
    codes = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    sides = b"".join(side.to_bytes(2, "big") for side in gray.shape)
    frame = b"\xff\xc3\0\x0b\x08" + sides + b"\1\1\x11\0"
    table = b"\xff\xc4\0\x1c\0" + bytes(
        [0, 0, 0, 9, *12 * [0], *range(9)]
    )  # nine codes of four bits
    return b"\xff\xd8" + frame + table + b"\xff\xda\0\x08\1\1\0\1\0\0" + codes + b"\xff\xd9"


def _encoded(kind: str, **options: object) -> bytes:
    return drawings.encoded(pixels(), kind, **options)
