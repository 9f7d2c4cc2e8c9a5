"""Transparency is not picture: a thing is looked for on light and on dark ground."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.images.decode import Limits, decode
from objsearch.images.grounds import opaque_box, other_grounds
from objsearch.search.mirror import mirrored
from objsearch.search.pipeline import ObjectSearch
from objsearch.sources import Place, RegionOfInterest, read_image
from objsearch.types import Box, Image, ImageRef, Pixels
from tests.pictures import drawing, flat


def badge(ink: int | None = None) -> np.ndarray:
    """(200, 300, 4) a pattern on transparent ground; of one gray level, or in colours."""
    pattern = cv2.cvtColor(drawing(200, 300, 21), cv2.COLOR_RGB2GRAY)
    shape = np.where(pattern > 110, 0, 255).astype(np.uint8)
    shape[:30], shape[170:], shape[:, :40], shape[:, 260:] = 0, 0, 0, 0
    colours = np.full((200, 300, 3), ink or 0, np.uint8)
    if ink is None:
        colours[:] = (200, 40, 30)
        colours[80:130] = (230, 190, 20)
        colours[130:] = (20, 120, 90)
    return np.dstack([colours, shape])


def on(layers: np.ndarray, ground: Pixels, x: int = 60, y: int = 50) -> Pixels:
    """Laid on a larger picture, slightly turned."""
    overlay = PillowImage.new("RGBA", ground.shape[1::-1])
    overlay.paste(PillowImage.fromarray(layers, "RGBA"), (x, y))
    overlay = overlay.rotate(4, PillowImage.Resampling.BICUBIC)
    canvas = PillowImage.fromarray(ground).convert("RGBA")
    return np.asarray(PillowImage.alpha_composite(canvas, overlay).convert("RGB"), np.uint8)


def png(layers: np.ndarray) -> bytes:
    stream = io.BytesIO()
    PillowImage.fromarray(layers, "RGBA").save(stream, "PNG")
    return stream.getvalue()


def read(content: Any, **limits: Any) -> Image:
    image = read_image(Place(ImageRef("<given>"), content), Limits(**limits))
    assert isinstance(image, Image)
    return image


def test_ink_of_the_grounds_colour_is_laid_on_another() -> None:
    white, black = decode(png(badge(255))), decode(png(badge(1)))
    assert white.pixels[0, 0].max() == 0 and black.pixels[0, 0].min() == 255
    [warning] = white.warnings
    assert "black" in warning
    assert black.warnings == ()
    dark = decode(png(badge(1)), limits=Limits(background=(0, 0, 0)))
    assert dark.pixels[0, 0].min() == 255 and "white" in dark.warnings[0]
    assert (decode(png(badge())).pixels[0, 0] == 255).all()


def test_what_is_given_as_an_array_or_picture_is_treated_alike() -> None:
    for content in (badge(255), PillowImage.fromarray(badge(255), "RGBA"), png(badge(255))):
        image = read(content)
        assert image.ground == (0, 0, 0)
        assert image.alpha is not None and np.array_equal(image.alpha, badge()[..., 3])


def test_other_grounds_are_what_another_background_would_have_given() -> None:
    layers = badge()
    layers[..., 3] = np.maximum(layers[..., 3], 40)
    image = read(layers)
    [dark] = other_grounds(image)
    wanted = read(layers, background=(0, 0, 0))
    assert np.abs(dark.pixels.astype(int) - wanted.pixels).max() <= 2
    assert dark.ref == image.ref


def test_opaque_and_empty_pictures_have_no_other_ground() -> None:
    assert other_grounds(read(drawing(40, 60))) == ()
    opaque = np.dstack([drawing(40, 60), np.full((40, 60), 255, np.uint8)])
    assert read(opaque).alpha is None and other_grounds(read(opaque)) == ()
    clear = np.dstack([drawing(40, 60), np.zeros((40, 60), np.uint8)])
    assert other_grounds(read(clear)) == () and opaque_box(read(clear)) is None
    assert other_grounds(read(badge(255))) == ()  # on white there is nothing to be seen


def test_a_wide_margin_is_cut_off() -> None:
    layers = np.zeros((600, 900, 4), np.uint8)
    layers[200:400, 500:800] = badge()
    image = read(layers)
    box = opaque_box(image)
    assert box is not None and Box(500, 200, 800, 400).intersection(box) == box.area
    cuts = other_grounds(image)
    assert [one.ground[0] for one in cuts] == [255, 0]
    for one in cuts:
        assert one.size_wh == (int(box.width), int(box.height))
        assert one.offset_xy == (int(box.x1), int(box.y1)) and one.full_size_wh == (900, 600)
        assert one.ref == image.ref


def test_alpha_goes_with_regions_and_mirrors() -> None:
    image = read(badge())
    assert image.alpha is not None
    turned = mirrored(image)
    assert np.array_equal(turned.alpha[:, ::-1], image.alpha)  # type: ignore[index]
    place = Place(ImageRef("<given>"), badge(), RegionOfInterest.of("10,20,200,100"))
    part = read_image(place)
    assert isinstance(part, Image) and np.array_equal(part.alpha, image.alpha[20:120, 10:210])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("grounds")
    grounds = {"cream": flat(300, 420, 240), "navy": flat(300, 420, 20)}
    for name, ground in grounds.items():
        PillowImage.fromarray(on(badge(), ground)).save(top / f"{name}.png")
        PillowImage.fromarray(on(badge(255), ground // 3)).save(top / f"white_on_{name}.png")
    PillowImage.fromarray(drawing(300, 420, 9)).save(top / "other.png")
    PillowImage.fromarray(flat(300, 420, 255)).save(top / "blank.png")
    return top


@pytest.mark.parametrize("ink", [None, 255])
def test_a_logo_is_found_on_light_and_dark_ground(
    ink: int | None, places: Path, quick: dict[str, Any], tmp_path: Path
) -> None:
    PillowImage.fromarray(badge(ink), "RGBA").save(tmp_path / "logo.png")
    search = ObjectSearch.open(quick).add(places)
    answer = search.find(tmp_path / "logo.png", threshold=0.0)
    verdicts = {Path(hit.ref.uri).stem: hit.verdict for hit in answer.hits}
    wanted = {"cream", "navy"} if ink is None else {"white_on_cream", "white_on_navy"}
    assert {name for name in wanted if verdicts[name] == "same"} == wanted
    assert verdicts["other"] != "same" and verdicts["blank"] != "same"
    assert search.compare(tmp_path / "logo.png", tmp_path / "logo.png").score == 1.0


def test_a_blank_query_is_told(places: Path, quick: dict[str, Any]) -> None:
    search = ObjectSearch.open(quick).add(places)
    for blank in (flat(90, 90, 255), np.zeros((90, 90, 4), np.uint8)):
        answer = search.find(blank)
        assert any("blank" in warning for warning in answer.warnings)
        assert not [hit for hit in answer.hits if hit.verdict == "same" and hit.score < 1]
    assert not any("blank" in one for one in search.find(places / "other.png").warnings)


def test_which_of_two_is_transparent_does_not_matter(
    places: Path, quick: dict[str, Any], tmp_path: Path
) -> None:
    PillowImage.fromarray(badge(None), "RGBA").save(tmp_path / "logo.png")
    search = ObjectSearch.open(quick)
    for name in ("cream", "navy"):
        sides = tmp_path / "logo.png", places / f"{name}.png"
        there, back = search.compare(*sides), search.compare(*reversed(sides))
        assert there.verdict == back.verdict == "same"


def test_a_drawing_says_what_of_it_is_opaque() -> None:
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
    <rect x="100" y="50" width="100" height="100" fill="#e8f0f8"/></svg>"""
    drawn = read(svg)
    assert drawn.alpha is not None
    height, width = drawn.alpha.shape
    assert (width, height) == drawn.size_wh
    assert drawn.alpha[height // 2, width // 2] == 255 and drawn.alpha[0, 0] == 0
    box = opaque_box(drawn)
    assert box is not None
    sides = np.array([width, height, width, height])
    assert np.allclose(np.array(box) / sides, (1 / 3, 0.25, 2 / 3, 0.75), atol=0.01)


def test_a_photo_read_by_a_plug_in_says_so_too() -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    stream = io.BytesIO()
    PillowImage.fromarray(badge(255), "RGBA").save(stream, "HEIF", quality=95)
    photo = read(stream.getvalue())
    assert photo.alpha is not None and (photo.alpha[0, 0], photo.alpha.max()) == (0, 255)
    assert photo.pixels[0, 0].max() == 0, "white ink is laid on black"


def test_a_white_drawing_is_found_on_other_grounds(tmp_path: Path) -> None:
    """As a picture of its ground and ink would not be: white on white is blank."""
    rng = np.random.default_rng(5)
    shapes = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="none" stroke="white" stroke-width="5"/>'
        for x, y, r in zip(
            rng.integers(20, 280, 40),
            rng.integers(20, 180, 40),
            rng.integers(5, 30, 40),
            strict=True,
        )
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">{shapes}</svg>'
    (tmp_path / "logo.svg").write_text(svg)
    drawn = read(svg.encode())
    assert drawn.alpha is not None
    layers = np.dstack([np.full_like(drawn.pixels, 255), drawn.alpha])
    photo = on(layers, drawing(600, 800, 8) // 3)
    PillowImage.fromarray(photo).save(tmp_path / "wall.jpg", quality=90)
    search = ObjectSearch.open("orb", {"detector": "whole-image"}).add(tmp_path / "wall.jpg")
    [hit] = search.find(tmp_path / "logo.svg", threshold=0).hits
    assert hit.verdict == "same"
