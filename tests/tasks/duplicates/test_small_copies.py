"""Laid upon each other, copies agree and others do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from objsearch.tasks.duplicates.small_copies import Small, agreement, stretched, tiny_versions
from objsearch.types import Pixels
from tests.pictures import brightened, drawing, flat, warped

ORIGINAL = drawing(301, 403, seed=1)


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_whole_frames_are_laid_by_turn_mirror_and_stretch(quarters: int, is_mirrored: bool) -> None:
    side = ORIGINAL[:, ::-1] if is_mirrored else ORIGINAL
    other: Pixels = np.ascontiguousarray(np.rot90(side, quarters)[::2, ::3])
    one, copy = Small.of(ORIGINAL), Small.of(other)
    alike = tiny_versions(one) @ tiny_versions(copy)[0]
    assert int(alike.argmax()) == quarters + 4 * is_mirrored
    assert alike.max() > 0.9
    assert agreement(one, copy, stretched(one, copy, quarters, is_mirrored)) > 0.9
    wrong = stretched(one, copy, quarters + 1, is_mirrored)
    assert agreement(one, copy, wrong) < 0.3


def test_a_known_homography_agrees_either_way_and_a_shifted_one_does_not() -> None:
    transform = np.array([[0.8, -0.3, 90.0], [0.25, 0.7, 10.0], [1e-4, 0.0, 1.0]])
    other = brightened(warped(ORIGINAL, transform, (420, 350)))
    one, copy = Small.of(ORIGINAL), Small.of(other)
    there = agreement(one, copy, transform)
    back = agreement(copy, one, np.linalg.inv(transform))
    assert there > 0.8 and back > 0.8
    shifted = np.array([[1, 0, 25.0], [0, 1, 0], [0, 0, 1]]) @ transform
    assert agreement(one, copy, shifted) < 0.4


def test_what_is_smooth_agrees_with_nothing() -> None:
    ramp = np.repeat(np.linspace(0, 255, 300).astype(np.uint8)[None], 200, 0)
    smooth = np.ascontiguousarray(np.repeat(ramp[..., None], 3, 2))
    one, other = Small.of(smooth), Small.of(np.ascontiguousarray(smooth * 0.7).astype(np.uint8))
    assert agreement(one, other, np.eye(3)) < 0.3
    assert agreement(Small.of(flat(90, 90)), Small.of(flat(90, 90)), np.eye(3)) == 0.0


@pytest.mark.parametrize("seed", range(1, 5))
def test_equal_corners_do_not_make_two_turned_photos_alike(seed: int) -> None:
    """Their edges carry the correlation of the whole; what the photos show does not agree."""
    one, other = (turned(drawing(300, 400, s) // 4 + 150) for s in (seed, seed + 20))
    assert agreement(Small.of(one), Small.of(one), np.eye(3)) > 0.95
    assert agreement(Small.of(one), Small.of(other), np.eye(3)) < 0.5


def turned(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).rotate(12, Image.Resampling.BICUBIC, expand=True))


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_third_may_be_hidden_and_half_may_not(seed: int) -> None:
    one = drawing(300, 400, seed)
    third, half = one.copy(), one.copy()
    third[-90:], half[-150:] = (250, 220, 30), (250, 220, 30)
    assert agreement(Small.of(one), Small.of(third), np.eye(3)) > 0.6
    assert agreement(Small.of(one), Small.of(half), np.eye(3)) < 0.2


def test_a_blank_page_has_no_say_beside_what_is_on_it() -> None:
    def scanned(seed: int) -> Pixels:
        noise = np.random.default_rng(seed).normal(0, 1.0, (300, 400, 3)).astype(np.float32)
        made = np.full((300, 400, 3), 240, np.float32) + 8 * cv2.GaussianBlur(noise, (0, 0), 3)
        made[100:180, 100:300] = drawing(80, 200, 1)
        return made.clip(0, 255).astype(np.uint8)

    assert agreement(Small.of(scanned(1)), Small.of(scanned(2)), np.eye(3)) > 0.9


def test_a_sliver_of_overlap_proves_nothing() -> None:
    one = Small.of(ORIGINAL)
    far = np.array([[1, 0, 395.0], [0, 1, 0], [0, 0, 1]])
    assert agreement(one, one, far) == 0.0
    assert agreement(one, one, np.eye(3)) > 0.95


@pytest.mark.parametrize("times", [6, 9, 16, 30])
@pytest.mark.parametrize("quarters", [0, 1])
def test_long_strips_agree_with_their_copies_and_with_no_others(times: int, quarters: int) -> None:
    strip, other = (drawing(64, 64 * times, seed) for seed in (2, 5))
    halved = Image.fromarray(strip).resize((32 * times, 32), Image.Resampling.BOX)
    copy = np.ascontiguousarray(np.rot90(np.asarray(halved), quarters))
    first, second, stranger = map(Small.of, (strip, copy, other))
    alike = tiny_versions(first) @ tiny_versions(second)[0]
    assert int(alike.argmax()) == quarters and alike.max() > 0.9
    assert agreement(first, second, stretched(first, second, quarters, False)) > 0.9
    assert agreement(first, stranger, stretched(first, stranger, 0, False)) < 0.5
