"""Of copies of one size, the one that lost least is kept: bytes and quality numbers do not tell."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from objsearch.types import Pixels
from tests.pictures import as_jpeg, drawing, grainy
from tests.tasks.duplicates.conftest import Planned, put, told


@pytest.fixture(scope="module")
def photo() -> Pixels:
    return grainy(240, 320, seed=5)


def test_what_was_compressed_hard_is_not_kept_for_its_bytes(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    best = put(tmp_path / "best.jpg", photo, quality=88)
    sent = as_jpeg(np.asarray(Image.open(best)), 55)
    put(tmp_path / "a_sent.png", sent)
    put(tmp_path / "b_sent.jpg", sent, quality=99)
    padded = put(tmp_path / "c_padded.jpg", sent, quality=55)
    padded.write_bytes(padded.read_bytes() + bytes(2 * best.stat().st_size))
    plan = planned(tmp_path)
    gone = ("a_sent.png", "b_sent.jpg", "c_padded.jpg")
    (group,) = told(plan, tmp_path)
    assert group == {"best.jpg": "keep", **dict.fromkeys(gone, "remove")}
    assert plan.groups[0].members[0].reason == "kept: the others were made of it"
    (group,) = told(planned(tmp_path, keep=["bytes"]), tmp_path)
    assert next(iter(group)) != "best.jpg", "what a person ranks first comes first"


def test_a_higher_quality_number_makes_no_better_picture(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    best = put(tmp_path / "z_best.jpg", photo, quality=80)
    again = put(tmp_path / "a_again.jpg", np.asarray(Image.open(best)), quality=98)
    assert again.stat().st_size > best.stat().st_size
    assert told(planned(tmp_path), tmp_path) == [{"z_best.jpg": "keep", "a_again.jpg": "remove"}]
    dated = Image.Exif()
    dated.get_ifd(0x8769)[0x9003] = "2019:07:15 10:00:00"
    put(again, np.asarray(Image.open(best)), quality=98, exif=dated)
    # Nobody sees what was lost, and the date cannot be seen at all.
    assert told(planned(tmp_path), tmp_path) == [{"a_again.jpg": "keep", "z_best.jpg": "remove"}]


def test_where_the_poorer_alone_tells_the_date_both_stay(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    best = put(tmp_path / "best.jpg", photo, quality=90)
    dated = Image.Exif()
    dated.get_ifd(0x8769)[0x9003] = "2019:07:15 10:00:00"
    put(tmp_path / "dated.jpg", np.asarray(Image.open(best)), quality=45, exif=dated)
    assert told(planned(tmp_path), tmp_path) == [{"best.jpg": "keep", "dated.jpg": "keep"}]


def test_what_was_sent_on_and_on_leads_back_to_the_first(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    pixels = np.asarray(Image.open(put(tmp_path / "z.jpg", photo, quality=92)))
    for number, quality in enumerate((80, 30)):
        pixels = as_jpeg(pixels, quality)
        put(tmp_path / f"{number}.jpg", pixels, quality=98)
    (group,) = told(planned(tmp_path), tmp_path)
    assert group == {"z.jpg": "keep", "0.jpg": "remove", "1.jpg": "remove"}


def test_a_drawing_of_few_colours_is_kept_before_its_jpeg(planned: Planned, tmp_path: Path) -> None:
    drawn = Image.fromarray(drawing(240, 320, seed=4)).quantize(64, dither=Image.Dither.NONE)
    drawn.save(tmp_path / "drawn.png")
    drawn.convert("RGB").save(tmp_path / "sent.jpg", quality=92)
    assert told(planned(tmp_path), tmp_path) == [{"drawn.png": "keep", "sent.jpg": "remove"}]


def test_a_photo_of_all_colours_heads_the_one_of_a_palette(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    best = put(tmp_path / "best.jpg", photo, quality=75)
    few = Image.open(best).quantize(64, dither=Image.Dither.FLOYDSTEINBERG)
    few.save(tmp_path / "few.png", compress_level=0)
    (group,) = told(planned(tmp_path), tmp_path)
    assert next(iter(group.items())) == ("best.jpg", "keep")


def test_whether_detail_was_made_up_or_smoothed_away_a_person_has_to_say(
    photo: Pixels, planned: Planned, tmp_path: Path
) -> None:
    put(tmp_path / "sharp.jpg", photo, quality=92)
    smooth = cv2.GaussianBlur(photo, (0, 0), 0.6)
    put(tmp_path / "smooth.png", np.asarray(smooth, np.uint8))
    plan = planned(tmp_path)
    assert told(plan, tmp_path) == [{"smooth.png": "keep", "sharp.jpg": "review"}]
    assert "smoothed or sharpened cannot be told" in plan.groups[0].members[1].reason


def test_shots_that_share_no_grain_are_reviewed_and_their_copies_go(
    planned: Planned, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    view = cv2.GaussianBlur(grainy(480, 640, seed=4), (0, 0), 1.5) * 0.8 + 20
    for name in ("first", "second"):
        shot = np.clip(view + random.normal(0, 2, (480, 640, 1)), 0, 255).astype(np.uint8)
        put(tmp_path / f"{name}.png", shot)
        put(tmp_path / f"{name}_sent.jpg", shot, quality=85)
    plan = planned(tmp_path)
    (group,) = told(plan, tmp_path)
    assert sorted(group.values()) == ["keep", "remove", "remove", "review"]
    gone = {name for name, action in group.items() if action == "remove"}
    assert gone == {"first_sent.jpg", "second_sent.jpg"}
    reviewed = next(one for one in plan.groups[0].members if one.action == "review")
    assert "each seems to be a shot of its own" in reviewed.reason
