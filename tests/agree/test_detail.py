from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.agree.detail import detail_gain
from objsearch.search.agreeing import frame_to_frame
from objsearch.settings import Settings
from objsearch.types import Box, Pixels

LEAST = Settings().larger.least_detail
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3}


def gain(query: PillowImage.Image, reference: PillowImage.Image) -> float | None:
    transform = frame_to_frame(Box(0, 0, *map(float, query.size)), reference.size)
    return detail_gain(np.asarray(query), np.asarray(reference), transform)


@pytest.fixture(scope="module")
def photo(pixels_of: Callable[[str], Pixels]) -> PillowImage.Image:
    return PillowImage.fromarray(pixels_of("graffiti_wall.jpg"))


@pytest.fixture(scope="module")
def query(photo: PillowImage.Image) -> PillowImage.Image:
    return photo.resize((photo.width // 3, photo.height // 3), 1)


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.0])
def test_a_photo_with_more_pixels_shows_more(
    factor: float, photo: PillowImage.Image, query: PillowImage.Image
) -> None:
    larger = photo.resize((round(query.width * factor), round(query.height * factor)), 1)
    found = gain(query, larger)
    assert found is not None and found > LEAST


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("factor", [1.25, 1.5, 2.0, 4.0])
def test_an_enlargement_shows_no_more(name: str, factor: float, query: PillowImage.Image) -> None:
    size = (round(query.width * factor), round(query.height * factor))
    found = gain(query, query.resize(size, FILTERS[name]))
    assert found is not None and found < LEAST / 4


@pytest.mark.parametrize("quality", [95, 85, 70])
def test_what_was_enlarged_from_less_than_the_query_shows_no_more(
    quality: int, query: PillowImage.Image
) -> None:
    """Beside next to no detail of its own, what compression adds is as much again."""
    thumb = query.resize((query.width // 3, query.height // 3), 1)
    stream = io.BytesIO()
    enlarged = thumb.resize((query.width * 3 // 2, query.height * 3 // 2), FILTERS["bicubic"])
    enlarged.save(stream, "JPEG", quality=quality)
    found = gain(query, PillowImage.open(stream).convert("RGB"))
    assert found is not None and found < LEAST


def test_compression_is_no_detail(query: PillowImage.Image) -> None:
    stream = io.BytesIO()
    enlarged = query.resize((query.width * 2, query.height * 2), FILTERS["bicubic"])
    enlarged.save(stream, "JPEG", quality=75)
    found = gain(query, PillowImage.open(stream).convert("RGB"))
    assert found is not None and found < LEAST


def test_noise_is_no_detail(query: PillowImage.Image) -> None:
    enlarged = query.resize((query.width * 2, query.height * 2), FILTERS["bicubic"])
    noise = np.random.default_rng(0).normal(0, 4, (enlarged.height, enlarged.width, 1))
    noisy = np.clip(np.asarray(enlarged) + noise, 0, 255).astype(np.uint8)
    found = gain(query, PillowImage.fromarray(noisy))
    assert found is not None and found < LEAST


def test_where_nothing_can_be_told(query: PillowImage.Image) -> None:
    assert gain(query, query) is None
    assert gain(query, query.resize((query.width // 2, query.height // 2))) is None
    tiny = query.resize((20, 16))
    assert gain(tiny, tiny.resize((22, 18))) is None
    flat = PillowImage.new("RGB", (200, 150), "gray")
    assert gain(flat, flat.resize((400, 300))) is None


def test_large_pictures_are_looked_at_in_part(photo: PillowImage.Image) -> None:
    large = photo.resize((2400, 1920), FILTERS["bicubic"])
    assert (found := gain(photo, large)) is not None and found < LEAST
