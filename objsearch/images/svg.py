"""SVG drawings -> pixels, by resvg. Nothing outside the file is looked at."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, decode, drawing_size, told_in_a_sentence
from objsearch.types import Pixels

_UNITS_AN_INCH = {"": 96.0, "px": 96.0, "pt": 72.0, "pc": 6.0, "in": 1.0, "cm": 2.54, "mm": 25.4}
_ASSUMED_INCHES = (7.0, 7.0)
_MAX_RATIO = 1000
_MAX_TEXT_BYTES = 64 * 1024 * 1024

_ROOT = re.compile(r"<(?:[\w-]+:)?svg\b[^>]*>", re.DOTALL)
_LENGTH = re.compile(r"\s*([\d.eE+-]+)\s*([a-z]*)\s*$")
# References that are neither into the file itself nor data in place: other files, the network.
# Between two quotes of one kind, those of the other are part of a name.
_OUTSIDE = re.compile(
    r"""(href\s*=\s*(["']))(?!\s*(?:\#|data:))(?:(?!\2).)*\2""", re.IGNORECASE | re.DOTALL
)


def render(data: bytes, limits: Limits) -> Decoded:
    """Draw at `dpi`. Raises UnreadableImageError."""
    text = _OUTSIDE.sub(r"\1\2", _text(data))
    inches = _inches(text)
    if max(inches) > _MAX_RATIO * min(inches):  # resvg would draw it for hours
        raise UnreadableImageError(f"its sides differ more than {_MAX_RATIO:,}-fold")
    with told_in_a_sentence(limits):
        return replace(_drawn(text, drawing_size(inches, limits), limits), format="SVG")


def drawn(text: str, size_wh: tuple[int, int], limits: Limits) -> Pixels:
    """The drawing at the largest size that fits into `size_wh`, laid on the background."""
    return _drawn(text, size_wh, limits).pixels


def _drawn(text: str, size_wh: tuple[int, int], limits: Limits) -> Decoded:
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=text, width=size_wh[0], height=size_wh[1], dpi=96.0)
    return decode(png, limits=limits)


def _text(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        unpacking = zlib.decompressobj(31)
        try:
            data = unpacking.decompress(data, _MAX_TEXT_BYTES)
        except zlib.error as error:
            raise UnreadableImageError(f"it cannot be decoded ({error})") from None
        if unpacking.unconsumed_tail or not unpacking.eof:
            whole = "larger than an SVG may be" if unpacking.unconsumed_tail else "cut short"
            raise UnreadableImageError(f"the file is {whole}")
    if len(data) > _MAX_TEXT_BYTES:
        raise UnreadableImageError("the file is larger than an SVG may be")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _inches(text: str) -> tuple[float, float]:
    """Width and height by the root's attributes, or by its view box at 96 units an inch."""
    root = _ROOT.search(text)
    if root is None:
        return _ASSUMED_INCHES
    sides = [_length(_attribute(root[0], name)) for name in ("width", "height")]
    box = re.split(r"[\s,]+", _attribute(root[0], "viewBox").strip())
    try:
        box_sides = [float(value) / _UNITS_AN_INCH[""] for value in box[2:4]]
    except ValueError:
        box_sides = []
    if len(box_sides) == 2 and 0 not in box_sides:
        ratio = box_sides[0] / box_sides[1]
        width = sides[0] or (sides[1] * ratio if sides[1] else box_sides[0])
        return width, sides[1] or width / ratio
    return (sides[0], sides[1]) if sides[0] and sides[1] else _ASSUMED_INCHES


def _attribute(tag: str, name: str) -> str:
    attribute = re.search(rf"""\s{name}\s*=\s*(["'])(.*?)\1""", tag, re.DOTALL)
    return attribute[2] if attribute else ""


def _length(text: str) -> float:
    """Inches; 0 for nothing, for percents and for what is no length."""
    length = _LENGTH.match(text)
    if length is None or length[2] not in _UNITS_AN_INCH:
        return 0.0
    try:
        return max(0.0, float(length[1]) / _UNITS_AN_INCH[length[2]])
    except ValueError:
        return 0.0
