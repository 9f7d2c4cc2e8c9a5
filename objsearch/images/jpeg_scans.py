"""The segments of a JPEG: where its pixels begin and end, and whether all of them are there."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
_SCAN, _END = 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_OF_COEFFICIENTS = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_INTERVAL = 0xDD
_TABLES = {0xC4, 0xCC, 0xDB, _INTERVAL}
_ADOBE, _ADOBE_BYTES = 0xEE, 12
_COEFFICIENTS = 64
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")


def iter_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Code, start and end of each segment's data, up to the end marker, which is among them.

    A scan's pixels follow its segment; there every 0xff that is no marker is escaped.
    """
    position = 2
    while (marker := _MARKER.search(data, position)) is not None:
        code, position = data[marker.start() + 1], marker.end()
        if code in _WITHOUT_LENGTH:
            yield code, position, position
            if code == _END:
                return
            continue
        size = max(2, int.from_bytes(data[position : position + 2], "big"))
        yield code, position + 2, position + size
        position += size


def jpeg_end(data: bytes) -> int:
    """Where a JPEG that starts `data` ends; the end of the data where it has no end of its own."""
    return next((end for code, _, end in iter_segments(data) if code == _END), len(data))


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height that a JPEG says it has; zeros where it says nothing."""
    for code, start, end in iter_segments(data):
        if code in _FRAMES and end <= len(data):
            height, width = (
                int.from_bytes(data[at : at + 2], "big") for at in (start + 1, start + 3)
            )
            return width, height
    return 0, 0


def scan_start(data: bytes) -> int:
    """Where the pixels of a JPEG begin; the end of the data where they do not."""
    for code, _, end in iter_segments(data):
        if code == _SCAN:
            return min(end, len(data))
    return len(data)


def with_bare_header(data: bytes) -> bytes:
    """The same pixels behind what they need alone: no metadata, nothing between the segments."""
    parts = [data[:2]]
    for code, start, end in iter_segments(data):
        if code == _SCAN:
            return b"".join((*parts, data[start - 4 :]))
        names_colours = code == _ADOBE and end - start >= _ADOBE_BYTES
        if code in _FRAMES | _TABLES or names_colours:
            parts.append(data[start - 4 : end])
    return data


def iter_scans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the pixels of each scan begin and end."""
    start = 0
    for code, at, end in iter_segments(data):
        if start:
            yield start, at - (2 if code in _WITHOUT_LENGTH else 4)
        start = end if code == _SCAN else 0
    if start:
        yield start, len(data)


def is_progressive(data: bytes) -> bool:
    """Whether it comes in scans of growing detail."""
    frames = (code for code, _, _ in iter_segments(data) if code in _FRAMES)
    return next(frames, 0xC0) in (0xC2, 0xC6, 0xCA, 0xCE)


def is_lossless(data: bytes) -> bool:
    """Whether its frame is of no kind that can be drawn smaller: it is not made of coefficients.

    A frame of an unknown kind counts as such. turbojpeg, asked for less than the size of a lossless
    one, writes all of it into the smaller room that was made.
    """
    frames = (code for code, _, _ in iter_segments(data) if code in _FRAMES)
    return next(frames, 0xC0) not in _OF_COEFFICIENTS


def holds_all_in_one_scan(data: bytes) -> bool:
    """Whether its first scan has every colour in full: nothing but its end follows that."""
    n_colours = 0
    for code, start, end in iter_segments(data):
        if code in _FRAMES:
            if code not in (0xC0, 0xC1) or min(end, len(data)) - start < 6:
                return False
            n_colours = data[start + 5]
        if code == _SCAN:
            return start < len(data) and data[start] == n_colours
    return False


def has_all_restarts(data: bytes) -> bool:
    """Whether the marks that a scan of all pixels has between its parts are all there, in order."""
    if not holds_all_in_one_scan(data):
        return True
    parts: dict[int, bytes] = {}
    for code, start, end in iter_segments(data):
        parts[code] = data[start:end]
        if code == _SCAN:
            break
    frame = next(body for code, body in parts.items() if code in _FRAMES)
    interval = int.from_bytes(parts.get(_INTERVAL, b""), "big")
    n_marks = _n_units(frame) // interval + bool(_n_units(frame) % interval) - 1 if interval else 0
    if n_marks <= 0:
        return True
    marks = _RESTART.findall(data, scan_start(data), jpeg_end(data))
    wanted = [bytes([0xD0 + number % 8]) for number in range(n_marks + 1)]
    return marks in (wanted[:-1], wanted)  # some writers put one behind the last part, too


def _n_units(frame: bytes) -> int:
    """How many blocks of all colours together a picture is made of."""
    sampling = frame[7 : 6 + 3 * frame[5] : 3] or b"\x11"
    across, down = max(factor >> 4 for factor in sampling), max(factor & 15 for factor in sampling)
    if frame[5] == 1:
        across = down = 1
    height, width = (int.from_bytes(frame[i : i + 2], "big") for i in (1, 3))
    return -(-width // (8 * max(1, across))) * -(-height // (8 * max(1, down)))


def has_all_scans(data: bytes) -> bool:
    """Whether every coefficient of every colour comes to its last bit in some scan."""
    wanted: set[int] = set()
    done: dict[int, set[int]] = {}
    for code, start, end in iter_segments(data):
        body = data[start:end]
        if code in _FRAMES and len(body) >= 6:
            wanted = set(body[6 : 6 + 3 * body[5] : 3])
        if code == _SCAN and body and len(body) >= 4 + 2 * body[0]:
            first, last, bits = body[1 + 2 * body[0] :][:3]
            if bits & 15 == 0:
                for colour in body[1 : 1 + 2 * body[0] : 2]:
                    done.setdefault(colour, set()).update(range(first, last + 1))
    return bool(wanted) and all(len(done.get(colour, ())) >= _COEFFICIENTS for colour in wanted)
