"""The process at the other end of `isolation`: reads requests, a line of JSON each, and answers.

It is started as `python -m objsearch.sources.reader_process`, and is of no use otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, Part
from objsearch.images.pdf import PdfReader
from objsearch.images.renderers import TriedInVainError
from objsearch.sources.contents import ELSEWHERE

# What the libraries take by themselves, and the copies of one picture that may be held at once.
_BASE_BYTES = 3 * 1024**3
_BYTES_A_PIXEL = 16

# The asking side ends a reader that overruns its time; this is for when that side is gone. It is
# processor time: to wait for whoever reads the answers costs none.
_GRACE_SECONDS = 60

Item = tuple[Part, Decoded | UnreadableImageError | None] | None


def serve(request: dict[str, Any], limits: Limits) -> Iterator[Item]:
    """The answers to one request; None says that there is progress. Raises UnreadableImageError."""
    part = Part(request["page"], request["frame"], request["seconds"])
    kind, path = request["kind"], request["path"]
    if kind == "PDF" and request["verb"] == "list":
        embedded = request["embedded"]
        for listed in _pdf_reader().list_parts(path, request["key"], embedded, limits):
            yield listed, None
    elif kind == "PDF":
        yield part, _pdf_reader().read_part(path, request["key"], part, limits)
    elif kind == "VIDEO":
        from objsearch.images import video

        if request["verb"] == "all":
            yield from video.iter_frames(path, request["step"], limits)
        else:
            yield part, video.read_part(path, part, limits)
    else:
        if part:
            raise UnreadableImageError(f"a {kind} file has no pages, frames or times")
        if kind == "RAW":
            from objsearch.images import raw

            yield part, raw.decode_raw(path, limits)
            return
        yield part, _drawn(Path(path).read_bytes(), kind, request["name"], limits)


@cache
def _pdf_reader() -> PdfReader:
    return PdfReader()


def _drawn(data: bytes, kind: str, name: str, limits: Limits) -> Decoded:
    if kind in ("WMF", "EMF"):
        from objsearch.images import metafile

        return metafile.render(data, kind, limits)
    if kind == "SVG":
        from objsearch.images import svg

        return svg.render(data, limits)
    from objsearch.images import plugins

    return plugins.decode_with_plugin(data, kind, name, limits)


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # libraries print, and that must not get among the answers
    for line in sys.stdin.buffer:
        request = json.loads(line)
        given = request.pop("limits")
        limits = Limits(**{**given, "background": tuple(given["background"])})
        _guard(limits)
        is_worn = _answer(request, limits, answers)
        _write(answers, {"end": True, "worn": is_worn})


@contextmanager
def _plain_path(path: str) -> Iterator[str]:
    """A path that libraries understand: theirs must be UTF-8. Raises UnreadableImageError."""
    if _is_utf8(path):
        yield path
        return
    try:
        folder = tempfile.mkdtemp(prefix="objsearch-")
        link = os.path.join(folder, "file")
        os.symlink(os.path.abspath(path), link)
    except OSError as error:
        raise UnreadableImageError(
            f"it cannot be read (its name is no UTF-8, and no link to it can be made: "
            f"{error.strerror}; {ELSEWHERE})"
        ) from None
    try:
        yield link
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _answer(request: dict[str, Any], limits: Limits, answers: BinaryIO) -> bool:
    """Write all answers to a request; whether this process had better end afterwards."""
    ticked = time.monotonic()
    try:
        with _plain_path(request["path"]) as path:
            for item in serve({**request, "path": path}, limits):
                _set_alarm(limits)
                if item is not None:
                    _write_item(answers, item)
                elif time.monotonic() - ticked > 1.0:
                    ticked = time.monotonic()
                    _write(answers, {"tick": True})
    except UnreadableImageError as error:
        part = Part(request["page"], request["frame"], request["seconds"])
        _write_item(answers, (part, error))
        return isinstance(error, TriedInVainError) or "memory" in str(error)
    return False


def _write_item(answers: BinaryIO, item: tuple[Part, Any]) -> None:
    part, result = item
    header: dict[str, Any] = {"page": part.page, "frame": part.frame, "seconds": part.seconds}
    if isinstance(result, UnreadableImageError):
        _write(answers, {**header, "reason": str(result)})
    elif result is None:
        _write(answers, header)
    else:
        header |= {"shape": result.pixels.shape, "format": result.format}
        header |= {"has_alpha": result.alpha is not None, "ground": result.ground}
        _write(answers, {**header, "warnings": result.warnings}, result.pixels, result.alpha)


def _write(answers: BinaryIO, header: dict[str, Any], *arrays: NDArray[np.uint8] | None) -> None:
    answers.write(json.dumps(header).encode() + b"\n")
    for array in arrays:
        if array is not None:
            answers.write(np.ascontiguousarray(array).data.cast("B"))
    answers.flush()


def _guard(limits: Limits) -> None:
    """Bound this process's memory, and its time in case that nobody listens any more."""
    _set_alarm(limits)
    try:
        import resource
    except ImportError:
        return
    most = _BASE_BYTES + int(limits.max_megapixels * 1e6) * _BYTES_A_PIXEL
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_alarm(limits: Limits) -> None:
    if hasattr(signal, "setitimer"):
        seconds = (limits.timeout_seconds + _GRACE_SECONDS) * (os.cpu_count() or 1)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # then SIGPROF, which ends a process


if __name__ == "__main__":
    main()
