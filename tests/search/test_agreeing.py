"""Pictures laid over a hit's: where a query's corners go, and what plainly is another picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.match.geometry import inverse
from objsearch.search.agreeing import frame_to_frame, is_another_picture
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.types import Box, Hit, Pixels
from tests.pictures import board, drawing, flat


def hit_of(picture: Pixels, query: Pixels, folder: Path) -> tuple[ObjectSearch, Hit]:
    """A search that holds a picture, and the hit that it is of a query."""
    PillowImage.fromarray(picture).save(folder / "held.png")
    search = ObjectSearch(load_settings("orb", {"detector": "whole-image"})).add(folder)
    [hit] = search.find(query, threshold=0).hits
    return search, hit


def test_a_part_is_laid_corner_on_corner() -> None:
    """Edges lie half a pixel before the centres of the first pixels."""
    transform = frame_to_frame(Box(10, 20, 110, 70), (200, 150))
    corners = np.array([[9.5, 19.5, 1], [109.5, 69.5, 1]]).T
    assert np.allclose((transform @ corners)[:2].T, [[-0.5, -0.5], [199.5, 149.5]])
    assert np.allclose(inverse(transform) @ transform, np.eye(3))


@pytest.mark.parametrize(
    ("held", "is_another"),
    [
        (drawing(300, 400, seed=1), False),
        (drawing(300, 400, seed=2), True),
        (flat(300, 400), False),
    ],
)
def test_another_picture_is_plain_where_there_is_detail(
    held: Pixels, is_another: bool, tmp_path: Path
) -> None:
    """Of what is flat on both sides nothing can be said, and nothing is let pass for that."""
    query = flat(300, 400, 90) if (held == held[0, 0]).all() else drawing(300, 400, seed=1)
    search, hit = hit_of(held, query, tmp_path)
    assert is_another_picture(query, held, hit) is is_another
    assert search.is_another(query, hit) is is_another


@pytest.mark.parametrize("seed", [2, 4, 5, 6])
def test_sheets_by_one_plan_are_others_unless_keypoints_prove_them_one(
    seed: int, tmp_path: Path
) -> None:
    """They lie on each other exactly, and a third of their detail agrees at most."""
    query, other = board(0), board(seed)
    _, hit = hit_of(other, query, tmp_path)
    unproven = replace(hit, verdict="uncertain")
    assert is_another_picture(query, other, unproven)
    toned = np.clip(query * 0.8 + 30, 0, 255).astype(np.uint8)
    assert not is_another_picture(toned, query, unproven)


def test_a_file_of_another_size_by_now_says_nothing(tmp_path: Path) -> None:
    query = drawing(300, 400, seed=1)
    search, hit = hit_of(drawing(300, 400, seed=2), query, tmp_path)
    PillowImage.fromarray(drawing(200, 400, seed=2)).save(tmp_path / "held.png")
    assert not search.is_another(query, hit)
