"""One drawing in every form: polygons that pixels, a metafile, an SVG and a PDF can all hold."""

from __future__ import annotations

import base64
import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from objsearch.types import Pixels

WIDTH, HEIGHT = 400, 300
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Polygon:
    colour: Colour
    points: tuple[tuple[int, int], ...]


def polygons(seed: int = 3, count: int = 50) -> list[Polygon]:
    """A background and many small shapes: corners all over, nothing repeated."""
    rng = np.random.default_rng(seed)
    made = [Polygon((235, 235, 225), ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)))]
    for _ in range(count):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        middle = rng.integers((20, 20), (WIDTH - 20, HEIGHT - 20))
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
        radius = rng.uniform(8, 38)
        around = middle + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        made.append(Polygon(colour, tuple((int(x), int(y)) for x, y in around)))
    return made


def raster(shapes: list[Polygon]) -> Pixels:
    """The drawing as pixels."""
    picture = PillowImage.new("RGB", (WIDTH * 2, HEIGHT * 2))
    draw = ImageDraw.Draw(picture)
    for shape in shapes:
        draw.polygon([(2 * x, 2 * y) for x, y in shape.points], fill=shape.colour)
    return np.asarray(picture.resize((WIDTH, HEIGHT), PillowImage.Resampling.BOX), np.uint8)


def encoded(pixels: Pixels, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    PillowImage.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def svg(shapes: list[Polygon]) -> bytes:
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">']
    for shape in shapes:
        points = " ".join(f"{x},{y}" for x, y in shape.points)
        parts.append(f'<polygon points="{points}" fill="rgb{shape.colour}"/>')
    return "\n".join([*parts, "</svg>"]).encode()


def svg_around(png: bytes) -> bytes:
    data = base64.b64encode(png).decode()
    image = f'<image width="{WIDTH}" height="{HEIGHT}" href="data:image/png;base64,{data}"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{image}</svg>'.encode()


# --- Windows metafiles, 16 bit -------------------------------------------------------------------


def _wmf_record(function: int, *words: int) -> bytes:
    return struct.pack("<IH", 3 + len(words), function) + struct.pack(
        f"<{len(words)}H", *(word & 0xFFFF for word in words)
    )


def wmf(
    shapes: list[Polygon], *, placeable: bool = True, with_palette: bool = False, scale: int = 20
) -> bytes:
    """What Windows programs write: a window, then brush, polygon, delete, over and over."""
    records = [
        _wmf_record(0x0103, 8),
        _wmf_record(0x020B, 0, 0),
        _wmf_record(0x020C, HEIGHT * scale, WIDTH * scale),
    ]
    first = 0
    if with_palette:
        records.append(_wmf_record(0x00F7, 0x300, 1, 0, 0))
        first = 1
    records += [_wmf_record(0x02FA, 5, 0, 0, 0, 0), _wmf_record(0x012D, first)]  # no outline
    for shape in shapes:
        red, green, blue = shape.colour
        flat = [v * scale for point in shape.points for v in point]
        records += [
            _wmf_record(0x02FC, 0, red | green << 8, blue, 0),
            _wmf_record(0x012D, first + 1),
            _wmf_record(0x0324, len(shape.points), *flat),
            _wmf_record(0x01F0, first + 1),
        ]
    return wmf_file([*records, _wmf_record(0)], first + 2, placeable=placeable, scale=scale)


def wmf_file(records: list[bytes], n_objects: int, *, placeable: bool, scale: int = 20) -> bytes:
    body = b"".join(records)
    largest = max(len(record) for record in records) // 2
    header = struct.pack("<HHHIHIH", 1, 9, 0x0300, 9 + len(body) // 2, n_objects, largest, 0)
    if not placeable:
        return header + body
    units = 96 * scale
    head = struct.pack("<IHhhhhHI", 0x9AC6CDD7, 0, 0, 0, WIDTH * scale, HEIGHT * scale, units, 0)
    checksum = 0
    for (word,) in struct.iter_unpack("<H", head):
        checksum ^= word
    return head + struct.pack("<H", checksum) + header + body


def wmf_bitmap(pixels: Pixels, function: int = 0x0B41) -> bytes:
    """One bitmap over all: StretchDIB (0x0F43), DibStretchBlt (0x0B41), DibBitBlt (0x0940)."""
    height, width = pixels.shape[:2]
    dib = list(struct.unpack(f"<{len(_dib(pixels)) // 2}H", _dib(pixels)))
    rop = (0x0020, 0x00CC)
    words = {
        0x0F43: [*rop, 0, height, width, 0, 0, HEIGHT, WIDTH, 0, 0],
        0x0B41: [*rop, height, width, 0, 0, HEIGHT, WIDTH, 0, 0],
        0x0940: [*rop, 0, 0, HEIGHT, WIDTH, 0, 0],
    }[function]
    window = [_wmf_record(0x020B, 0, 0), _wmf_record(0x020C, HEIGHT, WIDTH)]
    bitmap = _wmf_record(function, *words, *dib)
    return wmf_file([*window, bitmap, _wmf_record(0)], 0, placeable=True, scale=1)


def _dib(pixels: Pixels) -> bytes:
    height, width = pixels.shape[:2]
    stride = (width * 3 + 3) // 4 * 4
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : width * 3] = pixels[::-1, :, ::-1].reshape(height, -1)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, rows.size, 0, 0, 0, 0)
    return header + rows.tobytes()


# --- Enhanced metafiles, 32 bit ------------------------------------------------------------------


def _emf_record(kind: int, payload: bytes = b"") -> bytes:
    padded = payload + b"\0" * (-len(payload) % 4)
    return struct.pack("<II", kind, 8 + len(padded)) + padded


def emf(shapes: list[Polygon]) -> bytes:
    records = [_emf_record(37, struct.pack("<I", 0x80000008))]  # the stock pen that draws nothing
    for shape in shapes:
        red, green, blue = shape.colour
        colour = red | green << 8 | blue << 16
        points = b"".join(struct.pack("<hh", x, y) for x, y in shape.points)
        bounds = struct.pack("<4iI", 0, 0, WIDTH, HEIGHT, len(shape.points))
        records += [
            _emf_record(39, struct.pack("<IIII", 1, 0, colour, 0)),
            _emf_record(37, struct.pack("<I", 1)),
            _emf_record(86, bounds + points),
            _emf_record(40, struct.pack("<I", 1)),
        ]
    return _emf_file(records, 2)


def emf_plus(shapes: list[Polygon]) -> bytes:
    """An EMF whose own records draw nothing: all is in EMF+ comments."""
    plus = [_plus_record(0x4001, 0, struct.pack("<IIII", 0xDBC01002, 1, 96, 96))]
    for shape in shapes:
        red, green, blue = shape.colour
        colour = struct.pack("<I", 0xFF000000 | red << 16 | green << 8 | blue)
        if len(shape.points) > 3:
            plus.append(_plus_record(0x4008, 0x0300, _plus_path(shape)))  # object 0: a path
            plus.append(_plus_record(0x4014, 0x8000, colour))  # fill that path
        else:
            corners = b"".join(struct.pack("<ff", x, y) for x, y in shape.points)
            count = struct.pack("<I", len(shape.points))
            plus.append(_plus_record(0x400C, 0x8000, colour + count + corners))  # fill a polygon
    plus.append(_plus_record(0x4002, 0))
    comments = []
    for record in plus:
        body = b"EMF+" + record
        comments.append(_emf_record(70, struct.pack("<I", len(body)) + body))
    return _emf_file(comments, 1)


def _plus_record(kind: int, flags: int, payload: bytes = b"") -> bytes:
    padded = payload + b"\0" * (-len(payload) % 4)
    return struct.pack("<HHII", kind, flags, 12 + len(padded), len(padded)) + padded


def _plus_path(shape: Polygon) -> bytes:
    n_points = len(shape.points)
    corners = b"".join(struct.pack("<ff", x, y) for x, y in shape.points)
    kinds = bytes([0, *[1] * (n_points - 2), 0x81])
    return struct.pack("<III", 0xDBC01002, n_points, 0) + corners + kinds


def _emf_file(records: list[bytes], n_handles: int) -> bytes:
    eof = struct.pack("<IIIII", 14, 20, 0, 16, 20)
    body = b"".join(records) + eof
    # A device of 96 dots an inch: 1 pixel is 0.2646 mm.
    device = (1920, 1080, 508, 286)
    frame = (0, 0, round(WIDTH * 50800 / 1920), round(HEIGHT * 28600 / 1080))
    header = struct.pack(
        "<II4i4iIIIIHHIII4i",
        *(1, 88, 0, 0, WIDTH, HEIGHT, *frame, 0x464D4520, 0x10000),
        *(88 + len(body), len(records) + 2, n_handles, 0, 0, 0, 0, *device),
    )
    return header + body
