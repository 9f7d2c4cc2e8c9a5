"""The second look: siblings of shared print, what cannot be read again, what stays the same."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from objsearch.agree.thing import Seen
from objsearch.agree.thing_model import LAID_RESIDUAL, LAID_STEADY
from objsearch.report.as_json import answer_json
from objsearch.report.as_table import answer_table
from objsearch.search import by_pixels, full_size, second_comparison, second_look
from objsearch.search.describing import Describer
from objsearch.search.full_size import FullSize
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.queries import View
from objsearch.search.second_look import SecondLook
from objsearch.settings import load_settings
from objsearch.sources import AtHand, Place, Reading
from objsearch.types import (
    Box,
    Hit,
    Image,
    ImageRef,
    LocalFeatures,
    Pixels,
    Region,
    RegionPair,
    Unreadable,
    Verification,
)
from tests.pictures import drawing, warped

TILTED = np.array([[0.9, 0.06, 30.0], [-0.04, 0.92, 25.0], [1.2e-4, 4e-5, 1.0]])


def package(flavour: int) -> Pixels:
    """A package with print in its middle that all flavours share; the rest is their own."""
    own = drawing(530, 400, seed=flavour).astype(np.float32)
    tint = np.random.default_rng(flavour).permutation([0.4, 0.8, 1.2])
    shared = drawing(150, 400, seed=99)
    own = np.clip(own * tint, 0, 255).astype(np.uint8)
    return np.vstack([own[:265], shared, own[265:]])


def photo_of(picture: Pixels) -> Pixels:
    """The same under a mild perspective, softer and darker."""
    seen = warped(picture, TILTED, (picture.shape[1] + 40, picture.shape[0] + 40))
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.8) * 0.9, np.uint8)


def search(**overrides: Any) -> ObjectSearch:
    return ObjectSearch(load_settings("orb", {"detector": "whole-image", **overrides}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, flavour in (("berry", 1), ("lemon", 2)):
        PillowImage.fromarray(package(flavour)).save(tmp_path / f"{name}.png")
    return tmp_path


def verdicts(answer: Any) -> dict[str, str]:
    return {Path(hit.ref.uri).name: hit.verdict for hit in answer.hits}


def test_siblings_that_share_print_are_uncertain(folder: Path) -> None:
    query = photo_of(package(1))
    found = search().add(folder).find(query, threshold=0)
    assert verdicts(found) == {"berry.png": "same", "lemon.png": "uncertain"}
    without = search().add(folder).find(query, threshold=0, second_look={"enabled": False})
    assert verdicts(without) == {"berry.png": "same", "lemon.png": "same"}


def test_what_differs_is_told_on_both_sides(folder: Path) -> None:
    found = search().add(folder / "lemon.png").find(photo_of(package(1)), threshold=0)
    [hit] = found.hits
    assert hit.note == hit.pairs[0].evidence == "shared_print"
    told = answer_json(found)["hits"][0]["pairs"][0]
    assert told["evidence"] == "shared_print"
    assert told["differs"]["query"] and told["differs"]["reference"]
    for box in told["differs"]["reference"]:
        assert not 275 < box[1] < box[3] < 405, "what both share does not differ"


def test_a_comparison_looks_twice_too(folder: Path) -> None:
    berry = folder / "seen.png"
    PillowImage.fromarray(photo_of(package(1))).save(berry)
    assert search().compare(folder / "berry.png", berry).verdict == "same"
    assert search().compare(berry, folder / "lemon.png").verdict == "uncertain"
    off = search(**{"search.second_look.enabled": False})
    assert off.compare(berry, folder / "lemon.png").verdict == "same"


def test_only_the_first_candidates_are_looked_at(folder: Path) -> None:
    found = (
        search().add(folder).find(photo_of(package(1)), threshold=0, second_look={"candidates": 1})
    )
    assert verdicts(found) == {"berry.png": "same", "lemon.png": "same"}


@pytest.mark.parametrize("change", ["gone", "changed", "another size"])
def test_what_cannot_be_read_again_is_uncertain(folder: Path, change: str) -> None:
    path = folder / "berry.png"
    wanted = search().add(path)
    if change == "gone":
        path.unlink()
    else:
        PillowImage.fromarray(drawing(300 + 380 * (change == "changed"), 400, 7)).save(path)
    [hit] = wanted.find(photo_of(package(1)), threshold=0).hits
    assert (hit.verdict, hit.note) == ("uncertain", "not_read_again")


def test_equal_pixels_need_no_second_look(folder: Path) -> None:
    wanted = search().add(folder / "berry.png")
    (folder / "berry.png").unlink()
    [hit] = wanted.find(package(1), threshold=0).hits
    assert hit.verdict == "same"


@pytest.mark.parametrize("form", ["array", "stream", "bytes", "picture"])
def test_what_is_in_memory_is_kept_to_be_looked_at(form: str, folder: Path) -> None:
    path, pixels = folder / "lemon.png", package(2)
    forms: dict[str, Any] = {
        "array": pixels,
        "stream": io.BytesIO(path.read_bytes()),
        "bytes": path.read_bytes(),
        "picture": PillowImage.fromarray(pixels),
    }
    given = forms[form]
    wanted = search().add(given)
    pixels[:] = 0  # whoever gave it may use it for something else
    [sibling] = wanted.find(photo_of(package(1)), threshold=0).hits
    assert (sibling.verdict, sibling.note) == ("uncertain", "shared_print")
    [same] = wanted.find(photo_of(package(2)), threshold=0).hits
    assert (same.verdict, same.note) == ("same", "")


def test_memory_is_kept_only_while_there_is_room() -> None:
    kept = AtHand(room_bytes=10)
    first, second = (Place(ImageRef(f"<bytes:{n}>"), b"x" * 12) for n in (1, 2))
    assert kept.keep(first, Reading()).content == kept.keep(second, Reading()).content
    assert kept.place(first.ref) is not None
    assert kept.place(second.ref) is None
    assert kept.place(ImageRef("a.jpg")) is not None


def test_a_region_and_a_mirror_image_are_looked_at_where_they_lie(folder: Path) -> None:
    query = photo_of(package(1))
    turned = np.ascontiguousarray(query[:, ::-1])
    mirrored = search(**{"geometry.mirrored": True}).add(folder)
    assert verdicts(mirrored.find(turned, threshold=0)) == {
        "berry.png": "same",
        "lemon.png": "uncertain",
    }
    wide = np.full((900, 900, 3), 200, np.uint8)
    wide[100 : 100 + query.shape[0], 300 : 300 + query.shape[1]] = query
    found = (
        search()
        .add(folder)
        .find(wide, threshold=0, region=(300, 100, query.shape[1], query.shape[0]))
    )
    assert verdicts(found) == {"berry.png": "same", "lemon.png": "uncertain"}
    [differs] = [hit.pairs[0].differs[0] for hit in found.hits if hit.verdict == "uncertain"]
    assert all(box.x1 >= 300 and box.y1 >= 100 for box in differs)


def test_the_table_says_where(folder: Path) -> None:
    from rich.console import Console

    found = search().add(folder / "lemon.png").find(photo_of(package(1)), threshold=0)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(answer_table(found))
    assert "shared print: differs here (" in console.export_text()


def card_on_a_desk(folder: Path) -> Pixels:
    """A card; a photo in the folder shows it at one percent of its pixels."""
    card = drawing(224, 324, seed=5)
    scene = cv2.resize(drawing(220, 330, seed=8), (2700, 1800), interpolation=cv2.INTER_CUBIC)
    texture = np.random.default_rng(1).normal(0, 14, (900, 1350, 1)).astype(np.float32)
    scene = np.clip(scene + cv2.resize(texture, (2700, 1800))[..., None], 0, 255).astype(np.uint8)
    scene[900:1100, 1700:1990] = cv2.resize(card, (290, 200), interpolation=cv2.INTER_AREA)
    PillowImage.fromarray(scene).save(folder / "desk.jpg", quality=90)
    return card


def test_a_card_at_one_percent_of_a_large_photo_is_the_same(tmp_path: Path) -> None:
    card = card_on_a_desk(tmp_path)
    first = search(**{"search.second_look.doubtful": 0}).add(tmp_path)
    assert "same" not in verdicts(first.find(card, threshold=0)).values()
    [hit] = search().add(tmp_path).find(card, threshold=0).hits
    assert hit.verdict == "same"
    box = hit.pairs[0].reference.box_xyxy
    assert np.allclose(box, (1700, 900, 1990, 1100), atol=6)


def test_a_card_given_four_times_as_large_as_the_photo_shows_it_is_the_same(
    tmp_path: Path,
) -> None:
    card = card_on_a_desk(tmp_path)
    large = cv2.resize(card, (1160, 800), interpolation=cv2.INTER_CUBIC)
    [hit] = search().add(tmp_path).find(np.asarray(large, np.uint8), threshold=0).hits
    assert hit.verdict == "same"
    assert np.allclose(hit.pairs[0].reference.box_xyxy, (1700, 900, 1990, 1100), atol=8)


def test_strangers_stay_strangers(tmp_path: Path) -> None:
    for seed in range(4):
        PillowImage.fromarray(drawing(500, 400, seed=seed)).save(tmp_path / f"{seed}.png")
    found = search().add(tmp_path).find(drawing(400, 500, seed=20), threshold=0)
    assert "same" not in verdicts(found).values()


def test_what_is_as_dark_as_its_ground_is_found_by_its_colour(tmp_path: Path) -> None:
    blue = drawing(300, 400, seed=5)[..., 0]
    flat = np.full_like(blue, 90)
    card = cv2.cvtColor(np.dstack([flat, flat + 38, blue]), cv2.COLOR_YCrCb2RGB)
    ground = drawing(700, 900, seed=8)[..., 1] // 3 + 40
    light = np.stack([ground, np.full_like(ground, 128), np.full_like(ground, 128)], axis=-1)
    light[200:440, 300:620, 2] = cv2.resize(blue, (320, 240), interpolation=cv2.INTER_AREA)
    scene = cv2.cvtColor(light, cv2.COLOR_YCrCb2RGB)
    PillowImage.fromarray(scene).save(tmp_path / "wall.jpg", quality=90)
    [hit] = search().add(tmp_path).find(np.asarray(card), threshold=0).hits
    assert hit.verdict == "same"
    assert np.allclose(hit.pairs[0].reference.box_xyxy, (300, 200, 620, 440), atol=8)


def test_what_cannot_be_laid_to_a_pixel_needs_more_keypoints(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_pixels, "look", lambda *_, **__: None)
    wanted = search().add(folder / "berry.png")
    [hit] = wanted.find(photo_of(package(1)), threshold=0).hits
    assert hit.verdict == "same", "many agree"
    strict = search(**{"verdicts.same_inliers_depth": 5000.0}).add(folder / "berry.png")
    [hit] = strict.find(photo_of(package(1)), threshold=0).hits
    assert (hit.verdict, hit.note, hit.pairs[0].evidence) == ("uncertain", "not_laid", "not_laid")


@pytest.mark.parametrize(("laid", "verdict"), [(False, "same"), (True, "uncertain")])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_what_shows_through_says_nothing_where_it_is_badly_laid(
    laid: bool, verdict: str, has_alpha: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady = LAID_STEADY if laid else 0.43
    numbers = np.array([steady, LAID_RESIDUAL if laid else 2.1, 3, 4, 0.3, 0.3, 0.3, 0.3, 6.0])
    monkeypatch.setattr(Seen, "shares_print_only", True)
    monkeypatch.setattr(Seen, "can_be_judged", True)
    monkeypatch.setattr(by_pixels, "look", lambda *_, **__: Seen(numbers, ((), ())))
    alpha = np.full(photo_of(package(1)).shape[:2], 255, np.uint8)
    alpha[-8:] = 0 if has_alpha else 255
    query = PillowImage.fromarray(np.dstack([photo_of(package(1)), alpha]))
    [hit] = search().add(folder / "berry.png").find(query, threshold=0).hits
    assert hit.verdict == (verdict if has_alpha else "uncertain")


def test_what_looks_the_same_may_be_too_deep_to_be_laid(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_pixels, "look", lambda *_, **__: None)
    few = {"verdicts.same_inliers_depth": 5000.0, "detector": "whole-image", "run.workers": 1}
    alike = ObjectSearch(load_settings("default", few)).add(folder / "berry.png")
    [hit] = alike.find(photo_of(package(1)), threshold=0).hits
    assert hit.verdict == "same"


def test_pixels_prove_what_few_keypoints_cannot(tmp_path: Path) -> None:
    """Keypoints that would have to be a thousand say nothing here."""
    one = package(1)
    other = one.copy()
    other[340:380, 150:190] = package(2)[40:80, 150:190]
    for name, picture in (("one", one), ("other", other)):
        PillowImage.fromarray(picture).save(tmp_path / f"{name}.png")
    strict = {"verdicts.same_inliers": 1000, "verdicts.same_inliers_depth": 1000}
    query = photo_of(one)
    found = search(**strict).add(tmp_path).find(query, threshold=0)
    assert verdicts(found) == {"one.png": "same", "other.png": "uncertain"}
    off = {"search.second_look.enabled": False}
    without = search(**strict, **off).add(tmp_path).find(query, threshold=0)
    assert set(verdicts(without).values()) == {"uncertain"}
    assert search(**strict).compare(query, str(tmp_path / "one.png")).verdict == "same"
    assert search(**strict).compare(query, str(tmp_path / "other.png")).verdict == "uncertain"


def test_a_tile_that_agrees_is_no_thing_of_its_own(tmp_path: Path) -> None:
    """What differs lies outside of the tile that agrees best; the pictures are laid as a whole."""
    one = package(1)
    other = one.copy()
    other[560:640, 240:360] = package(2)[40:120, 150:270]
    PillowImage.fromarray(other).save(tmp_path / "other.png")
    PillowImage.fromarray(one).save(tmp_path / "one.jpg", quality=80)
    tiles = search(detector={"name": "grid", "levels": 2}, **{"assignment.frames": False})
    found = tiles.add(tmp_path).find(one, threshold=0)
    assert {hit.pairs[0].query.proposal for hit in found.hits} & {"grid", "geometry"}
    assert verdicts(found) == {"one.jpg": "same", "other.png": "uncertain"}
    [differs] = [hit.pairs[0].differs[0] for hit in found.hits if hit.verdict == "uncertain"]
    assert all(box.x1 > 200 and box.y1 > 540 for box in differs)


def car_with(plate: str) -> Pixels:
    """A thing on some ground, and a plate beside it."""
    picture = drawing(480, 640, 31).copy()
    picture[40:300, 60:330] = drawing(260, 270, 32)
    sheet = PillowImage.fromarray(picture)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((380, 380, 600, 440), (250, 250, 250), (20, 20, 20))
    pen.text((395, 390), plate, (10, 10, 10), font_size=38)
    return np.asarray(sheet)


def test_what_differs_beside_a_thing_makes_another_version_of_the_picture(tmp_path: Path) -> None:
    for name, plate in (("own", "GR 4711 K"), ("other", "HX 2806 B")):
        PillowImage.fromarray(car_with(plate)).save(tmp_path / f"{name}.jpg", quality=90)
    query = car_with("GR 4711 K")
    thing = {"name": "given-boxes", "boxes_xywh": [[60, 40, 270, 260]]}
    things = search(detector=thing, **{"assignment.frames": False}).add(tmp_path)
    found = things.find(query, threshold=0)
    assert verdicts(found) == {"own.jpg": "same", "other.jpg": "uncertain"}
    [hit] = [hit for hit in found.hits if hit.verdict == "uncertain"]
    assert hit.note == hit.pairs[0].evidence == "differs_beside"
    assert all(box.x1 > 330 and box.y1 > 330 for side in hit.pairs[0].differs for box in side)
    cut = things.find(query, threshold=0, region=(50, 30, 290, 280), roi_mode="filter")
    assert set(verdicts(cut).values()) == {"same"}, "what was cut out is all that counts"


def joke(shown: int) -> Pixels:
    """One line of words over some picture."""
    sheet = PillowImage.new("RGB", (480, 480), (255, 255, 255))
    words = "WHEN YOU FINALLY\nFIND THE OTHER SOCK\nBEHIND THE FRIDGE"
    ImageDraw.Draw(sheet).multiline_text((16, 12), words, (0, 0, 0), font_size=36)
    pixels = np.asarray(sheet).copy()
    pixels[160:] = drawing(320, 480, shown)
    return pixels


def test_two_pictures_under_one_line_of_words_are_not_the_same(tmp_path: Path) -> None:
    for name, shown in (("own", 41), ("other", 42)):
        PillowImage.fromarray(joke(shown)).save(tmp_path / f"{name}.jpg", quality=90)
    words = {"name": "given-boxes", "boxes_xywh": [[0, 0, 480, 160]]}
    things = search(detector=words, **{"assignment.frames": False}).add(tmp_path)
    found = things.find(joke(41), threshold=0)
    assert verdicts(found) == {"own.jpg": "same", "other.jpg": "uncertain"}
    [hit] = [hit for hit in found.hits if hit.verdict == "uncertain"]
    assert hit.note == hit.pairs[0].evidence == "differs_beside"
    assert hit.pairs[0].differs[0][0].y1 > 100
    cut = things.find(joke(41), threshold=0, region=(0, 0, 480, 160), roi_mode="filter")
    assert set(verdicts(cut).values()) == {"same"}, "what was cut out is all that counts"


def visiting_card(name: str, number: str, street: str) -> Pixels:
    """A printed template, filled in for somebody."""
    ink = (90, 20, 40)
    sheet = PillowImage.new("RGB", (880, 672), (250, 248, 240))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, 868, 660), outline=ink, width=10)
    pen.ellipse((110, 290, 250, 430), fill=(190, 120, 30))
    pen.polygon([(700, 300), (800, 300), (750, 400)], fill=(30, 140, 160))
    words = (name, 84, 80), ("Piano lessons", 60, 190), (number, 66, 440), (street, 56, 540)
    for text, size, top in words:
        pen.text((440, top), text, ink, font_size=size, anchor="mt")
    return np.asarray(sheet)


def hit_with(name: str, score: float, n_inliers: int) -> Hit:
    """A hit in doubt of whose keypoints so many agree."""
    frame = Region(Box(0, 0, 64, 48), "frame", 0.0, "frame")
    ends = np.zeros((n_inliers, 4), np.float32)
    plane = Verification("homography", np.eye(3), ends)
    pair = RegionPair(frame, frame, score, "different", {}, {}, plane if n_inliers else None)
    return Hit(ImageRef(name), score, "different", (64, 48), (pair,), ImageRef("query"))


def test_where_keypoints_agree_most_is_in_doubt_however_low_the_score() -> None:
    """A query of next to nothing but a plane that agrees has a low score."""
    scores = [("a", 0.5, 0), ("b", 0.4, 3), ("c", 0.3, 0), ("d", 0.2, 5), ("e", 0.1, 9)]
    hits = [hit_with(*one) for one in scores]

    def chosen(n: int, among: list[Hit] = hits) -> str | None:
        hit = second_look._agreeing_beyond(among, n)
        return None if hit is None else hit.ref.uri

    assert chosen(3) == "e"
    assert chosen(5) is None
    assert chosen(2, hits[:3]) is None, "none beyond agrees anywhere"
    assert chosen(0) is None
    sure = replace(hits[4], verdict="same")
    assert chosen(3, [*hits[:4], sure]) == "d"


def test_an_unlikely_hit_counts_where_pixels_left_it_the_same() -> None:
    first, unlikely = hit_with("a", 0.5, 0), hit_with("e", 0.1, 9)
    proven = replace(unlikely, verdict="same", score=0.95)
    assert second_look._taken_back([proven, first], unlikely) == [proven, first]
    doubted = replace(proven, verdict="uncertain")
    assert second_look._taken_back([doubted, first], unlikely) == [first, unlikely]


@pytest.mark.parametrize("turned", [0, 7, -12])
def test_cards_of_one_template_are_not_the_same(turned: int, tmp_path: Path) -> None:
    """Nearly half of their corners lie in what differs, and pull at how they are laid."""
    own = visiting_card("Ada Lindqvist", "0423118790", "12 Mill Lane")
    other = visiting_card("Gus Ruiz", "0771930458", "88 Harbour Row")
    middle = cv2.getRotationMatrix2D((440, 336), turned, 0.62)
    middle[:, 2] += (360, 264)
    for name, shown in (("own", own), ("other", other)):
        scene = drawing(1200, 1600, seed=8)
        seen = cv2.warpAffine(shown, middle, (1600, 1200), flags=cv2.INTER_AREA)
        inside = cv2.warpAffine(np.full((672, 880), 255, np.uint8), middle, (1600, 1200)) > 250
        scene[inside] = seen[inside]
        PillowImage.fromarray(scene).save(tmp_path / f"{name}.jpg", quality=88)
    found = verdicts(search().add(tmp_path).find(own, threshold=0))
    assert found == {"own.jpg": "same", "other.jpg": "uncertain"}


PIPS = ((180, 260), (320, 260), (250, 320), (180, 400), (320, 400), (180, 540), (320, 540))
SPADE = (0, -34, 14, -16, 28, 2, 24, 16, 8, 14, 12, 32, -12, 32, -8, 14, -24, 16, -28, 2, -14, -16)


def playing_card(places: tuple[tuple[int, int], ...], words: list[str], seed: int) -> Pixels:
    """An old one, as a scanner shows it: printed by hand, each pip has a place of its own."""
    chosen = np.random.default_rng(seed)
    sheet = PillowImage.new("RGB", (500, 760), (226, 224, 200))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((14, 14, 486, 746), outline=(30, 30, 30), width=2)
    draw.rectangle((120, 200, 380, 600), outline=(30, 30, 30), width=3)
    for place in places:
        outline = chosen.normal(1, 0.03) * np.reshape(SPADE, (-1, 2))
        outline = outline + place + chosen.normal(0, 1.6, 2)
        draw.polygon([(float(x), float(y)) for x, y in outline], fill=(25, 25, 30))
    for number, word in enumerate(words):
        for top, text in ((40, word), (620, word[::-1])):
            x, y = np.array([60, top + 44 * number]) + chosen.normal(0, 1.5, 2)
            draw.text((x, y), text, (30, 30, 30), ImageFont.load_default(30))
    grainy = np.asarray(sheet) + chosen.normal(0, 4, (760, 500, 1))
    return np.clip(cv2.GaussianBlur(grainy, (0, 0), 0.8), 0, 255).astype(np.uint8)


def test_sheets_printed_from_one_form_are_not_the_same() -> None:
    """They lie level, as on a scanner: of one sheet every corner is where it should be."""
    seven = playing_card(PIPS, ["No 22 Force", "R 9 Tems", "E Proces"], 0)
    eight = playing_card((*PIPS, (250, 480)), ["No 21 Prudence", "R 10 Abus", "E Celibat"], 10)
    smaller = cv2.resize(seven, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    searching = search()
    assert searching.compare(seven, eight).verdict == "uncertain"
    assert searching.compare(seven, np.asarray(0.95 * smaller + 5, np.uint8)).verdict == "same"


def test_a_plane_counts_with_the_looks_of_what_lies_there(folder: Path) -> None:
    """Not with those of whatever pair came first before."""
    settings = load_settings("default", {"detector": "whole-image", "run.workers": 1})
    wanted = ObjectSearch(settings).add(folder / "berry.png")
    query = Image(ImageRef("query"), photo_of(package(1)))
    [hit] = wanted.find(query.pixels, threshold=0, second_look={"enabled": False}).hits
    sides = wanted.describer.describe([query])[0], next(wanted.images())
    pair = hit.pairs[0]
    poor = replace(pair, features=dict.fromkeys(pair.features, 0.0), score=0.0, verdict="different")
    doubted = replace(hit, pairs=(poor,), score=0.0, verdict="different")
    assert pair.verification is not None
    plane = second_comparison.Plane(pair.verification, central=100.0, sure=1.0)
    better = second_comparison.with_plane(wanted.comparer, doubted, sides, plane)
    [alias] = better.pairs[0].similarities
    assert better.pairs[0].features[alias] == pytest.approx(pair.features[alias])
    assert better.score > hit.score - 0.05


def test_what_was_uncertain_and_has_changed_says_no_more_than_before(tmp_path: Path) -> None:
    """Nothing was taken back: it could not be proven, and that is all."""
    path = tmp_path / "one.png"
    PillowImage.fromarray(package(1)).save(path)
    strict = {"verdicts.same_inliers": 1000, "verdicts.same_inliers_depth": 1000}
    wanted = search(**strict).add(path)
    path.write_bytes(b"another file by now")
    [hit] = wanted.find(photo_of(package(1)), threshold=0).hits
    assert (hit.verdict, hit.note) == ("uncertain", "")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """The keypoints that were taken: of which picture, SIFT by its longer side, ORB by channel."""
    kinds: list[tuple[str, object]] = []

    def counted(take: Callable[..., LocalFeatures]) -> Callable[..., LocalFeatures]:
        def count(image: Image, kind: object, *options: int) -> LocalFeatures:
            kinds.append((image.ref.uri, (kind, *options)))
            return take(image, kind, *options)

        return count

    for name in ("_sift", "_orb"):
        monkeypatch.setattr(full_size, name, counted(getattr(full_size, name)))
    return kinds


def test_only_what_agrees_at_a_glance_gets_keypoints_of_a_larger_picture(
    taken: list[tuple[str, object]],
) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (60, 80, 3), np.uint8)
    clouds = np.asarray(cv2.resize(noise, (530, 400), interpolation=cv2.INTER_CUBIC), np.uint8)
    query, photo, other = (
        FullSize(Image(ImageRef(name), picture))
        for name, picture in (("a", package(1)), ("b", photo_of(package(1))), ("c", clouds))
    )
    closer = second_comparison.Closer.of(query, workers=2)
    assert not any(plane.sure == second_comparison.SIFT_SURE for plane in closer.planes(other))
    glance, larger = (full_size.GLANCE_SIDE,), (full_size.SIFT_SIDE,)
    assert [name for name, kind in taken if kind == glance] == ["a", "c"]
    assert not any(kind == larger for _, kind in taken)
    for _ in range(2):
        first = next(closer.planes(photo))
        assert first.sure == second_comparison.SIFT_SURE and first.central > 40
    assert sorted(name for name, kind in taken if kind == larger) == ["a", "b"]


def test_no_keypoints_are_taken_twice(
    folder: Path, tmp_path: Path, taken: list[tuple[str, object]]
) -> None:
    """Neither of a candidate for a second view, nor of two pictures for the way back."""
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for turns, path in enumerate(paths):
        PillowImage.fromarray(np.rot90(photo_of(package(1)), turns)).save(path)
    wanted = search(**{"verdicts.same_inliers": 1000, "verdicts.same_inliers_depth": 1000})
    wanted.add(folder / "berry.png").find(*paths, threshold=0)
    assert len(taken) == len(set(taken)) >= 6
    taken.clear()
    wanted.compare(*paths)
    assert len(taken) == len(set(taken)) >= 6


def keypoints(points_xy: np.ndarray) -> LocalFeatures:
    """Keypoints whose codes tell each from all others, the same ones for the same number."""
    codes = np.random.default_rng(3).random((len(points_xy), 128)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    return LocalFeatures(points_xy.astype(np.float32), codes, 1.0)


@pytest.mark.parametrize("is_one_thing", [True, False])
def test_at_a_glance_depth_is_worth_a_larger_picture_and_many_matches_are_not(
    is_one_thing: bool,
) -> None:
    """Two views of a thing with depth fit no plane; matches of strangers fit nothing."""
    random = np.random.default_rng(5)
    places = random.uniform((-1, -1, 2), (1, 1, 6), (20, 3))
    seen = 200 + 300 * places[:, :2] / places[:, 2:]
    moved = places @ cv2.Rodrigues(np.array([0.05, 0.3, 0.02]))[0].T + (-2.0, 0.3, 0.4)
    again = 200 + 300 * moved[:, :2] / moved[:, 2:]
    if not is_one_thing:
        again = random.permutation(again)
    query, reference = keypoints(seen), keypoints(again)
    assert len(second_comparison._MATCHER.matches(query, reference)) == 20
    assert second_comparison._verified(query, reference) is None, "no plane"
    assert second_comparison._may_agree(query, reference) is is_one_thing


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures that are decoded to be looked at again, as they are."""
    uris: list[str] = []
    closely = Describer.read_closely

    def noted(self: Describer, place: Place) -> Image | Unreadable:
        uris.append(place.ref.uri)
        return closely(self, place)

    monkeypatch.setattr(Describer, "read_closely", noted)
    return uris


def test_a_search_reads_no_picture_twice(tmp_path: Path, read: list[str]) -> None:
    """What is compared once more, and laid over the query then, is decoded for the first alone."""
    card = card_on_a_desk(tmp_path)
    assert search().add(tmp_path).find(card, threshold=0).hits[0].verdict == "same"
    assert len([uri for uri in read if uri.endswith("desk.jpg")]) == 1


def test_a_copy_of_the_query_s_pixels_is_not_read(folder: Path, read: list[str]) -> None:
    query = photo_of(package(1))
    PillowImage.fromarray(query).save(folder / "copy.png")
    answer = search().add(folder).find(query, threshold=0)
    assert verdicts(answer)["copy.png"] == "same"
    assert not any(uri.endswith("copy.png") for uri in read)
    assert any(uri.endswith("berry.png") for uri in read)


def test_each_query_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and however many threads want their pixels."""
    queries, held = tmp_path / "queries", tmp_path / "held"
    for made in (queries, held):
        made.mkdir()
    for flavour in range(second_look.MOST_KEPT + 2):
        PillowImage.fromarray(package(flavour)).save(held / f"{flavour}.png")
        PillowImage.fromarray(photo_of(package(flavour))).save(queries / f"{flavour}.png")
    asked: list[str] = []
    picture = SecondLook._picture

    def noted(self: SecondLook, view: View) -> Image | None:
        asked.append(view.image.ref.uri)
        return picture(self, view)

    monkeypatch.setattr(SecondLook, "_picture", noted)
    wanted = search(**{"run.workers": 4}).add(held)
    wanted.find(*map(str, sorted(queries.iterdir())), threshold=0)
    assert len(asked) == len(set(asked)) > second_look.MOST_KEPT


def test_likeness_alone_makes_nothing_the_same_where_keypoints_speak(folder: Path) -> None:
    """A plane of few inliers is no proof, however much alike two pictures look."""
    wanted = search().add(folder / "lemon.png")
    query = Image(ImageRef("query"), photo_of(package(2)))
    [hit] = wanted.find(query.pixels, threshold=0).hits
    assert hit.verdict == "same"
    doubted = replace(hit, score=0.999, verdict="uncertain")
    sides = wanted.describer.describe([query])[0], next(wanted.images())
    lemon = FullSize(Image(ImageRef("lemon"), package(2)))
    plane = next(second_comparison.Closer.of(FullSize(query)).planes(lemon))
    assert second_comparison.with_plane(wanted.comparer, doubted, sides, plane).verdict == "same"
    weak = replace(plane, central=plane.sure * 3)
    assert second_comparison.with_plane(wanted.comparer, doubted, sides, weak) is doubted


def test_what_is_not_wanted_takes_no_look_away(photos: Path, queries: Path, tmp_path: Path) -> None:
    """A negative that has nothing to do with a hit changes nothing; one that is more like it does.

    The box in the scene is *same* by the keypoints of the second comparison alone.
    """
    found = ObjectSearch.open("fast").add(photos / "box_in_scene.png")
    query = queries / "box.png"
    [without] = found.find(query, threshold=0, second_look={"doubtful": 0}).hits
    [alone] = found.find(query).hits
    assert (without.verdict, alone.verdict) == ("different", "same")
    [beside] = found.find(query, negatives=queries / "cat.jpg").hits
    assert (beside.score, beside.verdict, beside.note) == (alone.score, "same", "")
    nearer = tmp_path / "nearer.jpg"
    with PillowImage.open(query) as picture:
        turned = picture.convert("RGB").rotate(15, expand=True)
        turned.resize((275, 189)).save(nearer, quality=92)
    # At first the query is more like it than this is; compared once more, this is.
    [first] = found.find(query, negatives=nearer, threshold=0, second_look={"doubtful": 0}).hits
    assert first.note == "" and first.score == without.score
    [lowered] = found.find(query, negatives=nearer, threshold=0).hits
    assert lowered.negative_scores[str(nearer)] > alone.score > lowered.score
    assert (lowered.verdict, lowered.note) == ("uncertain", "like_a_negative")


@pytest.mark.parametrize("fusion", ["max", "mean", "min", "rrf"])
def test_several_views_are_looked_at_again_as_one_is(tmp_path: Path, fusion: str) -> None:
    """One photo given twice finds no less than given once, however what views say is fused."""
    card = card_on_a_desk(tmp_path)
    PillowImage.fromarray(drawing(500, 400, seed=41)).save(tmp_path / "other.png")
    wanted = search().add(tmp_path)
    once = wanted.find(card, threshold=0)
    twice = wanted.find(card, card.copy(), threshold=0, fusion=fusion)
    assert verdicts(once) == verdicts(twice) == {"desk.jpg": "same", "other.png": "different"}
    if fusion != "rrf":
        assert [hit.score for hit in twice.hits] == pytest.approx([hit.score for hit in once.hits])
    first = twice.hits[0]
    assert set(first.view_scores.values()) == {once.hits[0].score}


def test_of_several_views_one_that_shows_it_is_enough(tmp_path: Path) -> None:
    card = card_on_a_desk(tmp_path)
    wanted, stranger = search().add(tmp_path), drawing(400, 500, seed=20)
    [alone] = wanted.find(card, threshold=0).hits
    [hit] = wanted.find(stranger, card, threshold=0, fusion="max").hits
    assert (hit.verdict, hit.score) == ("same", alone.score)
    assert hit.pairs[0].inliers == alone.pairs[0].inliers
    [hit] = wanted.find(stranger, card, threshold=0, fusion="min").hits
    assert hit.score < alone.score, "all of them are asked for"
    [hit] = wanted.find(stranger, card, threshold=0, fusion="mean", weights=[3, 1]).hits
    others = [score for score in hit.view_scores.values() if score != alone.score]
    assert hit.score == pytest.approx((3 * others[0] + alone.score) / 4)
