"""The detector's own promises: what it finds, which weights it takes, what it says without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from objsearch.detect.yolo import Yolo
from objsearch.errors import WeightsError
from objsearch.types import Box, Pixels
from tests.contracts.made import shared
from tests.pictures import image


def test_things_on_a_plain_ground_are_found(pixels_of: Callable[[str], Pixels]) -> None:
    regions = shared("detect", "yolo").propose(image(pixels_of("two_books.jpg")))
    assert any(region.proposal == "detector" for region in regions)
    # From examples/groundtruth.csv: where the electronics book lies.
    truth = Box(262, 106, 405, 329)
    assert max(region.box_xyxy.iou(truth) for region in regions) > 0.5


def test_options_are_kept(pixels_of: Callable[[str], Pixels]) -> None:
    photo = image(pixels_of("toys.jpg"))
    few = Yolo(max_objects=2).detect_batch([photo])[0]
    assert len(few) == 2
    large = Yolo(min_area=0.05).detect_batch([photo])[0]
    assert all(region.box_xyxy.area >= 0.05 * photo.frame.area for region in large)
    sure = Yolo(confidence=0.3).detect_batch([photo])[0]
    assert all(region.confidence >= 0.3 for region in sure)


def test_a_path_to_weights_will_do(pixels_of: Callable[[str], Pixels], root: Path) -> None:
    photo = image(pixels_of("toys.jpg"))
    by_path = Yolo(weights=str(root / "models" / "things-v1.onnx"))
    assert by_path.propose(photo) == shared("detect", "yolo").propose(photo)


def test_weights_that_are_not_there_are_told(pixels_of: Callable[[str], Pixels]) -> None:
    with pytest.raises(WeightsError, match="did you mean 'things-v1'"):
        Yolo(weights="thing-v0").propose(image(pixels_of("toys.jpg")))


def test_weights_that_are_none_are_told(tmp_path: Path, pixels_of: Callable[[str], Pixels]) -> None:
    for name in ("own.onnx", "own.pt"):
        path = tmp_path / name
        path.write_bytes(b"no weights")
        with pytest.raises(WeightsError, match="own"):
            Yolo(weights=str(path)).propose(image(pixels_of("toys.jpg")))
