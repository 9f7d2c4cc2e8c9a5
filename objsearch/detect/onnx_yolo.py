"""A YOLO network's ONNX file, run without Ultralytics: the same boxes, a tenth of the start-up.

Letterboxing, suppression and rounding follow Ultralytics' `predict` with `rect=False`, so that the
boxes are the same; a test compares both.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.components.onnx_sessions import device_of, open_session
from objsearch.types import Box, Image, Pixels, Region

GRAY = 114
"""What fills the rest of the square."""

MOST_BOXES = 300

Boxes = NDArray[np.float32]
"""(N, 4) x1, y1, x2, y2."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture of `size_wh` lies in a square: its size there, and the margin before it."""

    size_wh: tuple[int, int]
    inner_wh: tuple[int, int]
    margin_xy: tuple[int, int]

    @classmethod
    def of(cls, size_wh: tuple[int, int], side: int) -> Letterbox:
        """The largest that fits, in the middle."""
        ratio = side / max(size_wh)
        width, height = (max(round(length * ratio), 1) for length in size_wh)
        margin = round((side - width) / 2 - 0.1), round((side - height) / 2 - 0.1)
        return cls(size_wh, (width, height), margin)

    def laid(self, pixels: Pixels, side: int) -> NDArray[np.float32]:
        """(3, side, side) in [0, 1]."""
        square = np.full((side, side, 3), GRAY, np.uint8)
        (x, y), (width, height) = self.margin_xy, self.inner_wh
        inner = square[y : y + height, x : x + width]
        if (pixels.shape[1], pixels.shape[0]) == self.inner_wh:
            inner[:] = pixels
        else:
            inner[:] = cv2.resize(pixels, self.inner_wh, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(square.transpose(2, 0, 1), np.float32) / np.float32(255)

    def in_picture(self, boxes: Boxes) -> Boxes:
        """Boxes of the square in pixels of the picture, clipped to it."""
        margin, inner, size = (
            np.array(lengths, np.float32)
            for lengths in (self.margin_xy, self.inner_wh, self.size_wh)
        )
        corners = (boxes.reshape(-1, 2, 2) - margin) / (inner / size)
        return np.asarray(np.clip(corners, 0, size).reshape(-1, 4), np.float32)


@dataclass(slots=True)
class OnnxYolo:
    """Runs a file with the output (N, 4 + classes, anchors), loaded on first use."""

    path: Path
    labels: Sequence[str]
    device: str = "auto"
    _session: Any = None
    _lock: Any = field(default_factory=threading.Lock)

    def device_in_use(self) -> str:
        """Where it runs, loaded for that."""
        return device_of(self._loaded())

    def detect(
        self, images: Sequence[Image], side: int, confidence: float, max_iou: float
    ) -> list[tuple[Region, ...]]:
        """Boxes above a confidence that overlap by at most `max_iou`, whatever their class."""
        laid = [Letterbox.of(image.size_wh, side) for image in images]
        batch = [
            letterbox.laid(image.pixels, side)
            for letterbox, image in zip(laid, images, strict=True)
        ]
        # One picture a call on the CPU: a batch gains nothing there, and the last bits of a result
        # would depend on the neighbours.
        step = 1 if self.device_in_use() == "cpu" else max(1, len(batch))
        raw: list[NDArray[np.float32]] = []
        for start in range(0, len(batch), step):
            raw += list(self._run(np.stack(batch[start : start + step])))
        return [
            tuple(self._regions(output, letterbox, confidence, max_iou))
            for output, letterbox in zip(raw, laid, strict=True)
        ]

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        session = self._loaded()
        return np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0], np.float32)

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = open_session(self.path, self.device, "the detector's weights")
            return self._session

    def _regions(
        self, output: NDArray[np.float32], laid: Letterbox, confidence: float, max_iou: float
    ) -> Iterator[Region]:
        scores = output[4:].max(axis=0)
        chosen = np.flatnonzero(scores > confidence)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
        centre, half = output[:2, chosen].T, output[2:4, chosen].T / 2
        boxes = np.asarray(np.hstack([centre - half, centre + half]), np.float32)
        kept = suppressed(boxes, max_iou)[:MOST_BOXES]
        kinds = output[4:, chosen[kept]].argmax(axis=0)
        places = laid.in_picture(boxes[kept])
        for xyxy, which, kind in zip(places, chosen[kept], kinds, strict=True):
            place = Box(*map(float, xyxy))
            yield Region(place, self.labels[int(kind)], float(scores[which]), "detector")


def suppressed(boxes: Boxes, max_iou: float) -> list[int]:
    """Which boxes stay, of many that are sorted best first: none overlaps a better one by more."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        left = left[~(shared / (areas[best] + areas[left] - shared) > np.float32(max_iou))]
    return kept
