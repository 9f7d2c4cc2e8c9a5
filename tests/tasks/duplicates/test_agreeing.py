"""How closely pairs are looked at: what is plain at a glance is left at that."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import ROUGHLY, SIDE
from objsearch.tasks.duplicates import agreeing
from objsearch.tasks.duplicates.agreeing import ALIKE, Agreements
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.network import Network
from objsearch.types import Image, Pixels, Unreadable
from tests.pictures import cropped, drawing, encoded, grainy, image

GLANCE, LOOK = ROUGHLY, SIDE
ONE = grainy(300, 420, 5)


@dataclass
class Linked:
    """Two pictures, linked by where the first lies on the second."""

    detail: float = 0.5
    transform: Any = field(default_factory=lambda: np.eye(3))

    def alike(self, i: int, j: int) -> Likeness | None:
        return Likeness(0.9, transform=self.transform, detail=self.detail)


Looked = Callable[..., tuple[Agreement | None, set[int]]]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    """What two pictures are to each other, and the grids that they were compared on for it."""
    sides: set[int] = set()

    def noted(first: Pixels, second: Pixels, transform: Any, side: int) -> Agreement | None:
        sides.add(side)
        return agree(first, second, transform, side)

    def look(
        one: Pixels, other: Pixels, link: Linked | None = None, **options: Any
    ) -> tuple[Agreement | None, set[int]]:
        pictures = (one, other)
        sides.clear()
        monkeypatch.setattr(agreeing, "agree", noted)

        def read(number: int, side: int | None) -> Image | Unreadable:
            return image(pictures[number])

        sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
        network = cast(Network, link or Linked())
        return Agreements(read, sizes, network, 1, **options).of(0, 1), set(sides)

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


@pytest.mark.parametrize("other", [grainy(300, 420, 9), ONE])
def test_only_a_copy_leads_to_what_it_is_a_copy_of(other: Pixels) -> None:
    pictures = (ONE, ONE, other)

    def read(number: int, side: int | None) -> Image | Unreadable:
        return image(pictures[number])

    agreements = Agreements(read, [(420, 300)] * 3, cast(Network, Linked()), 1)
    assert not agreements.lead(0, 1, 2)  # nobody has compared the second with the third
    agreements.explore([(1, 2)])
    assert agreements.lead(0, 1, 2) == (other is ONE)
    unlinked = Agreements(read, [(420, 300)] * 3, cast(Network, Linked(transform=None)), 1)
    assert not unlinked.lead(0, 1, 2)


def chat(changed: int | None) -> Pixels:
    """A long screenshot of lines of digits, one of which may be another."""
    r = random.Random(3)
    sheet = PillowImage.new("L", (360, 5400), 235)
    draw = ImageDraw.Draw(sheet)
    for number, top in enumerate(range(10, 5380, 22)):
        digits = "".join(r.choices("0123456789", k=r.randint(8, 30)))
        shown = digits[::-1] if number == changed else digits
        draw.text((12, top), shown, 20, ImageFont.load_default(15))
    return np.repeat(np.asarray(sheet)[..., None], 3, axis=2)


def test_a_line_of_a_long_screenshot_is_not_lost_on_the_grid(looked: Looked) -> None:
    one = chat(None)
    copy = np.asarray(PillowImage.open(io.BytesIO(encoded(one, "JPEG", quality=75))))
    link = Linked(detail=ALIKE)
    kept, _ = looked(one, copy, link)
    assert kept is not None and kept.relation == "same-picture"
    for changed in (40, 150):
        other, _ = looked(one, chat(changed), link)
        assert other is not None and other.relation == "edited"


@pytest.mark.parametrize(("long_side", "n_read"), [(400, 2), (4000, 6)])
def test_a_picture_is_read_once_for_all_that_would_see_the_same_of_it(
    long_side: int, n_read: int
) -> None:
    picture = grainy(long_side * 3 // 4, long_side, 5)
    asked: list[tuple[int, int | None]] = []

    def read(number: int, side: int | None) -> Image | Unreadable:
        asked.append((number, side))
        return image(picture)

    sizes = [(picture.shape[1], picture.shape[0])] * 2
    agreements = Agreements(read, sizes, cast(Network, Linked()), 1)
    assert agreements.of(0, 1) is not None and agreements.of(1, 0) is not None
    assert agreements.worn(0, 1) is None  # at up to 1600 pixels
    assert agreements.larger_shows(0, 1, np.diag([1.0, 1.0, 1.0])) == "more"  # as they are
    assert len(asked) == n_read
