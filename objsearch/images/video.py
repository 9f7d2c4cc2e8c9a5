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

# Decoders start at key frames: to land on a time, start this much before it and walk.
_RUN_UP_SECONDS = 2.0
_TOO_SHORT_SECONDS = 1.0

Item = tuple[Part, Decoded | UnreadableImageError] | None
"""A frame, why there are no more, or None: one more frame was passed over."""


def read_part(path: str, part: Part, limits: Limits) -> Decoded:
    """The first frame, or the one nearest to `seconds`, or the one numbered `frame`."""
    with told_in_a_sentence(limits):
        if part.page is not None:
            raise UnreadableImageError("it is a video: it has times (#t=12.5), no pages")
        film = _Film(path, limits)
        if part.seconds is not None:
            return _at(film, path, part.seconds, limits)
        number = part.frame or 0
        for passed in range(number + 1):
            if not film.grab():
                count = f"{passed} frame{'' if passed == 1 else 's'}"
                raise UnreadableImageError(f"there is no such frame: {count} can be decoded")
        return film.decoded()


def iter_frames(path: str, step: int, limits: Limits) -> Iterator[Item]:
    """Every `step`-th frame with its time; a video that ends early ends in the reason."""
    with told_in_a_sentence(limits):
        film = _Film(path, limits)
        number = 0
        while film.grab():
            if number % step == 0:
                yield Part(seconds=film.seconds), film.decoded()
            else:
                yield None
            number += 1
        if number == 0:
            raise UnreadableImageError("the video has no frame that can be decoded")
        end = film.seconds + _TOO_SHORT_SECONDS
        if end < film.duration * 0.95:
            reason = f"the video breaks off after {film.seconds:.1f} of {film.duration:.1f} seconds"
            yield Part(seconds=film.seconds), UnreadableImageError(reason)


class _Film:
    """An open video, and the time of the frame that it stands at."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnreadableImageError("it is a video that cannot be opened")
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        limits.check_size(width, height)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_seconds = 1 / rate if 1 <= rate <= 1000 else 0.04
        self.seconds = -1.0

    @property
    def duration(self) -> float:
        """Seconds by the file's own word; 0 when it has none that can be believed."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return count * self.frame_seconds if 0 < count < 1e9 else 0.0

    def grab(self) -> bool:
        """Go to the next frame; whether there is one. Time goes on, whatever the file says."""
        if not self._capture.grab():
            return False
        told = round(max(0.0, self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000, 3)
        goes_on = told > self.seconds
        self.seconds = told if goes_on else round(self.seconds + self.frame_seconds, 3)
        return True

    def jump(self, seconds: float) -> None:
        self._capture.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000)
        self.seconds = -1.0

    def decoded(self) -> Decoded:
        fine, frame = self._capture.retrieve()
        if not fine or frame is None or frame.size == 0:
            raise UnreadableImageError("the frame cannot be decoded")
        return Decoded(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), "VIDEO")


def _at(film: _Film, path: str, seconds: float, limits: Limits) -> Decoded:
    tolerance = film.frame_seconds / 2
    start = seconds - _RUN_UP_SECONDS
    if start > 0:
        film.jump(start)
        is_near = film.grab() and start - _RUN_UP_SECONDS <= film.seconds <= seconds + tolerance
        if not is_near:
            film = _Film(path, limits)  # some formats jump anywhere: walk from the start
    while film.seconds < seconds - tolerance:
        if not film.grab():
            last = max(0.0, film.seconds)
            raise UnreadableImageError(f"there is nothing at {seconds:g} s: it ends at {last:g} s")
    return film.decoded()
