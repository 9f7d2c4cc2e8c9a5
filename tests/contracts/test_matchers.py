"""What every matcher keeps, with every extractor whose descriptors it accepts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from objsearch.components.registry import component, names
from objsearch.describe.base import Crop
from objsearch.match.base import Matcher
from objsearch.types import Descriptor, Pixels
from tests.contracts.made import shared
from tests.pictures import brightened, drawing, flat, noise

PAIRS = [
    (matcher, extractor)
    for matcher in names("match")
    for extractor in names("describe")
    if component("describe", extractor).produces in component("match", matcher).accepts  # type: ignore[attr-defined]
]


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[Matcher, str]:
    matcher, extractor = request.param
    return shared("match", matcher), extractor


@pytest.fixture
def matcher(pair: tuple[Matcher, str]) -> Matcher:
    return pair[0]


Sides = tuple[Sequence[Descriptor], Sequence[Descriptor]]


@pytest.fixture(scope="module")
def sides_by(pixels_of: Callable[[str], Pixels]) -> Callable[[str], Sides]:
    """By an extractor, two query and four reference descriptors, which no matcher may change.

    The query's first shows the reference's second.
    """
    toys = pixels_of("toys.jpg")
    query = [Crop(toys[60:260, 50:300]), Crop(drawing(80, 90), is_frame=True)]
    reference = [
        Crop(drawing(80, 90, seed=5)),
        Crop(brightened(toys[60:260, 50:300])),
        Crop(flat(40, 40)),
        Crop(noise(1, 1), is_frame=True),
    ]

    @cache
    def described(name: str) -> Sides:
        extractor = shared("describe", name)
        return extractor.extract_batch(query), extractor.extract_batch(reference)

    return described


@pytest.fixture
def sides(pair: tuple[Matcher, str], sides_by: Callable[[str], Sides]) -> Sides:
    return sides_by(pair[1])


def test_every_kind_of_descriptor_has_a_matcher() -> None:
    assert {extractor for _, extractor in PAIRS} == set(names("describe"))
    assert {matcher for matcher, _ in PAIRS} == set(names("match"))


def test_scores_are_a_matrix_in_0_to_1(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    scores = matcher.score_pairs(query, reference)
    assert scores.shape == (2, 4)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert (scores >= 0).all() and (scores <= 1).all()
    assert matcher.score_pairs(query[:1], reference).shape == (1, 4)
    assert matcher.score_pairs(query, reference[:1]).shape == (2, 1)


def test_what_is_alike_scores_most(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    scores = matcher.score_pairs(query, reference)
    assert scores[0].argmax() == 1
    assert scores[0, 1] > scores[1].max()
    itself = matcher.score_pairs(query, query)
    assert (np.diag(itself) >= itself.max(axis=1)).all()


def test_symmetric_matchers_give_transposes(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    if matcher.symmetric:
        forth, back = matcher.score_pairs(query, reference), matcher.score_pairs(reference, query)
        assert np.array_equal(forth, back.T)


def test_neighbours_and_order_do_not_matter(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    scores = matcher.score_pairs(query, reference)
    for q, one in enumerate(query):
        for r, other in enumerate(reference):
            alone = matcher.score_pairs([one], [other])
            assert alone[0, 0] == pytest.approx(scores[q, r], abs=2e-6)
    turned = matcher.score_pairs(query[::-1], reference[::-1])
    assert np.allclose(turned, scores[::-1, ::-1], atol=2e-6)


def test_descriptors_are_left_alone(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    first = matcher.score_pairs(query, reference)
    matcher.coarse_scores(query, [reference])
    assert np.array_equal(matcher.score_pairs(query, reference), first)


def test_coarse_scores_are_one_number_an_image(matcher: Matcher, sides: Sides) -> None:
    query, reference = sides
    images = [reference, reference[:1], query, reference[2:3]]
    scores = matcher.coarse_scores(query, images)
    assert scores.shape == (4,)
    assert scores.dtype == np.float64
    assert (scores >= 0).all() and (scores <= 1).all()
    assert scores.argmax() == 2
    assert matcher.coarse_scores(query, []).shape == (0,)
    for number, one in enumerate(images):
        assert matcher.coarse_scores(query, [one])[0] == pytest.approx(scores[number], abs=2e-6)
