"""Two described pictures -> pairs of regions: what of their likeness counts, by construction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.match.calibration import Calibration, save
from objsearch.search.comparing import Comparer
from objsearch.settings import load_settings
from objsearch.types import Box, DescribedImage, GlobalDescriptor, Hit, ImageRef, Region

FRAME = Region(Box(0, 0, 90, 60), "frame", 0.0, "frame")
PARTS = (
    Region(Box(0, 0, 40, 40), "cup", 1.0, "detector"),
    Region(Box(50, 0, 90, 40), "dog", 1.0, "detector"),
)
Vectors = Sequence[np.ndarray]

A, B, C = np.eye(3, dtype=np.float32)
"""They have nothing to do with each other."""


def described(content: str, vectors: Vectors) -> DescribedImage:
    """A picture whose parts and frame, last, have these vectors."""
    regions = (*PARTS[: len(vectors) - 1], FRAME)
    every = tuple(GlobalDescriptor(v / np.linalg.norm(v)) for v in vectors)
    return DescribedImage(ImageRef("a.png"), (90, 60), regions, {"embedding": every}, content)


@pytest.fixture
def compared(tmp_path: Path) -> Any:
    """`compared(query, reference, frames=False)` by vectors alone is a hit."""
    path = tmp_path / "calibration.yaml"
    save(Calibration(intercept=-5.0, coefficients={"embedding": 10.0}), path)

    def compare(
        query: Sequence[np.ndarray],
        reference: Sequence[np.ndarray],
        content: str = "",
        **rules: Any,
    ) -> Hit:
        data: dict[str, Any] = {
            "detector": "whole-image",
            "descriptors": [{"extractor": "embedding"}],
            "calibration": str(path),
            "assignment": rules,
        }
        comparer = Comparer(load_settings(data))
        return comparer.compare(described(content, query), described(content, reference))

    return compare


def alike(hit: Hit) -> dict[tuple[str, str], float]:
    """Similarity by the labels of both regions."""
    return {
        (pair.query.label, pair.reference.label): round(pair.similarities["embedding"], 4)
        for pair in hit.pairs
    }


def test_two_parts_are_less_alike_than_they_look(compared: Any) -> None:
    """Grass is like grass: half is taken off where neither side is a full frame."""
    found = alike(compared([A, B], [A, C]))
    assert found == {("cup", "cup"): 0.5, ("frame", "frame"): 0.0}
    assert alike(compared([A, B], [A, C], parts_discount=0.2))["cup", "cup"] == 0.8
    nothing = compared([A, B], [A + C, C], parts_discount=0.9, rule="one-to-many", floor=0)
    assert alike(nothing)["cup", "cup"] == 0.0  # and never less


def test_a_frame_is_as_like_a_part_as_it_looks(compared: Any) -> None:
    found = alike(compared([A, B], [B, A]))
    assert found == {("cup", "frame"): 1.0, ("frame", "cup"): 1.0}
    assert alike(compared([A], [A])) == {("frame", "frame"): 1.0}


def test_frames_count_as_such_only_where_they_may(compared: Any) -> None:
    near = 0.5 * A + 0.4 * B + (1 - 0.5**2 - 0.4**2) ** 0.5 * C
    found = compared([A, near], [B, near])
    assert alike(found) == {("frame", "frame"): 1.0, ("cup", "cup"): 0.0}
    # Where they may not, each is free for what is in the other picture.
    found = compared([A, near], [B, near], frames=False)
    assert alike(found) == {("cup", "frame"): 0.5, ("frame", "cup"): 0.4}
    alone = compared([A], [A], frames=False, floor=0)
    assert (alone.score, alone.pairs) == (0.0, ())


def test_one_and_the_same_picture_matches_as_such_whatever_may(compared: Any) -> None:
    hit = compared([A, B], [A, B], content="same", frames=False)
    assert (hit.score, hit.verdict) == (1.0, "same")
    assert set(alike(hit)) == {("frame", "frame"), ("cup", "cup")}
