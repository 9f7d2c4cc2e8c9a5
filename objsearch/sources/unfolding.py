"""Places -> the places of their pages and frames, one file at a time and as they are asked for.

Pages are only listed, and decoded by whoever reads them. Frames build upon one another, so they are
decoded on the way, and each is let go before the next one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

from objsearch.errors import UnreadableImageError
from objsearch.flow import ordered_map
from objsearch.images.behind import pictures_in
from objsearch.images.decode import Decoded, Part
from objsearch.images.frames import ANIMATED, iter_frames, iter_icons, iter_jpegs, tiff_pages
from objsearch.sources.contents import Content, FileContent, opened
from objsearch.sources.isolation import replies
from objsearch.sources.options import Reading
from objsearch.sources.places import Place
from objsearch.sources.reading import content_of, isolated_request
from objsearch.sources.urls import is_url
from objsearch.types import ImageRef, Unreadable

Found = Place | Unreadable
Frames = Iterable[tuple[Part, Decoded | UnreadableImageError | None]]


def unfold(
    places: Iterable[Found], reading: Reading = Reading(), *, workers: int = 1
) -> Iterator[Found]:
    """Every place, or in its stead its pages and frames, in order.

    `workers` downloads run ahead; memory holds their bytes, and one frame.
    """
    places = list(places)
    n_ahead = workers if any(_is_remote(place) for place in places) else 1
    for opening in ordered_map(partial(_opening, reading=reading), places, workers=n_ahead):
        yield from opening()


def _is_remote(place: Found) -> bool:
    return isinstance(place, Place) and place.content is None and is_url(place.ref.uri)


def _opening(place: Found, reading: Reading) -> Callable[[], Iterator[Found]]:
    """Look into a place; what is returned yields what it holds."""
    if isinstance(place, Unreadable) or _part_of(place.ref):
        return partial(iter, (place,))
    try:
        content = content_of(place, reading)
    except UnreadableImageError as error:
        return partial(iter, (Unreadable(place.ref, str(error)),))
    except (OSError, ValueError):
        return partial(iter, (place,))  # reading it will say what is wrong
    if content is None:
        return partial(iter, (place,))
    held = place if isinstance(content, FileContent) else replace(place, content=content)
    return partial(_unfolded, held, content, reading)


def _part_of(ref: ImageRef) -> bool:
    return bool(Part(ref.page, ref.frame, ref.seconds))


def _unfolded(place: Place, content: Content, reading: Reading) -> Iterator[Found]:
    try:
        if content.kind == "PDF" and (reading.page_step or reading.embedded_images):
            yield from _pages(place, _pdf_parts(content, reading))
        elif content.kind == "TIFF" and reading.page_step:
            with opened(content) as stream:
                parts = tiff_pages(stream, reading.limits)
            yield from _pages(place, parts[:: reading.page_step])
        elif content.kind == "JPEG" and reading.frame_step:
            yield from _stills(place, content, reading)
        elif content.kind in (*ANIMATED, "ICO") and reading.frame_step:
            going = iter_icons if content.kind == "ICO" else iter_frames
            with opened(content) as stream:
                frames = going(stream, reading.frame_step, content.name, reading.limits)
                yield from _frames(place, frames)
        elif content.kind == "VIDEO" and reading.frame_step:
            request = {**isolated_request(content, "all"), "step": reading.frame_step}
            with closing(replies(request, reading.limits)) as video:
                yield from _frames(place, video)
        else:
            yield place
    except UnreadableImageError as error:
        yield Unreadable(place.ref, str(error))
    except OSError as error:
        yield Unreadable(place.ref, f"it cannot be read ({error.strerror or error})")


def _stills(place: Place, content: Content, reading: Reading) -> Iterator[Found]:
    """The pictures of a JPEG file, as stereo photos have; a file of one keeps its name."""
    with opened(content) as stream:
        pictures = pictures_in(stream.read())[:: reading.frame_step]
    if len(pictures) <= 1:
        yield place
        return
    yield from _frames(place, iter_jpegs(pictures, content.name, reading.limits))


def _pdf_parts(content: Content, reading: Reading) -> list[Part]:
    request = {**isolated_request(content, "list"), "embedded": reading.embedded_images}
    parts = []
    for part, result in replies(request, reading.limits):
        if isinstance(result, UnreadableImageError):
            raise result
        parts.append(part)
    step = reading.page_step
    return [part for part in parts if (part.page == 1 if step == 0 else _nth(part, step))]


def _nth(part: Part, step: int) -> bool:
    return part.page is not None and (part.page - 1) % step == 0


def _pages(place: Place, parts: list[Part]) -> Iterator[Place]:
    """A place a page; a file of one page keeps its name."""
    if len(parts) <= 1:
        yield place
        return
    for part in parts:
        yield replace(place, ref=replace(place.ref, page=part.page, frame=part.frame))


def _frames(place: Place, frames: Frames) -> Iterator[Found]:
    for part, result in frames:
        ref = replace(place.ref, frame=part.frame, seconds=part.seconds)
        if isinstance(result, UnreadableImageError):
            yield Unreadable(ref, str(result))
        elif result is not None:
            yield replace(place, ref=ref, content=result)
