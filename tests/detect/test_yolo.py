"""The detector's own promises: what it finds, which weights it takes, what it says without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from objsearch.detect.onnx_yolo import Letterbox, suppressed
from objsearch.detect.yolo import Yolo
from objsearch.errors import MissingDependencyError, WeightsError
from objsearch.sources import expand, read_image
from objsearch.types import Box, Image, Pixels
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


@pytest.fixture(scope="module")
def examples(root: Path) -> list[Image]:
    """Every example photo, and some of odd shapes."""
    paths = sorted((root / "examples").glob("*/*.*"))
    read = [read_image(place) for place in expand([str(path) for path in paths])]
    photos = [one for one in read if isinstance(one, Image)]
    odd = [photos[0].pixels[:40], photos[1].pixels[:, :33], photos[2].pixels[:320, :320]]
    return [*photos, *(image(np.ascontiguousarray(pixels)) for pixels in odd)]


@pytest.mark.parametrize(("name", "every"), [("things-v4", 4), ("things-v4-int8", 1)])
def test_the_boxes_are_those_of_ultralytics(
    name: str, every: int, root: Path, examples: list[Image]
) -> None:
    """Of what ships on all examples; in full precision, which differs by numbers alone, on some."""
    # By a path it goes through Ultralytics, whose letterboxing and suppression are followed here.
    direct, reference = Yolo(weights=name), Yolo(weights=str(root / "models" / f"{name}.onnx"))
    n_boxes = 0
    chosen = [*examples[:-3:every], *examples[-3:]]  # the odd shapes are the last
    for photo in chosen:
        found, expected = (one.detect_batch([photo])[0] for one in (direct, reference))
        assert len(found) == len(expected), photo.ref
        n_boxes += len(found)
        for one, other in zip(found, expected, strict=True):
            assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
            edges = zip(one.box_xyxy, other.box_xyxy, strict=True)
            assert max(abs(a - b) for a, b in edges) < 1, photo.ref
            assert one.label == other.label == "thing"
    assert n_boxes > 2 * len(chosen)


def test_every_photo_has_the_same_boxes_whatever_is_beside_it(examples: list[Image]) -> None:
    detector = Yolo()
    alone = [detector.detect_batch([photo])[0] for photo in examples[:6]]
    assert detector.detect_batch(examples[:6]) == alone


@pytest.mark.parametrize("size_wh", [(640, 480), (333, 1000), (1, 500), (320, 320), (7, 5)])
def test_a_letterbox_leads_back(size_wh: tuple[int, int]) -> None:
    laid = Letterbox.of(size_wh, 320)
    (x, y), (width, height) = laid.margin_xy, laid.inner_wh
    assert max(width, height) == 320 and min(x, y) == 0
    inner = np.array([[x, y, x + width, y + height]], np.float32)
    assert laid.in_picture(inner)[0] == pytest.approx((0, 0, *size_wh), abs=1e-3)


def test_boxes_that_overlap_a_better_one_go() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 5], [20, 0, 30, 10]], np.float32)
    assert suppressed(boxes, 0.6) == [0, 2, 3]
    assert suppressed(boxes, 0.4) == [0, 3]
    assert suppressed(boxes[:0], 0.6) == []


def test_a_gpu_that_is_not_there_is_told() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is one")
    with pytest.raises(MissingDependencyError, match=r"objsearch\[gpu\]"):
        Yolo(device="cuda").device_in_use()
    with pytest.raises(WeightsError, match="not on 'mps'"):
        Yolo(device="mps").device_in_use()
    assert Yolo().device_in_use() == "cpu"


def test_weights_that_are_not_there_are_told(pixels_of: Callable[[str], Pixels]) -> None:
    with pytest.raises(WeightsError, match="did you mean 'things-v4'"):
        Yolo(weights="thing-v0").propose(image(pixels_of("toys.jpg")))


def test_weights_that_are_none_are_told(tmp_path: Path, pixels_of: Callable[[str], Pixels]) -> None:
    for name in ("own.onnx", "own.pt"):
        path = tmp_path / name
        path.write_bytes(b"no weights")
        with pytest.raises(WeightsError, match="own"):
            Yolo(weights=str(path)).propose(image(pixels_of("toys.jpg")))
