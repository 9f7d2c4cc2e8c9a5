"""How closely pairs are looked at: what is plain at a glance is left at that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from objsearch.agree import Agreement
from objsearch.tasks.duplicates.agreeing import ALIKE, LOOKED_AT, Agreements
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.network import Network
from objsearch.types import Image, Pixels, Unreadable
from tests.pictures import cropped, drawing, grainy, image

GLANCE, LOOK = LOOKED_AT[0], LOOKED_AT[-1]
ONE = grainy(300, 420, 5)


@dataclass
class Linked:
    """Two pictures, linked by where the first lies on the second."""

    detail: float = 0.5
    transform: Any = field(default_factory=lambda: np.eye(3))

    def alike(self, i: int, j: int) -> Likeness | None:
        return Likeness(0.9, transform=self.transform, detail=self.detail)


Looked = Callable[..., tuple[Agreement | None, set[int | None]]]


@pytest.fixture
def looked() -> Looked:
    """What two pictures are to each other, and the sizes that they were read at for it."""

    def look(
        one: Pixels, other: Pixels, link: Linked | None = None, **options: Any
    ) -> tuple[Agreement | None, set[int | None]]:
        pictures, sides = (one, other), set()

        def read(number: int, side: int | None) -> Image | Unreadable:
            sides.add(side)
            return image(pictures[number])

        sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
        network = cast(Network, link or Linked())
        return Agreements(read, sizes, network, 1, **options).of(0, 1), sides

    return look


def replaced(part: float) -> Pixels:
    """The left of it shows something else."""
    made = ONE.copy()
    width = int(made.shape[1] * part)
    made[:, :width] = grainy(300, 420, 9)[:, :width]
    return made


def test_what_has_nothing_in_common_is_looked_at_once(looked: Looked) -> None:
    found, sides = looked(ONE, grainy(300, 420, 9))
    assert found is not None and found.relation == "different"
    assert sides == {GLANCE}


def test_what_may_be_of_one_shot_is_looked_at_closely(looked: Looked) -> None:
    found, sides = looked(ONE, replaced(0.3))
    assert found is not None and found.relation == "same-scene"
    assert sides == {GLANCE, LOOK}


def test_parts_and_edited_copies_are_plain_at_a_glance(looked: Looked) -> None:
    cut = Linked(transform=np.array([[1.0, 0, 63], [0, 1, 45], [0, 0, 1]]))
    found, sides = looked(cropped(ONE), ONE, cut)
    assert found is not None and found.relation == "part"
    assert sides == {GLANCE}
    found, sides = looked(cropped(ONE), ONE, cut, is_thorough=True)
    assert found is not None and found.relation == "part"
    assert sides == {LOOK}


@pytest.mark.parametrize(("detail", "side"), [(ALIKE, LOOK), (ALIKE - 0.01, GLANCE)])
def test_what_may_be_the_same_picture_is_looked_at_closely_at_once(
    detail: float, side: int, looked: Looked
) -> None:
    _, sides = looked(drawing(300, 420, 5), drawing(300, 420, 9), Linked(detail))
    assert sides == {side}
