"""WMF, EMF and EMF+ drawings -> pixels; a second renderer of the system where the first gives up."""

from __future__ import annotations

import struct

from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images import renderers, wmf
from objsearch.images.decode import Decoded, Limits, decode, drawing_size, told_in_a_sentence
from objsearch.types import Pixels

# What `metafile-render` draws at most; larger drawings are drawn smaller.
_MAX_MEGAPIXELS = 15.0
_MAX_SIDE = 8192

_HUNDREDTHS_OF_MM_AN_INCH = 2540
_ASSUMED_INCHES = (7.0, 7.0)


def render(data: bytes, kind: str, limits: Limits) -> Decoded:
    """Draw a metafile. Raises UnreadableImageError: cut short, or no renderer can draw it."""
    with told_in_a_sentence(limits):
        size_wh = _size(data, kind, limits)
        try:
            drawn = _drawn(data, kind, size_wh, limits)
            if not _is_blank(drawn.pixels):
                return drawn
            reason = "it comes out blank"
        except _CannotDraw as error:
            reason = str(error)
        second = renderers.render(data, kind, size_wh, limits)
        if second is not None:
            return Decoded(second, kind)
        raise UnreadableImageError(f"{reason}; {renderers.missing(kind)}")


class _CannotDraw(Exception):
    """The first renderer gives up, where a second one may not."""


def _size(data: bytes, kind: str, limits: Limits) -> tuple[int, int]:
    """Pixels to draw. Raises UnreadableImageError for a file that is shorter than it says."""
    inches = _emf_inches(data) if kind == "EMF" else _wmf_inches(data)
    width, height = drawing_size(inches, limits)
    scale = min(
        1.0, _MAX_SIDE / max(width, height), (_MAX_MEGAPIXELS * 1e6 / width / height) ** 0.5
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def _wmf_inches(data: bytes) -> tuple[float, float]:
    frame = wmf.frame_of(data)
    return frame.inches_wh if frame else _ASSUMED_INCHES


def _emf_inches(data: bytes) -> tuple[float, float]:
    if len(data) < 88 or struct.unpack_from("<I", data, 48)[0] > len(data):
        raise UnreadableImageError("the file is cut short")
    left, top, right, bottom = struct.unpack_from("<4i", data, 24)
    if right == left or bottom == top:
        return _ASSUMED_INCHES
    return (
        abs(right - left) / _HUNDREDTHS_OF_MM_AN_INCH,
        abs(bottom - top) / _HUNDREDTHS_OF_MM_AN_INCH,
    )


def _drawn(data: bytes, kind: str, size_wh: tuple[int, int], limits: Limits) -> Decoded:
    import metafile_render

    if kind == "WMF":
        data = wmf.in_order(data, wmf.frame_of(data), size_wh)
    try:
        result = metafile_render.render_metafile(data, size_hint=size_wh, backend="replay")
    except metafile_render.MetafileError as error:
        raise _CannotDraw(f"it cannot be drawn ({error})") from None
    decoded = decode(result.data, limits=limits)
    warnings = ("some of the drawing's parts are left out",) if result.partial else ()
    return Decoded(decoded.pixels, kind, warnings)


def _is_blank(pixels: Pixels) -> bool:
    extrema = PillowImage.fromarray(pixels).getextrema()
    return all(low == high for low, high in extrema)
