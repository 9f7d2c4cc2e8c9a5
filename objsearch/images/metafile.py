"""WMF, EMF and EMF+ drawings -> pixels; a second renderer where the first gives up."""

from __future__ import annotations

from objsearch.errors import UnreadableImageError
from objsearch.images import emf, renderers, wmf
from objsearch.images.decode import Decoded, Limits, decode, drawing_size, told_in_a_sentence
from objsearch.types import Pixels

# What `metafile-render` draws at most; larger drawings are drawn smaller.
_MAX_MEGAPIXELS = 15.0
_MAX_SIDE = 8192

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
        except _CannotDrawError as error:
            reason = str(error)
        second = renderers.render(data, kind, size_wh, limits)
        if second is not None:
            return Decoded(second, kind)
        raise UnreadableImageError(f"{reason}; {renderers.missing(kind)}")


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


def _drawn(data: bytes, kind: str, size_wh: tuple[int, int], limits: Limits) -> Decoded:
    try:
        import metafile_render
    except ImportError:
        raise _CannotDrawError("metafile-render is not installed") from None
    is_wmf = kind == "WMF"
    data = wmf.in_order(data, wmf.frame_of(data), size_wh) if is_wmf else emf.in_order(data)
    try:
        result = metafile_render.render_metafile(data, size_hint=size_wh, backend="replay")
    except metafile_render.MetafileError as error:
        raise _CannotDrawError(f"it cannot be drawn ({error})") from None
    decoded = decode(result.data, limits=limits)
    warnings = ("some of the drawing's parts are left out",) if result.partial else ()
    return Decoded(decoded.pixels, kind, warnings)


def _is_blank(pixels: Pixels) -> bool:
    return bool((pixels == pixels[0, 0]).all())
