"""What is found to be a copy, which is kept, and what is never touched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.settings import Settings
from objsearch.tasks.duplicates import decide, plan_duplicates, plan_json
from objsearch.types import Pixels
from tests.pictures import brightened, cropped, drawing, flat, grainy, rotated
from tests.tasks.duplicates.conftest import Planned, put, told


def overlaid(pixels: Pixels) -> Pixels:
    """A banner over the lower quarter."""
    changed = pixels.copy()
    changed[-len(changed) // 4 :] = (250, 220, 30)
    return changed


def resized(pixels: Pixels) -> Pixels:
    return pixels[::2, ::2]


def warmer(pixels: Pixels) -> Pixels:
    """Another white balance, as of a warm lamp; colours beside light leave it for review."""
    return np.clip(pixels * (1.0, 0.9, 0.75) + (12, 4, 0), 0, 255).astype(np.uint8)


EDITS: dict[str, Callable[[Pixels], Pixels]] = {
    "resized": resized,
    "brightened": brightened,
    "warmer": warmer,
    "cropped": cropped,
    "rotated": rotated,
    "quarter": np.rot90,
    "mirrored": lambda pixels: pixels[:, ::-1],
    "flipped": lambda pixels: pixels[::-1],
    "overlaid": overlaid,
}


def test_edited_copies_are_found_and_others_are_not(planned: Planned, tmp_path: Path) -> None:
    original = grainy(300, 400, seed=1)
    put(tmp_path / "a.png", original)
    for name, edit in EDITS.items():
        put(tmp_path / f"{name}.png", np.ascontiguousarray(edit(original)))
    put(tmp_path / "again.jpg", original, quality=70)
    for seed in range(2, 5):
        put(tmp_path / f"other{seed}.png", drawing(300, 400, seed))
    plan = planned(tmp_path, keep=["path"])
    # The mirror image is the upside-down one, turned by half: the two are the same.
    same = {
        "resized.png",
        "brightened.png",
        "quarter.png",
        "again.jpg",
        "mirrored.png",
    }
    expected = {f"{name}.png": "review" for name in EDITS} | dict.fromkeys(same, "remove")
    assert told(plan, tmp_path) == [{"a.png": "keep", **expected}]
    by_name = {Path(one.path).stem: one for one in plan.groups[0].members}
    assert {name for name, one in by_name.items() if one.relation == "part"} == {"cropped"}
    assert plan.groups[0].relation == "edited"
    assert by_name["overlaid"].differs and not by_name["brightened"].differs
    assert all(0.5 <= one.similarity_to_keep <= 1 for one in by_name.values())
    assert not any(one.identical_to_keep for one in plan.removed())
    assert "mirrored" in by_name["flipped"].reason
    assert Path(by_name["mirrored"].copy_of).name == "flipped.png"
    assert "turned by 90°" in by_name["quarter"].reason
    assert "at 50% of its scale" in by_name["resized"].reason
    assert "showing 49% of it" in by_name["cropped"].reason
    assert by_name["overlaid"].reason.endswith(": differing in 1 place")


def test_exact_copies_are_told_apart_from_near_ones(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(120, 160, seed=1)
    shutil.copy(put(tmp_path / "a.png", pixels), tmp_path / "b.png")
    put(tmp_path / "c.bmp", pixels)
    plan = planned(tmp_path, keep=["path"])
    (group,) = plan.groups
    assert group.relation == "identical-pixels"
    kept, same, pixels_alone = group.members
    assert (kept.action, same.action, pixels_alone.action) == ("keep", "remove", "remove")
    assert same.reason == f"same bytes as {kept.path}"
    assert pixels_alone.reason == f"same pixels as {kept.path}"
    assert same.identical_to_keep and pixels_alone.identical_to_keep
    assert same.similarity_to_keep == pixels_alone.similarity_to_keep == 1.0


def test_pictures_without_structure_are_grouped_only_when_identical(
    planned: Planned, tmp_path: Path
) -> None:
    put(tmp_path / "white.png", flat(90, 120, 255))
    put(tmp_path / "white_again.bmp", flat(90, 120, 255))
    put(tmp_path / "nearly.png", flat(90, 120, 254))
    put(tmp_path / "smaller.png", flat(60, 80, 255))
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"white.png": "keep", "white_again.bmp": "remove"}]


def test_no_chain_is_made(planned: Planned, tmp_path: Path) -> None:
    """Both cuts are parts of the whole; they share nothing, and neither stands for the other."""
    wide = grainy(240, 720, seed=3)
    put(tmp_path / "a_left.png", wide[:, :420])
    put(tmp_path / "b_right.png", wide[:, 300:])
    put(tmp_path / "b_right_again.jpg", wide[:, 300:], quality=80)
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"b_right.png": "keep", "b_right_again.jpg": "remove"}]
    put(tmp_path / "whole.png", wide)
    (group,) = planned(tmp_path, keep=["path"]).groups
    found = {Path(one.path).name: (one.action, Path(one.copy_of).name) for one in group.members}
    assert found == {
        "whole.png": ("keep", ""),
        "a_left.png": ("review", "whole.png"),
        "b_right.png": ("review", "whole.png"),
        "b_right_again.jpg": ("remove", "b_right.png"),
    }


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ([], "large.png"),
        (["fewest-bytes"], "coarse.jpg"),
        (["oldest"], "fine.jpg"),
        (["newest"], "coarse.jpg"),
        (["path"], "coarse.jpg"),
        (["shortest-path"], "fine.jpg"),
    ],
)
def test_the_rules_choose_among_those_that_show_the_most(
    rules: list[str], kept: str, planned: Planned, tmp_path: Path
) -> None:
    pixels = grainy(200, 300, seed=1)
    put(tmp_path / "large.png", pixels, seconds=2_000_000)
    put(tmp_path / "fine.jpg", pixels, seconds=1_000_000, quality=90)
    put(tmp_path / "coarse.jpg", pixels, seconds=3_000_000, quality=70)
    put(tmp_path / "a.jpg", pixels[::2, ::2], seconds=500_000, quality=40)
    plan = planned(tmp_path, keep=rules)
    (group,) = told(plan, tmp_path)
    assert [name for name, action in group.items() if action == "keep"] == [kept]
    assert next(iter(group)) == kept


def test_equal_pixels_are_decided_by_bytes_then_format_then_age_then_path(
    planned: Planned, tmp_path: Path
) -> None:
    first = put(tmp_path / "z.png", drawing(30, 40), seconds=1_000_000)
    shutil.copy(first, tmp_path / "a.png")
    os.utime(tmp_path / "a.png", (2_000_000, 2_000_000))
    assert told(planned(tmp_path), tmp_path) == [{"z.png": "keep", "a.png": "remove"}]
    os.utime(tmp_path / "a.png", (1_000_000, 1_000_000))
    assert told(planned(tmp_path), tmp_path) == [{"a.png": "keep", "z.png": "remove"}]
    plan = planned(tmp_path)
    assert plan.groups[0].members[0].reason == "kept: first path"
    put(tmp_path / "larger.bmp", drawing(30, 40))
    assert told(planned(tmp_path), tmp_path)[0]["larger.bmp"] == "keep"


def test_a_drawing_saved_without_loss_stays_though_its_jpeg_is_larger(
    planned: Planned, tmp_path: Path
) -> None:
    page = np.full((400, 500, 3), 248, np.uint8)
    for x, y in np.random.default_rng(1).integers((10, 10), (440, 360), (40, 2)):
        page[y : y + 30, x : x + 40] = 20 + (x * y) % 160
    drawn = put(tmp_path / "drawn.png", page, seconds=2_000_000)
    sent = put(tmp_path / "sent.jpg", page, quality=90)
    assert sent.stat().st_size > drawn.stat().st_size
    plan = planned(tmp_path)
    assert told(plan, tmp_path) == [{"drawn.png": "keep", "sent.jpg": "remove"}]
    assert plan.groups[0].members[0].reason == "kept: saved without loss"


def test_several_may_be_kept(planned: Planned, photo: Path) -> None:
    for name in ("b.png", "c.png", "d.png"):
        shutil.copy2(photo, photo.with_name(name))
    plan = planned(photo.parent, n_kept=2, keep=["path"])
    assert told(plan, photo.parent) == [
        {"b.png": "keep", "c.png": "keep", "d.png": "remove", "photo.png": "remove"}
    ]


def test_nothing_in_a_reference_folder_is_removed(planned: Planned, photo: Path) -> None:
    best = photo.parent / "best"
    small = put(best / "small.png", drawing(200, 300, seed=1)[::2, ::2])
    shutil.copy(small, best / "small_again.png")
    plan = planned(photo.parent, references=[best])
    # The protected copies show it at half its scale: the photo itself stays, too.
    assert told(plan, photo.parent) == [
        {"best/small.png": "keep", "best/small_again.png": "keep", "photo.png": "keep"}
    ]
    lacks = {Path(one.path).name: one.lacks for one in plan.groups[0].members}
    assert lacks["photo.png"] == ("scale: it shows it at 50%",)
    again = put(photo.parent / "again.jpg", drawing(200, 300, seed=1)[::2, ::2], quality=80)
    plan = planned(photo.parent, references=[best])
    assert [one.path for one in plan.removed()] == [str(again)]
    assert plan.protected == (os.path.realpath(best),)


def test_against_looks_only_across_the_two_sides(planned: Planned, tmp_path: Path) -> None:
    pixels = [drawing(200, 300, seed) for seed in range(1, 4)]
    put(tmp_path / "train" / "leaked.png", pixels[0])
    put(tmp_path / "train" / "twin.png", pixels[1])
    put(tmp_path / "train" / "twin_again.png", pixels[1])
    put(tmp_path / "test" / "leaked.jpg", pixels[0], quality=60)
    put(tmp_path / "test" / "own.png", pixels[2])
    put(tmp_path / "test" / "own_again.png", pixels[2])
    plan = planned(tmp_path / "train", against=[tmp_path / "test"])
    assert told(plan, tmp_path) == [{"test/leaked.jpg": "keep", "train/leaked.png": "remove"}]


def test_hard_links_are_one_file(planned: Planned, photo: Path) -> None:
    folder = photo.parent
    os.link(photo, folder / "same_file.png")
    assert planned(folder).groups == ()
    shutil.copy(photo, folder / "z_copy.png")
    os.link(folder / "z_copy.png", folder / "z_other_name.png")
    plan = planned(folder, keep=["path"])
    assert told(plan, folder) == [
        {
            "photo.png": "keep",
            "same_file.png": "keep",
            "z_copy.png": "remove",
            "z_other_name.png": "remove",
        }
    ]
    assert plan.removed_bytes == photo.stat().st_size


def test_a_symbolic_link_is_no_copy_and_what_it_leads_to_stays(
    planned: Planned, photo: Path, tmp_path: Path
) -> None:
    folder = photo.parent
    (folder / "a_link.png").symlink_to(photo)
    (folder / "broken.png").symlink_to("nowhere.png")
    plan = planned(folder)
    assert plan.groups == ()
    assert [Path(one.path).name for one in plan.skipped] == ["nowhere.png"]
    shutil.copy(photo, folder / "a_better_path.png")
    (group,) = told(planned(folder, keep=["path"]), folder)
    assert group == {"photo.png": "keep", "a_better_path.png": "remove"}
    elsewhere = put(tmp_path / "elsewhere" / "far.png", drawing(200, 300, seed=1))
    (folder / "door").symlink_to(elsewhere.parent)
    plan = planned(folder, keep=["path"])
    assert elsewhere.as_posix() not in {one.path for one in plan.removed()}
    assert any("outside of the folders named" in one.reason for one in plan.groups[0].members)


def test_files_of_several_pictures_are_compared_as_a_whole(
    planned: Planned, tmp_path: Path
) -> None:
    from PIL import Image

    frames = [Image.fromarray(drawing(60, 80, seed)) for seed in (1, 2, 3)]
    for name, rest in (("a.tiff", frames[1:2]), ("b.tiff", frames[2:3])):
        frames[0].save(tmp_path / name, save_all=True, append_images=rest)
    frames[0].save(tmp_path / "c.gif", save_all=True, append_images=frames[1:2])
    frames[0].save(tmp_path / "d.gif", save_all=True, append_images=frames[2:3])
    shutil.copy(tmp_path / "d.gif", tmp_path / "e.gif")
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"d.gif": "keep", "e.gif": "remove"}]
    assert any("compared as a whole" in warning for warning in plan.warnings)
    # Other bytes, the same pages.
    frames[0].save(
        tmp_path / "f.tiff", save_all=True, append_images=frames[2:3], compression="tiff_lzw"
    )
    (first, *_) = told(planned(tmp_path, keep=["path"]), tmp_path)
    assert first == {"b.tiff": "keep", "f.tiff": "remove"}


def test_what_was_said_to_be_no_duplicate_stays_so_through_renames(
    planned: Planned, photo: Path, settings: Settings, tmp_path: Path
) -> None:
    other = put(photo.parent / "small.png", drawing(200, 300, seed=1)[::2, ::2])
    assert len(planned(photo.parent).groups) == 1
    assert decide([str(photo), str(other)], settings) == 1
    photo.rename(photo.parent / "renamed.png")
    moved = tmp_path / "photos" / "deep" / "er.png"
    moved.parent.mkdir()
    other.rename(moved)
    plan = planned(photo.parent)
    assert plan.groups == () and plan.ignored == 1
    # Other bytes of the same pixels, as new metadata makes them, are still the same picture.
    put(moved, drawing(200, 300, seed=1)[::2, ::2], compress_level=1)
    assert planned(photo.parent).groups == ()
    decide([str(photo.parent / "renamed.png"), str(moved)], settings, apart=False)
    assert len(planned(photo.parent).groups) == 1


def test_files_of_the_same_bytes_cannot_be_told_apart(photo: Path, settings: Settings) -> None:
    shutil.copy(photo, photo.with_name("copy.png"))
    with pytest.raises(UsageError, match="the same bytes"):
        decide([str(photo), str(photo.with_name("copy.png"))], settings)


def test_everything_is_accounted_for(planned: Planned, photo: Path) -> None:
    folder = photo.parent
    (folder / "broken.jpg").write_bytes(photo.read_bytes()[:100])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.txt").write_text("words")
    os.mkfifo(folder / "pipe.png")
    plan = planned(folder)
    assert {Path(one.path).name for one in plan.skipped} == {
        *("broken.jpg", "empty.png", "pipe.png", "text.txt")
    }
    assert all(one.reason for one in plan.skipped)
    assert plan.scanned == plan.compared + len(plan.skipped) == 5


def test_the_plan_is_the_same_on_every_run_and_for_every_number_of_workers(
    light: dict[str, Any], tmp_path: Path
) -> None:
    from objsearch.settings import load_settings

    for seed in range(4):
        pixels = drawing(120, 160, seed)
        put(tmp_path / f"{seed}.png", pixels)
        put(tmp_path / f"{seed}_small.jpg", pixels[::2, ::2], quality=80)
    plans = [
        plan_json(plan_duplicates(str(tmp_path), load_settings(light, {"run.workers": n})))
        for n in (1, 3)
    ]
    assert json.dumps(plans[0]["groups"]) == json.dumps(plans[1]["groups"])
    assert plans[0]["id"] == plans[1]["id"]


def test_a_name_that_is_not_text_is_planned_written_and_read(
    planned: Planned, photo: Path, tmp_path: Path
) -> None:
    from objsearch.tasks.removal import read_plan, write_plan

    odd = os.fsdecode(os.fsencode(photo.parent) + b"/od\xe9.png")
    shutil.copy(photo, odd)
    plan = planned(photo.parent, keep=["shortest-path"])
    assert {one.path for one in plan.groups[0].members} == {odd, str(photo)}
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


@pytest.mark.parametrize("source", ["https://example.org/a.jpg", "nothing/here"])
def test_only_files_are_looked_at(source: str, planned: Planned) -> None:
    with pytest.raises(UsageError, match=r"URL|no such"):
        plan_duplicates(source)
