"""Which of several copies stands for the others, and which picture the others are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.agree import Agreement
from objsearch.agree.base import Relation as AgreedRelation
from objsearch.images.holdings import Holdings
from objsearch.images.transform import gray
from objsearch.settings import Settings
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.folders import File
from objsearch.tasks.duplicates.grouping import Grouper
from objsearch.tasks.duplicates.keeping import Candidate, Content
from objsearch.tasks.duplicates.lesser import lesser
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.network import Network
from objsearch.types import Pixels
from tests.pictures import grainy
from tests.tasks.duplicates.conftest import Planned, put, told

PHOTO = grainy(200, 280, 4)


def enlarged(by: float) -> Pixels:
    return cv2.resize(PHOTO, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC)


def turned(degrees: float) -> Pixels:
    made = PillowImage.fromarray(PHOTO).rotate(
        degrees, PillowImage.Resampling.BICUBIC, expand=True, fillcolor=(127, 127, 127)
    )
    return np.asarray(made)


def test_no_enlargement_stands_for_the_photo_that_it_was_made_of(
    planned: Planned, tmp_path: Path
) -> None:
    """Also where most is compared with an enlargement, of which there is a copy."""
    put(tmp_path / "photo.png", PHOTO)
    put(tmp_path / "large.jpg", enlarged(2))
    put(tmp_path / "larger.png", enlarged(2))
    [group] = planned(tmp_path).groups
    kept = group.members[0]
    assert Path(kept.path).name == "photo.png" and kept.action == "keep"
    # The larger has more pixels, which are nobody's to take; the other is a copy of it.
    assert told(planned(tmp_path), tmp_path) == [
        {"photo.png": "keep", "larger.png": "keep", "large.jpg": "remove"}
    ]
    (copy,) = (one for one in group.members if one.action == "remove")
    assert Path(copy.copy_of).name == "larger.png"


def test_of_two_enlargements_nobody_can_tell_which_shows_more(
    planned: Planned, tmp_path: Path
) -> None:
    for name, by in (("photo", 1.0), ("large", 1.5), ("larger", 2.0)):
        put(tmp_path / f"{name}.png", enlarged(by))
    assert told(planned(tmp_path), tmp_path) == [
        {"photo.png": "keep", "large.png": "keep", "larger.png": "keep"}
    ]


def test_what_stays_beside_the_kept_file_stands_for_its_own_copies(
    planned: Planned, tmp_path: Path
) -> None:
    """Nobody can tell which of two sizes was made from the other; a gray copy is of the smaller."""
    put(tmp_path / "photo.png", PHOTO)
    put(tmp_path / "soft.png", cv2.GaussianBlur(enlarged(1.4), (0, 0), 0.5))
    put(tmp_path / "compressed.jpg", PHOTO, quality=60)
    put(tmp_path / "gray.png", np.repeat(gray(PHOTO)[..., None], 3, axis=2))
    [group] = planned(tmp_path).groups
    actions = {Path(one.path).name: one.action for one in group.members}
    assert actions["photo.png"] != "remove" and actions["soft.png"] != "remove"
    of = {Path(one.path).name: Path(one.copy_of).name for one in group.members if one.copy_of}
    for name in ("compressed.jpg", "gray.png"):
        assert (actions[name], of[name]) == ("remove", "photo.png")
    assert len(group.members) == 4  # each is told once


def test_a_protected_file_heads_its_group_even_if_it_was_only_enlarged(
    planned: Planned, tmp_path: Path
) -> None:
    put(tmp_path / "photo.png", PHOTO)
    large = put(tmp_path / "large.png", enlarged(1.5))
    [group] = planned(tmp_path, references=[large]).groups
    assert [Path(one.path).name for one in group.members] == ["large.png", "photo.png"]


def test_no_turned_copy_stands_for_the_photo_that_it_was_made_of(
    planned: Planned, tmp_path: Path
) -> None:
    """Each shows the whole photo, at more pixels, with corners that are none of it."""
    put(tmp_path / "photo.jpg", PHOTO, quality=85)
    put(tmp_path / "left.jpg", turned(8), quality=98)
    put(tmp_path / "right.jpg", turned(-7), quality=98)
    assert told(planned(tmp_path), tmp_path) == [
        {"photo.jpg": "keep", "left.jpg": "review", "right.jpg": "review"}
    ]


class AskedError(Exception):
    """Enough was asked."""


class Asked:
    """Takes what is to be compared first, and goes no further."""

    def explore(self, pairs: Iterable[tuple[int, int]], *_: Any) -> None:
        raise AskedError([j for _, j in pairs])


def centre(links: dict[tuple[int, int], Likeness], settings: Settings) -> int:
    """The picture that linked pictures are compared with; later ones have more pixels."""

    def judged(task: Any) -> Likeness | None:
        return links.get(task.pair)

    network = Network(judged, lambda i, j: True)
    network.verify([sorted(links)])
    n_pictures = 1 + max(max(pair) for pair in links)
    candidates = [
        Candidate(File((f"{n}.png",), 9, 9, str(n), "PNG"), (100 + n, 100), n)
        for n in range(n_pictures)
    ]
    agreements = cast(Agreements, Asked())
    grouper = Grouper(
        candidates, settings.duplicates, network, agreements, lambda *_: True, cast(Any, None)
    )
    with pytest.raises(AskedError) as asked:
        grouper.clusters()
    [first] = set(asked.value.args[0])
    return int(first)


@pytest.mark.parametrize(
    ("likeness", "is_upright"),
    [
        (Likeness(0.9, degrees=0.0), True),
        (Likeness(0.9, degrees=2.5), True),
        (Likeness(0.9, degrees=88.0), True),
        (Likeness(0.9, degrees=178.0), True),
        (Likeness(0.9, degrees=4.0), False),
        (Likeness(0.9, degrees=95.0), False),
        (Likeness(0.9, degrees=45.0), False),
        (Likeness(0.9, degrees=0.0, mirrored=True), False),
    ],
    ids=str,
)
def test_the_centre_is_what_most_others_lie_upright_on(
    likeness: Likeness, is_upright: bool, settings: Settings
) -> None:
    """What is mirrored or turned by some degrees was made from the others, however large."""
    upright = Likeness(0.9)
    links = {(0, 1): upright, (0, 2): likeness, (1, 2): likeness}
    assert centre(links, settings) == (2 if is_upright else 1)


@dataclass
class Told:
    """All pictures are the same thing to each other."""

    relation: AgreedRelation

    def explore(self, *_: Any) -> None:
        pass

    def may_be_same(self, *_: Any) -> bool:
        return True

    def of(self, i: int, j: int) -> Agreement:
        return Agreement(
            self.relation, np.eye(3), ((), ()), (1.0, 1.0), 1.0,
            False, 0.0, (False, False), 0.1, 8.0, 0.2, 99,
        )  # fmt: skip


@pytest.mark.parametrize(("relation", "is_related"), [("same-scene", True), ("different", False)])
def test_only_what_shows_the_same_scene_is_related(
    relation: AgreedRelation, is_related: bool, settings: Settings
) -> None:
    network = Network(lambda task: Likeness(0.9), lambda i, j: True)
    network.verify([[(0, 1)]])
    grouper = Grouper(
        [Candidate(File((f"{n}.png",), 9, 9, str(n), "PNG"), (90, 60), n) for n in range(2)],
        settings.duplicates,
        network,
        cast(Agreements, Told(relation)),
        lambda *_: True,
        lambda one: Content(Holdings(one.file.sha256)),
    )
    assert grouper.clusters() == []
    assert {(one.path, one.other) for one in grouper.related} == (
        {("1.png", "0.png")} if is_related else set()
    )


@pytest.mark.parametrize(
    ("shown", "less"),
    [
        ((0.991, 0.993), set()),  # turned by a degree in its frame
        ((0.993, 0.991), set()),
        ((0.9, 0.8), {1}),
        ((0.8, 0.9), {0}),
    ],
)
def test_of_two_that_lack_as_much_of_each_other_neither_is_a_cut(
    shown: tuple[float, float], less: set[int]
) -> None:
    told_of = cast(Agreements, Told("part"))
    agreement = replace(told_of.of(0, 1) or pytest.fail(), shown=shown)
    assert lesser(told_of, 0, 1, agreement) == less
