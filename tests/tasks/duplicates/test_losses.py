"""Nothing goes that shows or tells what the kept file lacks; and which file is kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from objsearch.types import Pixels
from tests.pictures import drawing
from tests.tasks.duplicates.conftest import Planned, put, told


def saved(path: Path, pixels: Pixels, **how: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)
    return path


def test_what_alone_tells_date_and_camera_stays(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=4)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    exif.get_ifd(0x8769)[0x9003] = "2019:07:15 10:00:00"
    saved(tmp_path / "z_camera.jpg", pixels, quality=90, exif=exif)
    saved(tmp_path / "a_export.png", pixels)
    saved(tmp_path / "b_again.jpg", pixels, quality=90)
    (group,) = told(planned(tmp_path), tmp_path)
    assert group == {"z_camera.jpg": "keep", "a_export.png": "remove", "b_again.jpg": "remove"}


def test_a_larger_copy_without_a_date_stays_beside_the_one_that_has_it(
    planned: Planned, tmp_path: Path
) -> None:
    pixels = drawing(240, 320, seed=4)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:07:15 10:00:00"
    saved(tmp_path / "large.png", pixels)
    saved(tmp_path / "small.jpg", pixels[::2, ::2], quality=90, exif=exif)
    plan = planned(tmp_path)
    assert told(plan, tmp_path) == [{"large.png": "keep", "small.jpg": "keep"}]
    assert plan.groups[0].members[1].lacks == ("date",)
    assert "which lacks date" in plan.groups[0].members[1].reason


def test_colour_is_kept_before_gray_whatever_the_rules(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=6)
    saved(tmp_path / "a_gray.png", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    saved(tmp_path / "z_colour.jpg", pixels, quality=85)
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"z_colour.jpg": "keep", "a_gray.png": "remove"}]
    assert plan.groups[0].members[0].reason == "kept: it has colour"


def test_sixteen_bits_are_no_copy_of_eight(planned: Planned, tmp_path: Path) -> None:
    gray = cv2.cvtColor(drawing(240, 320, seed=6), cv2.COLOR_RGB2GRAY)
    saved(tmp_path / "a_eight.png", gray)
    saved(tmp_path / "z_sixteen.png", gray.astype(np.uint16) * 257 + 3)
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"z_sixteen.png": "keep", "a_eight.png": "remove"}]


def test_what_is_made_for_a_press_stays_beside_what_is_made_for_a_screen(
    planned: Planned, tmp_path: Path
) -> None:
    pixels = drawing(240, 320, seed=6)
    saved(tmp_path / "screen.jpg", pixels, quality=80)
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "a_press.jpg", quality=98)
    plan = planned(tmp_path)
    assert told(plan, tmp_path) == [{"screen.jpg": "keep", "a_press.jpg": "keep"}]
    assert plan.groups[0].members[1].lacks == ("the colours of its inks",)


def test_sidecars_stay_with_their_picture(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=6)
    saved(tmp_path / "a.png", pixels)
    saved(tmp_path / "b.jpg", pixels, quality=85)
    (tmp_path / "b.xmp").write_text("<x/>")
    saved(tmp_path / "c.jpg", pixels, quality=80)
    (tmp_path / "C.MOV").write_bytes(b"film")
    plan = planned(tmp_path)
    actions = told(plan, tmp_path)[0]
    assert actions["b.jpg"] == actions["c.jpg"] == "keep"


def test_the_photo_is_kept_before_its_frame_and_its_cut(planned: Planned, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noise = cv2.GaussianBlur(rng.normal(0, 50, (300, 400, 3)).astype(np.float32), (0, 0), 2) * 3
    photo = np.clip(drawing(300, 400, seed=8) * 0.7 + 40 + noise, 0, 255).astype(np.uint8)
    framed = np.full((380, 480, 3), 20, np.uint8)
    framed[40:340, 40:440] = photo
    put(tmp_path / "a_framed.png", framed)
    put(tmp_path / "b_cut.png", photo[40:260, 50:350])
    put(tmp_path / "z_photo.png", photo)
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [
        {"z_photo.png": "keep", "a_framed.png": "review", "b_cut.png": "review"}
    ]


def test_parts_go_where_that_is_asked_for_and_the_kept_shows_all(
    planned: Planned, tmp_path: Path
) -> None:
    photo = drawing(300, 400, seed=8)
    put(tmp_path / "photo.png", photo)
    put(tmp_path / "cut.png", photo[40:260, 50:350])
    assert told(planned(tmp_path, remove=["part"]), tmp_path) == [
        {"photo.png": "keep", "cut.png": "remove"}
    ]
    plan = planned(tmp_path, remove=["part"], references=[tmp_path / "cut.png"])
    assert not list(plan.removed())


def test_other_moments_are_told_apart_where_asked_for(planned: Planned, tmp_path: Path) -> None:
    wide = drawing(240, 720, seed=3)
    put(tmp_path / "left.png", wide[:, :420])
    put(tmp_path / "right.png", wide[:, 150:570])
    assert planned(tmp_path).related == ()
    plan = planned(tmp_path, related=True)
    assert plan.groups == ()
    assert {Path(one.path).name for one in plan.related} <= {"left.png", "right.png"}
    assert len(plan.related) == 1


def test_what_more_pictures_show_upright_is_kept(planned: Planned, tmp_path: Path) -> None:
    photo = drawing(300, 420, seed=4)
    put(tmp_path / "photo.jpg", photo, quality=80)
    put(tmp_path / "cut.jpg", np.ascontiguousarray(photo[30:260, 40:380]), quality=80)
    # More bytes at the same size, and more pixels: neither stands for the photo.
    put(tmp_path / "mirrored.jpg", np.ascontiguousarray(photo[:, ::-1]), quality=98)
    turned = Image.fromarray(photo).rotate(
        25, Image.Resampling.BICUBIC, expand=True, fillcolor=(127, 127, 127)
    )
    put(tmp_path / "turned.jpg", np.asarray(turned), quality=85)
    [group] = told(planned(tmp_path), tmp_path)
    assert group["photo.jpg"] == "keep"
    assert set(group.values()) == {"keep", "review"} and len(group) == 4


def taken(when: str) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = when
    return exif


def test_two_dates_of_one_picture_are_reviewed(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=4)
    saved(tmp_path / "a.jpg", pixels, quality=95, exif=taken("2020:05:04 10:11:12"))
    saved(tmp_path / "b.jpg", pixels, quality=80, exif=taken("2021:05:04 10:11:12"))
    saved(tmp_path / "c.jpg", pixels, quality=80, exif=taken("2020:05:04 10:11:12"))
    saved(tmp_path / "d.jpg", pixels, quality=80)
    plan = planned(tmp_path)
    actions = {"a.jpg": "keep", "b.jpg": "review", "c.jpg": "remove", "d.jpg": "remove"}
    assert told(plan, tmp_path) == [actions]
    lacks = {Path(one.path).name: one.lacks for one in plan.groups[0].members}
    assert lacks["b.jpg"] == ("another date",)


def test_shots_of_one_second_and_of_a_bracket_are_reviewed(
    planned: Planned, tmp_path: Path
) -> None:
    def shot(part: str, seconds: float) -> Image.Exif:
        exif = taken("2020:05:04 10:11:12")
        exif.get_ifd(0x8769).update({0x9291: part, 0x829A: seconds})
        return exif

    pixels = drawing(240, 320, seed=4)
    saved(tmp_path / "a.jpg", pixels, quality=95, exif=shot("10", 0.01))
    saved(tmp_path / "next.jpg", pixels, quality=90, exif=shot("20", 0.01))
    saved(tmp_path / "longer.jpg", pixels, quality=85, exif=shot("10", 0.04))
    saved(tmp_path / "sent.jpg", pixels, quality=80, exif=taken("2020:05:04 10:11:12"))
    plan = planned(tmp_path)
    (group,) = told(plan, tmp_path)
    assert group["next.jpg"] == group["longer.jpg"] == "review"
    assert group["sent.jpg"] == "remove"
    lacks = {Path(one.path).name: one.lacks for one in plan.groups[0].members}
    assert lacks["next.jpg"] == ("another date",)
    assert lacks["longer.jpg"] == ("another exposure",)


def test_the_same_pixels_of_two_dates_are_reviewed_and_the_same_bytes_go(
    planned: Planned, tmp_path: Path
) -> None:
    pixels = drawing(240, 320, seed=4)
    saved(tmp_path / "a.jpg", pixels, quality=90, exif=taken("2020:05:04 10:11:12"))
    saved(tmp_path / "b.jpg", pixels, quality=90, exif=taken("1999:05:04 10:11:12"))
    (tmp_path / "c.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    actions = {"a.jpg": "keep", "b.jpg": "review", "c.jpg": "remove"}
    assert told(planned(tmp_path, keep=["path"]), tmp_path) == [actions]


def test_words_that_one_file_alone_carries_stay(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=4)
    saved(tmp_path / "a.jpg", pixels, quality=95)
    saved(tmp_path / "z.jpg", pixels, quality=80, comment="written by hand: negative no. 12")
    assert told(planned(tmp_path), tmp_path) == [{"z.jpg": "keep", "a.jpg": "remove"}]
    saved(tmp_path / "a.jpg", pixels, quality=95, exif=taken("2020:05:04 10:11:12"))
    plan = planned(tmp_path)
    assert told(plan, tmp_path) == [{"a.jpg": "keep", "z.jpg": "keep"}]
    assert plan.groups[0].members[1].lacks == ("comment",)


def test_a_record_of_takeout_belongs_to_its_picture(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(240, 320, seed=6)
    for number, name in enumerate(("a.png", "b.jpg", "c.jpg", "d(1).jpg", f"{'e' * 50}.jpg")):
        saved(tmp_path / name, pixels, **({} if number == 0 else {"quality": 90 - number}))
    (tmp_path / "b.jpg.json").write_text("{}")
    (tmp_path / "C.jpg.supplemental-meta.json").write_text("{}")
    (tmp_path / "d.jpg(1).json").write_text("{}")
    (tmp_path / f"{'e' * 46}.json").write_text("{}")
    (tmp_path / "a.png.rules.json").write_text("{}")
    plan = planned(tmp_path)
    (group,) = told(plan, tmp_path)
    assert {name for name, action in group.items() if action == "keep"} == set(group) - {"a.png"}
    assert [Path(one.path).name for one in plan.skipped] == ["a.png.rules.json"]


def test_nothing_is_said_against_what_belongs_to_a_picture(
    planned: Planned, tmp_path: Path
) -> None:
    pixels = drawing(240, 320, seed=6)
    saved(tmp_path / "IMG_7.jpg", pixels)
    for name in ("IMG_7.AAE", "IMG_7.jpg.xmp", "IMG_7.jpg.json", "IMG_7.MOV", "alone.xmp"):
        (tmp_path / name).write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0" if "MOV" in name else b"<x/>")
    plan = planned(tmp_path)
    assert [Path(one.path).name for one in plan.skipped] == ["alone.xmp"]
    assert not any("compared as a whole" in one for one in plan.warnings)


def test_the_same_frames_at_another_speed_are_reviewed(planned: Planned, tmp_path: Path) -> None:
    frames = [Image.fromarray(drawing(60, 80, seed=seed)) for seed in (1, 2, 3)]
    for name, duration in (("a.webp", 100), ("b.webp", 500), ("c.webp", 100)):
        more = {"save_all": True, "append_images": frames[1:], "lossless": True}
        frames[0].save(tmp_path / name, duration=duration, **more)
    (tmp_path / "c.webp").write_bytes((tmp_path / "c.webp").read_bytes() + b"\0")
    plan = planned(tmp_path, keep=["path"])
    (group,) = told(plan, tmp_path)
    assert group == {"a.webp": "keep", "b.webp": "review", "c.webp": "remove"}
    reviewed = plan.groups[0].members[-1]
    assert (reviewed.relation, reviewed.lacks) == ("edited", ("another speed",))


def test_a_blank_picture_is_no_copy_of_one_that_shows_nothing(
    planned: Planned, tmp_path: Path
) -> None:
    saved(tmp_path / "blank.png", np.full((200, 400, 3), 255, np.uint8))
    saved(tmp_path / "clear.png", np.zeros((200, 400, 4), np.uint8))
    assert planned(tmp_path).groups == ()


def test_what_is_called_raw_never_goes_for_what_is_not(planned: Planned, tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg", drawing(240, 320, seed=6), quality=90)
    data = (tmp_path / "a.jpg").read_bytes()
    for name in ("b.NEF", "c.CR3", "d.jpg"):
        (tmp_path / name).write_bytes(data)
    plan = planned(tmp_path, keep=["path"])
    # Of two that are called raw one goes for the other.
    actions = {"a.jpg": "keep", "b.NEF": "keep", "c.CR3": "remove", "d.jpg": "remove"}
    assert told(plan, tmp_path) == [actions]
    reasons = {Path(one.path).name: one.reason for one in plan.groups[0].members}
    assert "called camera raw" in reasons["b.NEF"] and "b.NEF" in reasons["c.CR3"]
