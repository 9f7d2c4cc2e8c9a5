"""What is told of true copies, and of pictures that share nearly everything."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree import Agreement, agree, agreement
from objsearch.agree.laying import scaling
from objsearch.agree.model import EVIDENCE, Model, expanded, load_model
from objsearch.agree.places import FEATURES
from objsearch.types import Pixels
from tests.pictures import as_jpeg, drawing, grainy


def written(lines: list[str]) -> Pixels:
    """A form with entries."""
    sheet = Image.new("RGB", (500, 600), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    draw.text((30, 20), "Application for a place", (0, 0, 0), ImageFont.load_default(24))
    for row, line in enumerate(lines):
        top = 90 + 70 * row
        draw.text((30, top), f"{row + 1}. entry", (70, 70, 70), ImageFont.load_default(14))
        draw.rectangle((150, top - 6, 470, top + 30), outline=(120, 120, 120))
        draw.text((160, top), line, (0, 0, 0), ImageFont.load_default(20))
    return np.asarray(sheet)


def compared(one: Pixels, other: Pixels) -> Agreement:
    """Whole upon whole, a pixel and a half beside where it should be."""
    transform = scaling((one.shape[1], one.shape[0]), (other.shape[1], other.shape[0]))
    transform[:2, 2] += (1.5, -1.0)
    found = agree(one, other, transform)
    assert found is not None
    return found


def half(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda one: one,
    "jpeg 20": lambda one: as_jpeg(one, 20),
    "half": half,
    "blurred": lambda one: cv2.GaussianBlur(one, (0, 0), 1.4),
    "gray": lambda one: np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "brighter": lambda one: np.clip(one * 1.25, 0, 255).astype(np.uint8),
    "gamma": lambda one: (255 * (one / 255.0) ** 0.7).astype(np.uint8),
}


@pytest.mark.parametrize("edit", COPIES)
@pytest.mark.parametrize("what", ["scene", "form"])
def test_true_copies_are_the_same_picture(edit: str, what: str) -> None:
    one = (
        grainy(300, 420, 5)
        if what == "scene"
        else written(["Ada Byron", "12 Mill Lane", "40.50", "3 May"])
    )
    found = compared(one, COPIES[edit](one))
    assert found.relation == "same-picture"
    assert found.shown == pytest.approx((1, 1), abs=0.015)


def changed_entry(one: Pixels) -> Pixels:
    return written(["Ada Byron", "12 Mill Lane", "41.90", "3 May"])


def pasted(one: Pixels) -> Pixels:
    made = one.copy()
    made[120:160, 200:250] = grainy(300, 420, 9)[:40, :50]
    return made


def recoloured(one: Pixels) -> Pixels:
    made = one.copy()
    made[80:220, 120:300] = made[80:220, 120:300, ::-1]
    return made


@pytest.mark.parametrize(
    ("one", "edit", "where"),
    [
        (written(["Ada Byron", "12 Mill Lane", "40.50", "3 May"]), changed_entry, (160, 230)),
        (grainy(300, 420, 5), pasted, (225, 140)),
        (grainy(300, 420, 5), recoloured, (210, 150)),
    ],
)
@pytest.mark.parametrize("quality", [95, 40])
def test_what_differs_is_found_and_where(
    one: Pixels, edit: Callable[[Pixels], Pixels], where: tuple[int, int], quality: int
) -> None:
    found = compared(one, as_jpeg(edit(one), quality))
    assert found.relation == "edited"
    x, y = where
    reach = 60
    assert any(
        box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach
        for box in found.differs[0]
    )


def faintly_pasted(one: Pixels) -> Pixels:
    """A tenth of another picture shines through in one place."""
    made = one.astype(float)
    made[120:160, 200:250] += 0.1 * (grainy(300, 420, 9)[:40, :50] - made[120:160, 200:250])
    return made.astype(np.uint8)


def spotted(one: Pixels) -> Pixels:
    """Three by three pixels that are a little lighter."""
    made = one.astype(int)
    made[120:123, 200:203] += 40
    return np.clip(made, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("edit", [faintly_pasted, spotted])
def test_one_faint_place_makes_an_edited_copy(edit: Callable[[Pixels], Pixels]) -> None:
    one = grainy(300, 420, 5)
    found = compared(one, edit(one))
    assert found.relation == "edited" and found.same_shot > 0.95
    assert 0 < found.worst < 4


def test_a_doubtful_place_does_not() -> None:
    """Compression around letters comes near to what another letter would look like."""
    form = written(["Ada Byron", "12 Mill Lane", "40.50", "3 May"])
    found = compared(form, as_jpeg(form, 30))
    assert found.relation == "same-picture"
    assert found.worst > 0.3


@pytest.mark.parametrize("kind", [grainy, drawing])
def test_what_is_laid_over_a_picture_at_random_differs(
    kind: Callable[[int, int, int], Pixels],
) -> None:
    found = agree(kind(300, 420, 5), kind(300, 420, 9), np.eye(3))
    assert found is not None and found.relation == "different"


def test_logits_are_those_of_features_and_their_products() -> None:
    features = np.random.default_rng(3).normal(0, 2, (7, 9, len(FEATURES))).astype(np.float32)
    model = load_model()
    told = expanded(features) @ model.places[:-1] + model.places[-1]
    np.testing.assert_allclose(model.differing(features), told, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("by", "relation"), [(4, "same-picture"), (24, "edited"), (40, "edited")])
def test_another_colour_differs_however_alike_the_rest(
    by: int, relation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what was fitted sees no difference anywhere."""
    places = np.zeros(len(expanded(np.zeros((1, len(FEATURES)), np.float32))[0]) + 1)
    places[-1] = -5
    shot = np.zeros(len(EVIDENCE) + 1)
    shot[-1] = 5
    blind = Model(places.astype(np.float32), shot.astype(np.float32))
    monkeypatch.setattr(agreement, "load_model", lambda: blind)
    one = (grainy(300, 420, 5) * 0.4 + 70).astype(np.uint8)
    colours = cv2.cvtColor(one, cv2.COLOR_RGB2YCrCb)
    colours[100:160, 200:280, 1] += by
    found = compared(one, cv2.cvtColor(colours, cv2.COLOR_YCrCb2RGB))
    assert found.relation == relation
    if relation == "edited":
        assert found.differs[0]
        assert all(190 < x1 < x2 < 290 for x1, _, x2, _ in found.differs[0])
        assert all(90 < y1 < y2 < 170 for _, y1, _, y2 in found.differs[0])


def test_a_mirror_image_is_an_edited_copy() -> None:
    one = grainy(300, 420, 5)
    flip = np.array([[-1.0, 0, one.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
    found = agree(one, np.ascontiguousarray(one[:, ::-1]), flip)
    assert found is not None and found.mirrored and found.relation == "edited"
    assert not found.differs[0]


def test_a_cut_is_a_part_and_says_how_much() -> None:
    one = grainy(300, 420, 5)
    cut = np.ascontiguousarray(one[60:240, 80:320])
    found = agree(cut, one, np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]]))
    assert found is not None and found.relation == "part"
    assert found.shown[0] == pytest.approx(1, abs=0.01)
    assert found.shown[1] == pytest.approx(180 * 240 / (300 * 420), abs=0.01)


def test_cuts_that_each_show_more_are_no_copies() -> None:
    one = grainy(300, 420, 5)
    shift = np.array([[1.0, 0, -150], [0, 1, 0], [0, 0, 1]])
    found = agree(one[:, :270].copy(), one[:, 150:].copy(), shift)
    assert found is not None and found.relation == "same-scene"


def test_it_is_the_same_from_both_sides() -> None:
    one, other = grainy(300, 420, 5), pasted(grainy(300, 420, 5))
    there, back = compared(one, other), compared(other, one)
    assert there.relation == back.relation == "edited"
    assert there.worst == pytest.approx(back.worst, abs=1.0)


def test_blank_pictures_cannot_be_judged() -> None:
    blank = np.full((90, 120, 3), 250, np.uint8)
    assert compared(blank, blank).relation == "different"
