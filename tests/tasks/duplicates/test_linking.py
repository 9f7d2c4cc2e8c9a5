"""What is described for finding copies, how often, and in which pixels."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.flow import silent
from objsearch.settings import Settings
from objsearch.tasks.duplicates import plan_duplicates
from objsearch.tasks.duplicates.describing import Described, Views
from objsearch.tasks.duplicates.folders import File, Sides, find_files
from tests.pictures import cropped, drawing, grainy
from tests.tasks.duplicates.conftest import Planned, put, told

Calls = list[tuple[str, bool]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every file that is described, by name, and whether it was mirrored."""
    made: Calls = []
    upright, mirrored = Views.describe, Views.describe_mirrored

    def counting(self: Views, file: File, size_wh: tuple[int, int]) -> Described | None:
        made.append((Path(file.path).name, False))
        return upright(self, file, size_wh)

    def counting_mirrored(
        self: Views, file: File, size_wh: tuple[int, int], known: Described
    ) -> Described | None:
        made.append((Path(file.path).name, True))
        return mirrored(self, file, size_wh, known)

    monkeypatch.setattr(Views, "describe", counting)
    monkeypatch.setattr(Views, "describe_mirrored", counting_mirrored)
    return made


def test_of_copies_of_the_whole_frame_only_the_largest_is_described(
    planned: Planned, calls: Calls, tmp_path: Path
) -> None:
    original = drawing(300, 400, seed=1)
    put(tmp_path / "small.png", original[::2, ::2])
    put(tmp_path / "a.png", original)
    put(tmp_path / "mirrored.jpg", original[:, ::-1], quality=60)
    put(tmp_path / "cropped.png", cropped(original))
    plan = planned(tmp_path)
    assert len(plan.groups) == 1 and len(plan.groups[0].members) == 4
    assert sorted(calls) == [("a.png", False), ("cropped.png", False)]


def test_crops_that_were_mirrored_are_found_by_a_look_into_the_mirror(
    planned: Planned, calls: Calls, tmp_path: Path
) -> None:
    original = drawing(300, 400, seed=1)
    put(tmp_path / "a.png", original)
    put(tmp_path / "b.png", np.ascontiguousarray(cropped(original)[:, ::-1]))
    plan = planned(tmp_path, keep=["path"])
    assert told(plan, tmp_path) == [{"a.png": "keep", "b.png": "review"}]
    assert "mirrored, showing 49% of it" in plan.groups[0].members[1].reason
    assert sorted(calls) == [("a.png", False), ("a.png", True), ("b.png", False)]


@pytest.mark.parametrize("kind", ["png", "jpg"])  # a JPEG is read smaller the second time
@pytest.mark.parametrize("long_side", [None, 150, 1000])
def test_reduced_pictures_are_told_of_in_pixels_of_the_whole(
    long_side: int | None, kind: str, planned: Planned, tmp_path: Path
) -> None:
    original = grainy(300, 400, seed=1)
    put(tmp_path / f"whole.{kind}", original)
    put(tmp_path / f"cropped.{kind}", cropped(original))
    (group,) = planned(tmp_path, long_side=long_side).groups
    kept, other = group.members
    assert (kept.width, kept.height) == (400, 300)
    assert other.reason == f"part of the same picture as {kept.path}: showing 49% of it"


def test_a_jpeg_that_its_camera_turned_is_laid_upon_its_upright_copy(
    planned: Planned, tmp_path: Path
) -> None:
    original = grainy(300, 400, seed=1)
    put(tmp_path / "upright.png", original)
    turned = PillowImage.fromarray(cropped(original)).rotate(90, expand=True)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    (group,) = planned(tmp_path, long_side=100).groups
    kept, other = group.members
    assert other.reason == f"part of the same picture as {kept.path}: showing 49% of it"


def test_a_mirror_changes_the_keypoints_of_a_whole_frame_and_not_its_vector(
    settings: Settings, tmp_path: Path
) -> None:
    picture = put(tmp_path / "a.png", drawing(300, 400, seed=1))
    views = Views(settings)
    [file] = find_files(Sides((str(tmp_path),)), settings, silent).files
    assert file.path == str(picture)
    upright = views.describe(file, (400, 300))
    assert upright is not None
    mirrored = views.describe_mirrored(file, (400, 300), upright)
    assert mirrored is not None
    one, other = upright.image.descriptors, mirrored.image.descriptors
    assert one.keys() == other.keys() == {channel.alias for channel in settings.descriptors}
    for channel in settings.descriptors:
        before, after = (pickle.dumps(parts[channel.alias]) for parts in (one, other))
        assert (before == after) is (channel in views.whole)


def test_what_vanishes_before_it_is_described_is_no_copy_and_no_mishap(
    settings: Settings, tmp_path: Path
) -> None:
    original = drawing(300, 400, seed=1)
    folder = tmp_path / "photos"
    put(folder / "whole.png", original)
    crop = put(folder / "cropped.png", cropped(original))

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "look" and done == total:
            crop.unlink()

    assert plan_duplicates(str(folder), settings, progress=progress).groups == ()
