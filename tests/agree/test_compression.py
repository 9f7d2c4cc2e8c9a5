"""The steps in which JPEG stored a picture, told from its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from objsearch.agree.compression import BLOCK, steps_of, stored
from objsearch.images.transform import gray
from tests.pictures import grainy

TABLE = [max(1, 3 * (row + column) + 4) for row in range(BLOCK) for column in range(BLOCK)]
"""Of no program: phones bring their own tables too."""


def luminance(data: bytes) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What a JPEG file shows, and the steps that it says it is stored in."""
    picture = Image.open(io.BytesIO(data))
    steps = np.array(picture.quantization[0]).reshape(BLOCK, BLOCK)  # type: ignore[attr-defined]
    return gray(np.asarray(picture.convert("RGB"))).astype(np.float32), steps


def jpeg(**options: object) -> bytes:
    data = io.BytesIO()
    photo = Image.fromarray(grainy(256, 320, 4)).resize((400, 320), Image.Resampling.BICUBIC)
    photo.point(lambda level: 40 + level * 2 // 3).save(data, "JPEG", **options)
    return data.getvalue()


@pytest.mark.parametrize("options", [{"quality": 50}, {"quality": 75}, {"qtables": [TABLE] * 2}])
def test_steps_are_those_of_the_file(options: dict[str, object]) -> None:
    plane, steps = luminance(jpeg(**options))
    found = steps_of(plane)
    coarse = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)) < 4
    asked = coarse & (steps >= 4)
    assert asked.sum() >= 6
    assert (found[asked] == steps[asked]).mean() > 0.9


def test_what_was_never_compressed_or_was_cut_since_has_no_steps() -> None:
    whole, _ = luminance(jpeg(quality=60))
    cut = np.ascontiguousarray(whole[3:, 5:])
    plain = gray(grainy(256, 320, 4)).astype(np.float32)
    for plane in (plain, cut):
        assert (steps_of(plane)[:4, :4] == 0).mean() > 0.9


def test_storing_in_the_steps_of_a_file_makes_what_the_file_shows() -> None:
    plane, _ = luminance(jpeg(quality=50))
    before = np.asarray(Image.open(io.BytesIO(jpeg(quality=100))).convert("L"), np.float32)
    again = stored(before, steps_of(plane))
    assert again.shape == plane.shape
    assert np.abs(again - plane).mean() < 0.35 * np.abs(before - plane).mean()


def test_without_steps_nothing_changes() -> None:
    plane = gray(grainy(61, 83, 2)).astype(np.float32)
    assert np.allclose(stored(plane, np.zeros((BLOCK, BLOCK), np.float32)), plane, atol=0.01)
