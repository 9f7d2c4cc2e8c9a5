"""Two descriptors by one extractor side by side; and what is done where one side has fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.components.registry import names
from objsearch.errors import UsageError
from objsearch.match.calibration import Calibration, load, save
from objsearch.match.fallback import fallback
from objsearch.search.comparing import Comparer
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.queries import View
from objsearch.search.recipe import recipe_of
from objsearch.search.scoring import NOTHING_IN_COMMON
from objsearch.settings import load_settings
from objsearch.types import Box, DescribedImage, Descriptor, GlobalDescriptor, ImageRef, Region

FRAME = Region(Box(0, 0, 90, 60), "frame", 0.0, "frame")
TWO = [{"extractor": "embedding"}, {"extractor": "embedding", "alias": "plain"}]


def described(uri: str, content: str = "", **descriptors: Descriptor) -> DescribedImage:
    every = {alias: (one,) for alias, one in descriptors.items()}
    return DescribedImage(ImageRef(uri), (90, 60), (FRAME,), every, content)


def vector(*values: float) -> GlobalDescriptor:
    made = np.array(values, np.float32)
    return GlobalDescriptor(made / np.linalg.norm(made))


def comparer(descriptors: Sequence[Any], calibration: str = "auto") -> Comparer:
    data = {"detector": "whole-image", "descriptors": descriptors, "calibration": calibration}
    return Comparer(load_settings(data))


def test_only_what_both_sides_have_is_compared() -> None:
    by = comparer(TWO)
    one = described("a.png", embedding=vector(1, 0), plain=vector(1, 0))
    other = described("b.png", embedding=vector(3, 4), plain=vector(1, 0))
    both = by.compare(one, other)
    assert both.aliases == ("embedding", "plain")
    assert both.pairs[0].similarities == {"embedding": 0.6, "plain": 1.0}
    kinds: Any = {"embedding": "global", "plain": "global"}
    assert both.score == pytest.approx(fallback(kinds).probability(both.pairs[0].features))
    fewer = replace(one, descriptors={"embedding": (vector(1, 0),)})
    for hit in (by.compare(fewer, other), by.compare(other, fewer)):
        assert hit.aliases == ("embedding",)
        assert hit.pairs[0].similarities == {"embedding": 0.6}
        # There is a calibration for this one by itself, and it counts.
        assert hit.score == load("embedding").probability({"embedding": 0.6})
    less = by.compare(replace(one, descriptors={"plain": (vector(1, 0),)}), other)
    assert less.score == fallback({"plain": "global"}).probability({"plain": 1.0})


def test_a_file_that_was_fitted_counts_for_its_whole_set_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    fitted = Calibration(intercept=-1.0, coefficients={"embedding": 0.5, "plain": 0.25})
    save(fitted, path)
    by = comparer(TWO, str(path))
    one = described("a.png", embedding=vector(1, 0), plain=vector(1, 0))
    hit = by.compare(one, one)
    assert hit.score == fitted.probability({"embedding": 1.0, "plain": 1.0})
    assert by.scoring.notes([hit]) == []
    fewer = by.compare(one, described("b.png", plain=vector(1, 0)))
    assert fewer.score == fallback({"plain": "global"}).probability({"plain": 1.0})
    assert by.scoring.notes([hit, fewer, fewer]) == [
        "some were compared without 'embedding', which one side lacks: their scores are by the "
        "stated fallback, which nobody fitted for 'plain'"
    ]


def test_without_keypoints_on_both_sides_the_score_says_the_verdict() -> None:
    by = comparer([{"extractor": "embedding"}, {"extractor": "orb"}])
    one, other = (described(uri, embedding=vector(1, 0)) for uri in ("a.png", "b.png"))
    hit = by.compare(one, other)
    alone = comparer([{"extractor": "embedding"}]).compare(one, other)
    assert (hit.score, hit.verdict) == (alone.score, alone.verdict)
    assert by.scoring.notes([hit]) == [
        "some were compared without 'orb', which one side lacks: their scores are by the "
        "calibration for 'embedding'"
    ]


def test_with_nothing_in_common_nothing_is_claimed() -> None:
    by = comparer(TWO)
    one, other = described("a.png", embedding=vector(1, 0)), described("b.png", plain=vector(1, 0))
    hit = by.compare(one, other)
    assert (hit.score, hit.verdict, hit.note) == (0.0, "uncertain", NOTHING_IN_COMMON)
    assert "both sides have none in common" in by.scoring.notes([hit])[-1]
    same = by.compare(replace(one, content="x"), replace(other, content="x"))
    assert (same.score, same.verdict, same.note) == (1.0, "same", "")


def test_the_fallback_is_told_in_every_answer_once(some: list[Path]) -> None:
    extractor = {"name": "orb", "n_points": 200, "long_side": 300}
    data = {"detector": "whole-image", "descriptors": [{"extractor": extractor, "alias": "few"}]}
    search = ObjectSearch.open(data).add(*some[:2])
    for _ in range(2):
        told = [note for note in search.find(some[0]).warnings if "fallback" in note]
        assert told == [
            "no calibration was fitted for 'few': scores are by the stated fallback; "
            "'objsearch calibrate' fits one to your photos"
        ]
    assert ObjectSearch.open("orb").comparer.scoring.notes(()) == []


@pytest.fixture
def two(tmp_path: Path) -> Any:
    """`two(index)`: settings with ORB twice, in fine and in coarse, and any index."""

    def made(index: str, **changes: Any) -> dict[str, Any]:
        path = tmp_path / "two.yaml"
        coefficients = {"orb": 1.1, "coarse": 1.1, "perceptual-hash": 3.0}
        save(Calibration(intercept=-5.0, coefficients=coefficients), path)
        spec = {"name": index, "path": str(tmp_path / "rows")} if index == "lance" else index
        coarse = {"name": "orb", "n_points": 150, "long_side": 200}
        return {
            "detector": "whole-image",
            "descriptors": [
                {"extractor": {"name": "orb", "n_points": 400, "long_side": 400}},
                {"extractor": coarse, "alias": "coarse"},
                {"extractor": "perceptual-hash"},
            ],
            "index": spec,
            "calibration": str(path),
            **changes,
        }

    return made


@pytest.mark.parametrize("index", names("index"))
def test_both_are_stored_and_compared(index: str, two: Any, some: list[Path]) -> None:
    search = ObjectSearch.open(two(index)).add(*some)
    for image in search.images():
        assert list(image.descriptors) == ["orb", "coarse", "perceptual-hash"]
        fine, coarse = (image.descriptors[alias][-1] for alias in ("orb", "coarse"))
        assert len(fine) > len(coarse)  # type: ignore[arg-type]
    look = {"doubtful": 1}
    for shortlist in (None, 2):
        answer = search.find(
            some[0], include_query=True, shortlist=shortlist, threshold=0, second_look=look
        )
        assert answer.hits[0].ref.uri == str(some[0]) and answer.hits[0].score == 1.0
        assert {"orb", "coarse"} <= set(answer.hits[0].pairs[0].similarities)
        assert answer.warnings == ()


@pytest.mark.parametrize("index", names("index"))
def test_a_query_with_fewer_finds_all_the_same(index: str, two: Any, some: list[Path]) -> None:
    search = ObjectSearch.open(two(index)).add(*some)
    [whole] = search.viewer.views(some[2])[0]
    for kept in (("coarse",), ("perceptual-hash",), ("orb", "perceptual-hash")):
        fewer = {alias: whole.image.descriptors[alias] for alias in kept}
        view = View((replace(whole.image, descriptors=fewer, content=""),))
        # A second look knows nothing of shortlists: one is enough.
        for shortlist, look in ((None, {"doubtful": 1}), (1, {"enabled": False})):
            answer = search.find(
                view, include_query=True, shortlist=shortlist, threshold=0.1, second_look=look
            )
            assert answer.hits[0].ref.uri == str(some[2])
            assert set(answer.hits[0].aliases) == set(kept)
            [told] = [note for note in answer.warnings if "one side lacks" in note]
            assert all(f"'{alias}'" in told for alias in ("orb", "coarse", "perceptual-hash"))


def test_another_alias_is_another_recipe_and_is_named(two: Any, some: list[Path]) -> None:
    ObjectSearch.open(two("lance")).add(some[0])
    renamed = two("lance")
    renamed["descriptors"][1]["alias"] = "rough"
    renamed["calibration"] = "auto"
    with pytest.raises(UsageError, match=r"descriptors\.coarse is orb instead of not there"):
        ObjectSearch.open(renamed)
    fewer = two("lance", calibration="auto")
    del fewer["descriptors"][1]
    with pytest.raises(UsageError, match=r"descriptors\.coarse is orb instead of not there"):
        ObjectSearch.open(fewer)
    plain = {"descriptors": [{"extractor": "orb", "alias": "orb"}]}
    assert recipe_of(load_settings(plain)) == recipe_of(
        load_settings({"descriptors": [{"extractor": "orb"}]})
    )


def test_two_embeddings_by_weights_of_their_own(some: list[Path], tmp_path: Path) -> None:
    whitened = {"name": "embedding", "weights": "efficientnet-lite0-whitened", "turns": 1}
    data = {
        "detector": "whole-image",
        "descriptors": [{"extractor": "embedding"}, {"extractor": whitened, "alias": "plain"}],
        "index": {"name": "lance", "path": str(tmp_path / "rows")},
    }
    settings = load_settings(data)
    weights = [
        recipe_of(settings).options[f"descriptors.{a}.weights"] for a in ("embedding", "plain")
    ]
    assert "whitened" in weights[1] and weights[0] != weights[1]
    ObjectSearch(settings).add(*some[:3])
    again = ObjectSearch(settings).add(*some[:3])
    assert again.n_remembered == 3
    hit = again.find(some[1], include_query=True).hits[0]
    assert hit.aliases == ("embedding", "plain")
    assert hit.pairs[0].similarities == pytest.approx({"embedding": 1.0, "plain": 1.0}, abs=1e-3)
    for alias in ("embedding", "plain"):
        assert len(list(again.index.neighbours(alias, 1))) == 3
