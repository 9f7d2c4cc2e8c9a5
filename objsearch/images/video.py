"""Video frames by OpenCV's FFmpeg: one at a time, at a time, or every so many."""

from __future__ import annotations

import os
from collections.abc import Iterator

import cv2
import numpy as np

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, Part, told_in_a_sentence

# FFmpeg would otherwise follow play lists to other files and to the network.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = (
    "protocol_whitelist;file|format_whitelist;"
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,ogg,asf"
)
cv2.setLogLevel(0)

# Decoders start at key frames: to land on a time, start this much before it and walk.
_RUN_UP_SECONDS = 2.0
_TOO_SHORT_SECONDS = 1.0

Item = tuple[Part, Decoded | UnreadableImageError] | None
"""A frame, why there are no more, or None: one more frame was passed over."""


def read_part(path: str, part: Part, limits: Limits) -> Decoded:
    """The first frame, or the one nearest to `seconds`, or the one numbered `frame`."""
    with told_in_a_sentence(limits):
        capture = _opened(path, limits)
        if part.page is not None:
            raise UnreadableImageError("it is a video: it has times (#t=12.5), no pages")
        if part.frame is not None:
            return _numbered(capture, part.frame)
        if part.seconds is None:
            return _grabbed(capture, 0)
        return _at(capture, path, part.seconds, limits)


def iter_frames(path: str, step: int, limits: Limits) -> Iterator[Item]:
    """Every `step`-th frame with its time; a video that ends early ends in the reason."""
    with told_in_a_sentence(limits):
        capture = _opened(path, limits)
        number, seconds = 0, 0.0
        while capture.grab():
            seconds = _seconds(capture)
            if number % step == 0:
                yield Part(seconds=seconds), _retrieved(capture)
            else:
                yield None
            number += 1
        if number == 0:
            raise UnreadableImageError("the video has no frame that can be decoded")
        expected = _duration(capture)
        if seconds + _TOO_SHORT_SECONDS < expected * 0.95:
            reason = f"the video breaks off after {seconds:.1f} of {expected:.1f} seconds"
            yield Part(seconds=seconds), UnreadableImageError(reason)


def _opened(path: str, limits: Limits) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise UnreadableImageError("it is a video that cannot be opened")
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    limits.check_size(width, height)
    return capture


def _duration(capture: cv2.VideoCapture) -> float:
    """Seconds by the file's own word; 0 when it has none that can be believed."""
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return count / rate if rate > 0 and 0 < count < 1e9 else 0.0


def _seconds(capture: cv2.VideoCapture) -> float:
    return round(max(0.0, capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000, 3)


def _retrieved(capture: cv2.VideoCapture) -> Decoded:
    fine, frame = capture.retrieve()
    if not fine or frame is None or frame.size == 0:
        raise UnreadableImageError("the frame cannot be decoded")
    return Decoded(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), "VIDEO")


def _grabbed(capture: cv2.VideoCapture, n_passed: int) -> Decoded:
    if not capture.grab():
        count = f"{n_passed} frame{'' if n_passed == 1 else 's'}"
        raise UnreadableImageError(f"there is no such frame: it has {count} that can be decoded")
    return _retrieved(capture)


def _numbered(capture: cv2.VideoCapture, number: int) -> Decoded:
    for passed in range(number):
        if not capture.grab():
            return _grabbed(capture, passed)
    return _grabbed(capture, number)


def _at(capture: cv2.VideoCapture, path: str, seconds: float, limits: Limits) -> Decoded:
    tolerance = 0.5 / capture.get(cv2.CAP_PROP_FPS) if capture.get(cv2.CAP_PROP_FPS) > 0 else 0.02
    tolerance = max(0.001, min(tolerance, 0.5))
    if seconds > _RUN_UP_SECONDS:
        capture.set(cv2.CAP_PROP_POS_MSEC, (seconds - _RUN_UP_SECONDS) * 1000)
        if not capture.grab() or _seconds(capture) > seconds + tolerance:
            capture.release()
            capture = _opened(path, limits)  # some formats jump too far: walk from the start
            capture.grab()
    else:
        capture.grab()
    last = _seconds(capture)
    while last < seconds - tolerance:
        if not capture.grab():
            raise UnreadableImageError(f"there is nothing at {seconds:g} s: it ends at {last:g} s")
        last = _seconds(capture)
    return _retrieved(capture)
