"""Candidates by keypoints: what looks like something else as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from objsearch.search.describing import Describer
from objsearch.settings import load_settings
from objsearch.sources import expand
from objsearch.tasks.duplicates import by_words
from objsearch.tasks.duplicates.by_words import codes_of, pairs_by_words
from objsearch.types import DescribedImage, Pixels
from tests.pictures import drawing, flat, image


@pytest.fixture(scope="module")
def codes() -> dict[int, np.ndarray]:
    """Six pictures; 10 is a corner of the first, 11 a collage with the second, 12 is flat."""
    whole = [drawing(320, 320, seed) for seed in range(6)]
    collage = np.hstack([drawing(320, 320, 40), whole[1]])
    pictures: dict[int, Pixels] = dict(enumerate(whole))
    pictures |= {10: whole[0][:190, :190], 11: collage, 12: flat(320, 320)}
    describer = Describer(load_settings("orb", {"detector": "whole-image"}))
    described = describer.describe([image(np.ascontiguousarray(p)) for p in pictures.values()])
    return {number: codes_of(one) for number, one in zip(pictures, described, strict=True)}


def test_a_corner_and_a_collage_lead_to_the_whole(codes: dict[int, np.ndarray]) -> None:
    first, *_ = pairs_by_words(codes)
    assert {(0, 10), (1, 11)} <= set(first)
    assert all(i < j for i, j in first)


def test_what_shows_nothing_is_not_proposed(codes: dict[int, np.ndarray]) -> None:
    assert not any(12 in pair for pairs in pairs_by_words(codes) for pair in pairs)


def test_photos_of_other_things_are_seldom_proposed(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describer = Describer(load_settings("orb", {"detector": "whole-image"}))
    described = list(describer.describe_places(expand(photos)))
    own = {i: codes_of(one) for i, one in enumerate(described) if isinstance(one, DescribedImage)}
    few = sum(map(len, pairs_by_words(own)))
    monkeypatch.setattr(by_words, "LEAST_VOTES", 0.0)
    assert few < sum(map(len, pairs_by_words(own))) / 2


def test_memory_is_bounded_by_filing_fewer_keypoints(
    codes: dict[int, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    filed: list[int] = []
    build = by_words.build_postings
    monkeypatch.setattr(
        by_words,
        "build_postings",
        lambda words, *rest: filed.append(len(words)) or build(words, *rest),
    )
    monkeypatch.setattr(by_words, "MOST_ENTRIES", 900)
    pairs_by_words(codes)
    assert filed and filed[0] <= 900


def test_without_keypoints_there_are_no_candidates() -> None:
    assert pairs_by_words({}) == [] == pairs_by_words({0: codes_of_none(), 1: codes_of_none()})


def codes_of_none() -> np.ndarray:
    return np.zeros((0, 32), np.uint8)
