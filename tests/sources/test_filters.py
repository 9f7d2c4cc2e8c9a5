"""Which described images a search looks at."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import pytest

from objsearch.sources import Filters, Wanted
from objsearch.types import Box, DescribedImage, ImageRef, Region

DAY = 86_400


@pytest.fixture
def described(tmp_path: Path) -> DescribedImage:
    path = tmp_path / "cup.jpg"
    path.write_bytes(b"x" * 500)
    os.utime(path, (10.5 * DAY, 10.5 * DAY))
    region = Region(Box(0, 0, 5, 5), "cup", 0.9, "detector")
    return DescribedImage(ImageRef(str(path), page=2), (40, 30), (region,), {})


def counted(image: DescribedImage) -> tuple[ImageRef, tuple[int, int], frozenset[str]]:
    """What a filter looks at."""
    return image.ref, image.size_wh, frozenset(region.label for region in image.regions)


YES = [
    Wanted(),
    Wanted(Filters(include=("*.jpg",), exclude=("*.png",))),
    Wanted(Filters(changed_from=date(1970, 1, 11), changed_to=date(1970, 1, 11))),
    Wanted(Filters(min_bytes=500, max_bytes=500)),
    Wanted(labels=("vase", "cup"), min_pixels=1200, max_pixels=1200),
]
NO = [
    Wanted(Filters(include=("*.png",))),
    Wanted(Filters(exclude=("cup.*",))),
    Wanted(Filters(changed_from=date(1970, 1, 12))),
    Wanted(Filters(changed_to=date(1970, 1, 10))),
    Wanted(Filters(min_bytes=501)),
    Wanted(Filters(max_bytes=499)),
    Wanted(labels=("vase",)),
    Wanted(min_pixels=1201),
    Wanted(max_pixels=1199),
]


@pytest.mark.parametrize("wanted", YES, ids=repr)
def test_kept(wanted: Wanted, described: DescribedImage) -> None:
    assert wanted.keeps(*counted(described))


@pytest.mark.parametrize("wanted", NO, ids=repr)
def test_left_out(wanted: Wanted, described: DescribedImage) -> None:
    assert not wanted.keeps(*counted(described))


@pytest.mark.parametrize("uri", ["<bytes:1>", "https://example.com/a.jpg", "gone.jpg", "a\0b"])
def test_what_nobody_knows_the_date_of_is_not_of_that_date(uri: str) -> None:
    image = DescribedImage(ImageRef(uri), (40, 30), (), {})
    assert Wanted().keeps(*counted(image))
    assert Wanted(min_pixels=5).keeps(*counted(image))
    assert not Wanted(Filters(changed_to=date(2999, 1, 1))).keeps(*counted(image))
    assert not Wanted(Filters(max_bytes=10**9)).keeps(*counted(image))


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the clock's place cannot be set here")
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT-14", "Etc/GMT+12", "UTC"])
def test_the_first_and_the_last_day_hold_all_others(
    zone: str, described: DescribedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        path = described.ref.uri
        assert Filters(changed_from=date.min, changed_to=date.max).keeps(path)
        assert not Filters(changed_to=date.min).keeps(path)
        assert not Filters(changed_from=date.max).keeps(path)
    time.tzset()
