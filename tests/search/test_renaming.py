"""Files that were renamed: what is known of them goes along, if it is of the same picture."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.search.by_pixels import NOT_READ_AGAIN
from objsearch.search.describing import Describer
from objsearch.search.library import remembering, stored_at
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.renaming import known_still
from objsearch.settings import load_settings
from objsearch.types import Image
from tests.pictures import drawing, encoded

LONG_AGO = 1_700_000_000


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def bitmap(seed: int) -> bytes:
    """A picture whose file is as large as that of any other seed."""
    return encoded(drawing(120, 160, seed), "BMP")


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is described, as it is."""
    names: list[str] = []
    drafts = Describer._drafts

    def counting(self: Describer, images: list[Image], gathering: Any) -> Any:
        names.extend(Path(image.ref.uri).name for image in images)
        return drafts(self, images, gathering)

    monkeypatch.setattr(Describer, "_drafts", counting)
    return names


Searched = Callable[[], ObjectSearch]


@pytest.fixture
def searched(quick: dict[str, Any], tmp_path: Path) -> Searched:
    """A new search over the photos, which remembers what searches before it described."""
    settings = remembering(load_settings(quick), tmp_path / "library")
    return lambda: ObjectSearch(settings).add(tmp_path / "photos")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    put(tmp_path / "photos" / "b.bmp", bitmap(2))
    return put(tmp_path / "photos" / "a.bmp", bitmap(1))


def keys(search: ObjectSearch) -> list[str]:
    return sorted(Path(key).name for key in search.index.stamps())


def test_what_was_renamed_is_not_described_again(
    searched: Searched, described: list[str], photo: Path
) -> None:
    before = searched().find(photo, include_query=True)
    renamed = photo.parent / "sub" / "c.bmp"
    renamed.parent.mkdir()
    photo.rename(renamed)
    described.clear()
    search = searched()
    assert described == [] and (search.n_remembered, search.n_described) == (2, 0)
    assert keys(search) == ["b.bmp", "c.bmp"]
    after = search.find(renamed, include_query=True)
    assert described == []
    assert [hit.score for hit in after.hits] == [hit.score for hit in before.hits]
    assert after.hits[0].ref.uri == str(renamed)
    assert searched().n_remembered == 2


def test_another_file_of_the_same_size_and_time_is_described(
    searched: Searched, described: list[str], photo: Path
) -> None:
    searched()
    photo.unlink()
    put(photo.with_name("c.bmp"), bitmap(3))
    put(photo.with_name("d.bmp"), b"X" * len(bitmap(3)))
    described.clear()
    search = searched()
    assert described == ["c.bmp"]
    assert keys(search) == ["b.bmp", "c.bmp", "d.bmp"] and len(search.skipped) == 1


def test_a_copy_is_described_while_the_other_file_is_there(
    searched: Searched, described: list[str], photo: Path
) -> None:
    searched()
    shutil.copy2(photo, photo.with_name("c.bmp"))
    described.clear()
    assert keys(searched()) == ["a.bmp", "b.bmp", "c.bmp"]
    assert described == ["c.bmp"]


def test_of_two_new_names_both_are_known(
    searched: Searched, described: list[str], photo: Path
) -> None:
    searched()
    shutil.copy2(photo, photo.with_name("c.bmp"))
    photo.rename(photo.with_name("d.bmp"))
    described.clear()
    assert keys(searched()) == ["b.bmp", "c.bmp", "d.bmp"]
    assert described == []


def test_what_could_not_be_read_under_its_former_name_is_read_again(
    searched: Searched, described: list[str], photo: Path
) -> None:
    broken = put(photo.with_name("broken.bmp"), b"no picture")
    searched()
    broken.rename(photo.with_name("still broken.bmp"))
    described.clear()
    search = searched()
    assert [Path(one.ref.uri).name for one in search.skipped] == ["still broken.bmp"]
    assert described == []


def test_files_of_several_pictures_are_described_anew(
    searched: Searched, described: list[str], photo: Path, quick: dict[str, Any], tmp_path: Path
) -> None:
    from PIL import Image as PillowImage

    pages = [PillowImage.fromarray(drawing(120, 160, seed)) for seed in (5, 6)]
    path = photo.with_name("pages.tif")
    pages[0].save(path, save_all=True, append_images=pages[1:])
    os.utime(path, (LONG_AGO, LONG_AGO))
    settings = load_settings(quick, {"input.pages": "all"})
    remembered = remembering(settings, tmp_path / "library")
    assert len(ObjectSearch(remembered).add(photo.parent).index) == 4
    path.rename(photo.with_name("other pages.tif"))
    described.clear()
    search = ObjectSearch(remembered).add(photo.parent)
    assert described == ["other pages.tif"] * 2 and len(search.index) == 4


def test_what_was_touched_or_copied_is_not_described_again(
    searched: Searched, described: list[str], photo: Path
) -> None:
    before = searched().find(photo, include_query=True)
    os.utime(photo, (LONG_AGO + 9, LONG_AGO + 9))
    described.clear()
    search = searched()
    assert described == [] and (search.n_remembered, search.n_described) == (2, 0)
    after = search.find(photo, include_query=True)
    assert [hit.score for hit in after.hits] == [hit.score for hit in before.hits]
    assert keys(search) == ["a.bmp", "b.bmp"]
    assert search.index.stamps()[str(photo)] == (photo.stat().st_size, (LONG_AGO + 9) * 10**9)


def test_another_picture_of_the_same_size_in_bytes_is_described(
    searched: Searched, described: list[str], photo: Path
) -> None:
    searched()
    photo.write_bytes(bitmap(3))
    os.utime(photo, (LONG_AGO + 9, LONG_AGO + 9))
    described.clear()
    assert searched().n_described == 1 and described == ["a.bmp"]


def test_a_page_is_not_taken_for_all_of_its_file(
    quick: dict[str, Any], tmp_path: Path, described: list[str]
) -> None:
    """Its file shows the same at first sight, and holds another page."""
    pages = [PillowImage.fromarray(drawing(120, 160, seed)) for seed in (1, 2)]
    path = tmp_path / "two.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    os.utime(path, (LONG_AGO, LONG_AGO))
    settings = remembering(load_settings(quick), tmp_path / "library")
    ObjectSearch(settings).add(f"{path}#page=1")
    described.clear()
    assert ObjectSearch(settings).add(path).n_references == 2 and len(described) == 2


def test_a_copy_of_another_time_is_looked_at_again(
    quick: dict[str, Any], tmp_path: Path, photo: Path
) -> None:
    settings = stored_at(load_settings(quick), tmp_path / "rows")
    ObjectSearch(settings).add(photo)
    os.utime(photo, (LONG_AGO + 9, LONG_AGO + 9))
    with PillowImage.open(photo) as picture:
        part = np.asarray(picture.crop((0, 0, 150, 110)))
    search = ObjectSearch(settings)
    assert search.find(part, threshold=0).hits[0].note != NOT_READ_AGAIN
    photo.write_bytes(bitmap(3))
    found = search.find(part, threshold=0).hits[0]
    assert search.references.known(found.ref) is None
    assert known_still(search.references, search.describer, found.ref) is None
