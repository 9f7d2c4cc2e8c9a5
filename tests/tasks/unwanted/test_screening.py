from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image as PillowImage

from objsearch.apps.cli import main
from objsearch.classify import packages
from objsearch.classify.base import Classifier, Judgement
from objsearch.components import registry
from objsearch.errors import MissingDependencyError, UsageError, WeightsError
from objsearch.report.as_html import write_html
from objsearch.report.blurring import blurred, reading_blurred
from objsearch.screening import Screen
from objsearch.search.describing import Describer
from objsearch.search.pipeline import ObjectSearch, screen_of
from objsearch.settings import load_settings
from objsearch.sources import is_made_up
from objsearch.tasks.unwanted import Listing, screen_images
from objsearch.types import Image, ImageRef, Pixels
from tests.pictures import cropped, drawing, page

pillow_heif.register_heif_opener()


class Red(Classifier):
    """How red a picture is."""

    name = "red"
    asked: ClassVar[list[int]] = []

    def require(self) -> None:
        """It needs nothing."""

    def judge_batch(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        self.asked.append(len(pictures))
        return [
            Judgement(float(one[..., 0].mean() - one[..., 1].mean()) / 255, "red")
            for one in pictures
        ]


@pytest.fixture
def red(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package brings a classifier."""
    real = registry.component
    monkeypatch.setattr(
        registry, "component", lambda room, name: Red if name == "red" else real(room, name)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pixels_of: Callable[[str], Pixels]) -> Path:
    """A blocked photo in `block`; in `in`, a mirrored crop of it, a red picture and two others."""
    top = tmp_path_factory.mktemp("screening")
    for name in ("block", "in"):
        (top / name).mkdir()
    wall = pixels_of("graffiti_wall.jpg")
    PillowImage.fromarray(wall).save(top / "block" / "bad.png")
    PillowImage.fromarray(cropped(wall)[:, ::-1]).save(top / "in" / "copy.jpg", quality=85)
    PillowImage.fromarray(pixels_of("old_street.jpg")).save(top / "in" / "street.jpg")
    PillowImage.fromarray(pixels_of("toys.jpg")).save(top / "in" / "toys.jpg")
    fire = drawing(120, 160) // 4
    fire[..., 0] = 250
    PillowImage.fromarray(fire).save(top / "in" / "fire.png")
    return top


@pytest.fixture(scope="module")
def quick_preset(quick: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("preset") / "quick.yaml"
    path.write_text(json.dumps({**quick, "geometry": {"mirrored": True}}))
    return str(path)


@pytest.fixture
def settings(quick: dict[str, Any], quick_preset: str, folder: Path) -> Callable[..., Any]:
    def made(**section: Any) -> Any:
        return load_settings({**quick, "screening": {"block_preset": quick_preset, **section}})

    return made


def names(images: Sequence[Any]) -> list[str]:
    return [Path(one.ref.uri).name for one in images]


def test_copies_of_blocked_images_are_flagged_with_rule_and_score(
    settings: Callable[..., Any], folder: Path
) -> None:
    listing = screen_images(folder / "in", settings(block=[str(folder / "block")]))
    assert names(listing.flagged) == ["copy.jpg"]
    [flag] = listing.flagged[0].flags
    assert flag.rule == "block-list"
    assert 0.5 <= flag.score <= 1.0
    assert flag.reason == f"a copy of {folder / 'block' / 'bad.png'}"
    assert listing.scanned == 4 == len(listing.images)


def test_the_blocked_image_itself_is_flagged(settings: Callable[..., Any], folder: Path) -> None:
    listing = screen_images(folder / "block", settings(block=[str(folder / "block")]))
    assert listing.flagged[0].flags[0].score == 1.0


@pytest.mark.parametrize(
    ("action", "kept", "filtered"),
    [
        ("flag", ["copy.jpg", "fire.png", "street.jpg", "toys.jpg"], []),
        ("exclude", ["fire.png", "street.jpg", "toys.jpg"], ["copy.jpg"]),
        ("only", ["copy.jpg"], ["fire.png", "street.jpg", "toys.jpg"]),
    ],
)
def test_actions(
    action: str, kept: list[str], filtered: list[str], settings: Callable[..., Any], folder: Path
) -> None:
    section = settings(block=[str(folder / "block")], action=action)
    listing = screen_images(folder / "in", section)
    assert names(listing.kept) == kept
    assert names(listing.filtered) == filtered
    answer = (
        ObjectSearch(section.model_copy())
        .add(folder / "in")
        .find(folder / "in" / "copy.jpg", threshold=0.0, include_query=True)
    )
    assert sorted(names(answer.hits)) == kept
    assert sorted(Path(ref.uri).name for ref in answer.screened_out) == filtered
    assert [Path(ref.uri).name for ref in answer.flags] == ["copy.jpg"]


def test_nothing_is_screened_unless_configured(
    quick: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Screen, "flags", lambda *_: pytest.fail("nobody asked for it"))
    answer = ObjectSearch.open(quick).add(folder / "in").find(folder / "block" / "bad.png")
    assert answer.flags == {} and answer.screened_out == ()


def test_examples_flag_what_looks_like_them(settings: Callable[..., Any], folder: Path) -> None:
    wanted = settings(examples=[str(folder / "in" / "toys.jpg")], examples_threshold=0.95)
    listing = screen_images(folder / "in", wanted)
    assert names(listing.flagged) == ["toys.jpg"]
    [flag] = listing.flagged[0].flags
    assert flag.rule == "examples" and flag.score == pytest.approx(1.0, abs=1e-4)


@pytest.mark.usefixtures("red")
def test_another_packages_classifier(settings: Callable[..., Any], folder: Path) -> None:
    wanted = settings(classifiers=[{"name": "red", "threshold": 0.5}])
    listing = screen_images(folder / "in", wanted)
    assert names(listing.flagged) == ["fire.png"]
    assert listing.flagged[0].flags[0].rule == "red"
    assert listing.flagged[0].flags[0].reason == "red"


def test_no_rule_is_an_error(settings: Callable[..., Any], folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing to screen by"):
        screen_images(folder / "in", settings())


@pytest.mark.parametrize("rule", ["block", "examples"])
def test_a_missing_or_broken_part_is_an_error_and_never_all_clean(
    rule: str, settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no such"):
        screen_images(folder / "in", settings(**{rule: [str(tmp_path / "gone")]}))
    with pytest.raises(UsageError, match="clean"):
        screen_images(folder / "in", settings(**{rule: [str(tmp_path)]}))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(UsageError, match=r"nothing could be called clean.*broken\.png"):
        screen_images(folder / "in", settings(**{rule: [str(tmp_path)]}))
    search = ObjectSearch(settings(**{rule: [str(tmp_path)]})).add(folder / "in")
    with pytest.raises(UsageError, match="called clean"):
        search.find(folder / "block" / "bad.png")


@pytest.mark.parametrize("name", ["open-nsfw", "nudenet"])
def test_a_missing_package_or_file_is_an_error(
    name: str,
    settings: Callable[..., Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    gone = {"name": name, "weights": str(tmp_path / "gone.onnx")}
    with pytest.raises(WeightsError, match=r"gone\.onnx"):
        screen_images(folder / "in", settings(classifiers=[gone]))
    (tmp_path / "wrong.onnx").write_bytes(b"not a network")
    wrong = {"name": name, "weights": str(tmp_path / "wrong.onnx")}
    with pytest.raises(WeightsError, match=r"not right|no network"):
        screen_images(folder / "in", settings(classifiers=[wrong]))
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=rf"pip install 'objsearch\[{name}\]'"):
        screen_images(folder / "in", settings(classifiers=[name]))


@pytest.mark.parametrize("name", ["open-nsfw", "nudenet"])
def test_ordinary_pictures_pass_the_classifiers(name: str, pixels_of: Callable[..., Any]) -> None:
    classifier = registry.build("classify", name)
    pictures = [pixels_of("old_street.jpg"), pixels_of("toys.jpg")]
    judged = classifier.judge_batch(pictures)  # type: ignore[attr-defined]
    assert all(0.0 <= one.score < classifier.threshold for one in judged)  # type: ignore[attr-defined]
    assert judged == [classifier.judge(one) for one in pictures]  # type: ignore[attr-defined]


def test_unreadable_pictures_are_neither_clean_nor_flagged(
    settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    listing = screen_images([tmp_path], settings(block=[str(folder / "block")]))
    assert (listing.images, len(listing.skipped), listing.scanned) == ((), 1, 1)


@pytest.mark.usefixtures("red")
def test_what_is_gone_by_the_time_of_the_search_is_not_called_clean(
    settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "soon-gone.png"
    photo.write_bytes((folder / "block" / "bad.png").read_bytes())
    wanted = settings(classifiers=[{"name": "red", "threshold": 0.99}], action="exclude")
    search = ObjectSearch(wanted).add(photo)
    photo.unlink()
    answer = search.find(folder / "in" / "copy.jpg", threshold=0.0)
    assert answer.hits == ()
    [flags] = [flags for ref, flags in answer.flags.items() if ref.uri == str(photo)]
    assert flags[0].rule == "unscreened"


def test_pixels_at_hand_are_screened_too(settings: Callable[..., Any], folder: Path) -> None:
    wanted = settings(block=[str(folder / "block")], action="exclude")
    search = ObjectSearch(wanted).add((folder / "in" / "copy.jpg").read_bytes())
    answer = search.find(folder / "in" / "toys.jpg", threshold=0.0)
    assert [str(ref) for ref in answer.screened_out] == ["<bytes:1>"]


def test_blurring_leaves_nothing_to_make_out() -> None:
    picture = drawing(300, 400)
    smear = blurred(picture)
    assert smear.shape == picture.shape
    steps = np.abs(np.diff(smear.astype(int), axis=1)).max()
    assert steps < 16 < np.abs(np.diff(picture.astype(int), axis=1)).max()


def test_readers_blur_what_is_flagged_alone() -> None:
    picture = drawing(60, 80)
    read = reading_blurred(lambda ref: picture, [ImageRef("a.jpg", xywh=(1, 2, 3, 4))])
    assert read(ImageRef("b.jpg")) is picture
    assert not np.array_equal(read(ImageRef("a.jpg")), picture)


def test_reports_hold_blurred_pixels(
    settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    """The page of a search differs from one with the pictures in every embedded picture."""
    search = ObjectSearch(settings(block=[str(folder / "block")])).add(folder / "in" / "copy.jpg")
    answer = search.find(folder / "block" / "bad.png", threshold=0.0)
    asked: list[Pixels] = []

    def read(ref: ImageRef) -> Pixels:
        with PillowImage.open(ref.uri) as picture:
            asked.append(np.asarray(picture.convert("RGB")))
        return asked[-1]

    write_html([answer], tmp_path / "page.html", read)
    page = (tmp_path / "page.html").read_text()
    assert asked and "flagged: block-list" in page
    # A smear of colours compresses to next to nothing: 640 pixels of this photo take over 60 KB.
    sizes = [len(part.split('"')[0]) for part in page.split("data:image/jpeg;base64,")[1:]]
    assert sizes and max(sizes) < 20_000


def run(
    arguments: Sequence[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["objsearch", "screen", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code, *capsys.readouterr()


def test_the_command(
    folder: Path,
    quick_preset: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = [folder / "in", "--block", folder / "block", "--set"]
    base += [f"screening.block_preset={quick_preset}"]
    page = tmp_path / "page.html"
    code, out, err = run([*base, "--json", "--html", page], monkeypatch, capsys)
    assert code == 0, err
    data = json.loads(out)
    assert data["schema"] == "objsearch/screen/1"
    assert (data["flagged"], len(data["kept"]), data["filtered"]) == (1, 4, [])
    assert page.read_text().count("data:image/jpeg") == 1
    code, out, _ = run([*base, "--csv", "--action", "exclude"], monkeypatch, capsys)
    rows = {Path(row["path"]).name: row for row in csv.DictReader(out.splitlines())}
    assert rows["copy.jpg"]["action"] == "filtered"
    assert rows["copy.jpg"]["rule"] == "block-list"
    assert rows["toys.jpg"]["action"] == "kept"
    code, out, _ = run([*base, "--action", "exclude"], monkeypatch, capsys)
    assert code == 0 and "kept:" in out
    clean = [folder / "in" / "toys.jpg", *base[1:]]
    assert run(clean, monkeypatch, capsys)[0] == 1
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    code, _, err = run([tmp_path / "broken.jpg", *base[1:]], monkeypatch, capsys)
    assert code == 2 and "not looked at" in err
    code, _, err = run([folder / "in", "--classifier", "open-nsfw=x"], monkeypatch, capsys)
    assert code == 2 and "NAME=SCORE" in err
    code, _, err = run([folder / "in"], monkeypatch, capsys)
    assert code == 2 and "nothing to screen by" in err


def test_a_listing_accounts_for_everything() -> None:
    listing = Listing((), (), {"action": "exclude"}, 0.0)
    assert (listing.kept, listing.filtered, listing.flagged, listing.clean) == ((), (), (), ())


def animated(path: Path, frames: Sequence[Pixels], **options: Any) -> Path:
    first, *rest = [PillowImage.fromarray(one) for one in frames]
    first.save(path, save_all=True, append_images=rest, **options)
    return path


@pytest.fixture(scope="module")
def hidden(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The blocked photo in a late frame, and on a second page; beside files without it."""
    top = tmp_path_factory.mktemp("hidden")
    wall = np.asarray(PillowImage.open(folder / "block" / "bad.png").convert("RGB"))
    others = [
        np.asarray(PillowImage.open(folder / "in" / name).convert("RGB").resize(wall.shape[1::-1]))
        for name in ("street.jpg", "toys.jpg")
    ]
    animated(top / "late.webp", [*others, wall], quality=90)
    animated(top / "late.gif", [others[0], wall])
    animated(top / "pages.tiff", [others[1], wall])
    animated(top / "clean.webp", others, quality=90)
    animated(top / "clean.tiff", others)
    return top


def test_every_frame_and_page_is_looked_at_and_the_file_is_flagged(
    settings: Callable[..., Any], folder: Path, hidden: Path
) -> None:
    listing = screen_images(hidden, settings(block=[str(folder / "block")]))
    assert names(listing.flagged) == ["late.gif", "late.webp", "pages.tiff"]
    assert names(listing.clean) == ["clean.tiff", "clean.webp"]
    assert all(one.ref == ImageRef(one.ref.uri) for one in listing.images)
    said = [one.flags[0].reason for one in listing.flagged]
    assert [text.split(" (")[1] for text in said] == ["frame=1)", "frame=2)", "page=2)"]
    assert not any(one.left_out for one in listing.images)


def test_what_is_left_out_of_a_long_file_is_told(
    settings: Callable[..., Any], folder: Path, hidden: Path, quick_preset: str
) -> None:
    section = settings(block=[str(folder / "block")], max_frames=2)
    listing = screen_images(hidden, section)
    left_out = {Path(one.ref.uri).name: one.left_out for one in listing.images if one.left_out}
    assert list(left_out) == ["late.webp"] and "first 2" in left_out["late.webp"]
    assert names(listing.flagged) == ["late.gif", "pages.tiff"]


def test_what_is_blocked_are_all_pages_and_frames_of_a_file(
    settings: Callable[..., Any], folder: Path, hidden: Path
) -> None:
    """A copy of a late frame is a copy, too; the photo of it lies in a folder by itself."""
    for name in ("late.webp", "late.gif", "pages.tiff"):
        listing = screen_images(folder / "block", settings(block=[str(hidden / name)]))
        [flag] = [flag for one in listing.flagged for flag in one.flags]
        assert f"{name}#" in flag.reason, "which of them is told"


@pytest.mark.parametrize("rule", ["block", "examples"])
def test_blank_pages_among_others_are_not_what_is_unwanted(
    rule: str, settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    wall = np.asarray(PillowImage.open(folder / "block" / "bad.png").convert("RGB"))
    blank = np.full_like(wall, 255)
    scan = animated(tmp_path / "scan.tiff", [blank, wall])
    PillowImage.fromarray(blank).save(tmp_path / "page.png")
    every = [folder / "in", tmp_path / "page.png"]
    listing = screen_images(every, settings(**{rule: [str(scan)]}, examples_threshold=0.5))
    assert names(listing.flagged) == ["copy.jpg"]
    animated(tmp_path / "blank.tiff", [blank, blank])
    with pytest.raises(UsageError, match=r"blank\.tiff.* is blank"):
        screen_images(folder / "in", settings(**{rule: [str(tmp_path / "blank.tiff")]}))


@pytest.mark.parametrize("rule", ["block", "examples"])
def test_a_blocked_film_of_more_pictures_than_are_looked_at_is_refused(
    rule: str, settings: Callable[..., Any], folder: Path, hidden: Path
) -> None:
    section = settings(**{rule: [str(hidden / "late.webp")]}, max_frames=2)
    with pytest.raises(UsageError, match=r"late\.webp holds more than 2 pictures"):
        screen_images(folder / "in", section)


def test_files_of_a_block_list_are_read_under_the_limits_of_the_settings(folder: Path) -> None:
    asked: list[dict[str, Any]] = []

    def opened(preset: str, overrides: dict[str, Any]) -> Any:
        asked.append(overrides)
        return ObjectSearch.open(preset, overrides)

    limits = {"offline": True, "max_megapixels": 7, "dpi": 90}
    section = {"block": [str(folder / "block")], "block_preset": "copies"}
    screen = screen_of(load_settings({"input": limits, "screening": section}), opened)
    screen.prepare()
    [overrides] = asked
    assert {key: overrides[f"input.{key}"] for key in limits} == limits


@pytest.mark.parametrize("ground", [255, 20])
def test_a_picture_shown_small_in_a_screenshot_is_known(
    ground: int, folder: Path, tmp_path: Path, pixels_of: Callable[[str], Pixels]
) -> None:
    """It fills a quarter of it, or less, among words."""
    (tmp_path / "in").mkdir()
    for name in ("graffiti_wall", "old_street"):
        page = np.full((1480, 720, 3), ground, np.uint8)
        photo = PillowImage.fromarray(pixels_of(f"{name}.jpg"))
        photo.thumbnail((420, 420))
        page[260 : 260 + photo.height, 60 : 60 + photo.width] = np.asarray(photo)
        for row in range(24):
            at = (40, 80 + 50 * row) if row < 3 else (40, 700 + 32 * (row - 3))
            words = f"{row * 7919} words of a talk, {row * 104729}"
            cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (128, 128, 128), 2)
        PillowImage.fromarray(page).save(tmp_path / "in" / f"{name}.png")
    section = {"block": [str(folder / "block")]}
    listing = screen_images(tmp_path / "in", load_settings({"screening": section}))
    assert names(listing.flagged) == ["graffiti_wall.png"]
    assert listing.flagged[0].flags[0].reason.endswith("shown in a part of it")


def test_a_part_that_is_named_is_looked_at_alone(
    settings: Callable[..., Any], folder: Path, hidden: Path
) -> None:
    section = settings(block=[str(folder / "block")])
    for number, is_flagged in ((0, False), (2, True)):
        named = f"{hidden / 'late.webp'}#frame={number}"
        [one] = screen_images(named, section).images
        assert (str(one.ref), bool(one.flags)) == (named, is_flagged)


def test_a_search_looks_at_all_frames_of_its_hits(
    settings: Callable[..., Any], folder: Path, hidden: Path
) -> None:
    screen = screen_of(settings(block=[str(folder / "block")]))
    assert screen.flags_of(ImageRef(str(hidden / "late.webp")))
    assert not screen.flags_of(ImageRef(str(hidden / "clean.webp")))


def test_copies_of_other_depth_colours_and_sides_are_caught(
    settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    wall = PillowImage.open(folder / "block" / "bad.png").convert("RGB")
    wall.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=85)
    wall.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.webp")
    deep = np.asarray(wall)[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    gray = np.asarray(wall.convert("L")).astype(np.float32) / 255
    PillowImage.fromarray(gray).save(tmp_path / "floats.tiff")
    PillowImage.open(folder / "in" / "toys.jpg").save(tmp_path / "other.png")
    listing = screen_images(tmp_path, settings(block=[str(folder / "block")]))
    assert names(listing.clean) == ["other.png"]


@pytest.mark.parametrize("level", [0, 255])
def test_a_blocked_picture_without_content_is_refused(
    level: int, settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    PillowImage.new("RGB", (300, 200), (level,) * 3).save(tmp_path / "blank.png")
    with pytest.raises(UsageError, match=r"blank\.png is blank"):
        screen_images(folder / "in", settings(block=[str(tmp_path)]))


def test_white_ink_is_content(settings: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    ink = cv2.cvtColor(drawing(200, 300, 6), cv2.COLOR_RGB2GRAY)
    layers = np.dstack([np.full((200, 300, 3), 255, np.uint8), np.where(ink > 120, 255, 0)])
    PillowImage.fromarray(layers.astype(np.uint8), "RGBA").save(tmp_path / "ink.png")
    (tmp_path / "in").mkdir()
    on_black = np.where(ink > 120, 255, 0).astype(np.uint8)
    PillowImage.fromarray(on_black).save(tmp_path / "in" / "on_black.png")
    PillowImage.new("RGB", (300, 200), "white").save(tmp_path / "in" / "page.png")
    listing = screen_images(tmp_path / "in", settings(block=[str(tmp_path / "ink.png")]))
    assert names(listing.flagged) == ["on_black.png"]


@pytest.mark.usefixtures("red")
def test_a_file_that_has_changed_is_screened_anew(
    settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes((folder / "in" / "toys.jpg").read_bytes())
    screen = screen_of(settings(classifiers=["red"]))
    assert not screen.flags_of(ImageRef(str(photo)))
    photo.write_bytes((folder / "in" / "fire.png").read_bytes())
    assert screen.flags_of(ImageRef(str(photo)))


def test_another_page_of_the_same_kind_is_no_copy_of_a_blocked_one(tmp_path: Path) -> None:
    for seed in range(3):
        PillowImage.fromarray(page(seed)).save(tmp_path / f"{seed}.png")
    own = PillowImage.fromarray(page(0)).resize((320, 320), 1)
    own.save(tmp_path / "copy.jpg", quality=80)
    blocked = str(tmp_path / "0.png")
    screen = screen_of(load_settings({"screening": {"block": [blocked]}}))
    assert screen.flags_of(ImageRef(str(tmp_path / "copy.jpg")))
    for seed in (1, 2):
        assert not screen.flags_of(ImageRef(str(tmp_path / f"{seed}.png")))


def test_what_cannot_be_looked_at_again_is_flagged_all_the_same(tmp_path: Path) -> None:
    for seed in range(2):
        PillowImage.fromarray(page(seed)).save(tmp_path / f"{seed}.png")
    blocked = tmp_path / "0.png"
    screen = screen_of(load_settings({"screening": {"block": [str(blocked)]}}))
    screen.prepare()
    blocked.unlink()
    assert screen.flags_of(ImageRef(str(tmp_path / "1.png")))


@pytest.fixture
def blocked(folder: Path, tmp_path: Path) -> Path:
    """Two blocked photos, some time old."""
    top = tmp_path / "block"
    for name in ("bad.png", "worse.png"):
        shutil.copy(folder / "block" / "bad.png", aged(top / name, b""))
        aged(top / name)
    return top


def aged(path: Path, data: bytes | None = None, seconds: int = 1_700_000_000) -> Path:
    path.parent.mkdir(exist_ok=True)
    if data is not None:
        path.write_bytes(data)
    os.utime(path, (seconds, seconds))
    return path


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is described, as it is; pictures at hand have made-up ones."""
    names: list[str] = []
    drafts = Describer._drafts

    def counting(self: Describer, images: list[Image], gathering: Any) -> Any:
        names.extend(Path(one.ref.uri).name for one in images if not is_made_up(one.ref))
        return drafts(self, images, gathering)

    monkeypatch.setattr(Describer, "_drafts", counting)
    return names


def test_the_block_list_is_described_once(
    settings: Callable[..., Any],
    folder: Path,
    blocked: Path,
    described: list[str],
    tmp_path: Path,
) -> None:
    section = settings(block=[str(blocked)])

    def screened(library: Path | None = tmp_path / "library") -> Listing:
        described.clear()
        return screen_images(folder / "in", section, library=library)

    first = screened()
    assert described == ["bad.png", "worse.png"] and first.remembered == 0
    second = screened()
    assert described == [] and second.remembered == 2
    assert second.images == first.images
    assert names(second.flagged) == names(screened(None).flagged) == ["copy.jpg"]
    assert described == ["bad.png", "worse.png"]
    aged(blocked / "worse.png", (folder / "in" / "fire.png").read_bytes(), 1_700_000_500)
    assert names(screened().flagged) == ["copy.jpg", "fire.png"] and described == ["worse.png"]
    (blocked / "bad.png").unlink()
    assert names(screened().flagged) == ["fire.png"] and described == []
    (blocked / "worse.png").rename(blocked / "other.png")
    assert names(screened().flagged) == ["fire.png"] and described == []


def test_a_blocked_image_that_cannot_be_read_is_tried_again(
    settings: Callable[..., Any], folder: Path, blocked: Path, tmp_path: Path
) -> None:
    """The clock may say that nothing has changed; nothing is called clean by that."""
    aged(blocked / "broken.png", b"nothing")
    section = settings(block=[str(blocked)])
    for _ in range(2):
        with pytest.raises(UsageError, match=r"1 of the block list cannot be read.*broken\.png"):
            screen_images(folder / "in", section, library=tmp_path / "library")
    shutil.copy(folder / "in" / "fire.png", blocked / "broken.png")
    aged(blocked / "broken.png")
    listing = screen_images(folder / "in", section, library=tmp_path / "library")
    assert names(listing.flagged) == ["copy.jpg", "fire.png"]


def test_the_command_remembers_the_block_list(
    folder: Path,
    blocked: Path,
    quick_preset: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = [folder / "in", "--block", blocked, "--set", f"screening.block_preset={quick_preset}"]
    monkeypatch.setenv("OBJSEARCH_LIBRARY", str(tmp_path / "library"))

    def remembered(*words: Any) -> int:
        return int(json.loads(run([*base, "--json", *words], monkeypatch, capsys)[1])["remembered"])

    assert remembered("--forget") == 0 and not (tmp_path / "library").exists()
    assert [remembered(), remembered(), remembered("--forget")] == [0, 2, 0]
    told = " ".join(run(base, monkeypatch, capsys)[1].split())
    assert "2 of the block list remembered" in told
    assert [remembered("--library", tmp_path / "other") for _ in range(2)] == [0, 2]


def test_the_second_picture_of_a_file_is_looked_at_or_told(
    settings: Callable[..., Any], folder: Path, tmp_path: Path, pixels_of: Callable[[str], Pixels]
) -> None:
    street, wall = (
        PillowImage.fromarray(pixels_of(name)) for name in ("old_street.jpg", "graffiti_wall.jpg")
    )
    street = street.resize((street.width // 2, street.height // 2))
    wall = wall.resize(street.size)
    street.save(tmp_path / "stereo.mpo", save_all=True, append_images=[wall], quality=90)
    street.save(tmp_path / "two.heic", "HEIF", save_all=True, append_images=[wall], quality=90)
    listing = screen_images(tmp_path, settings(block=[str(folder / "block")]))
    assert names(listing.flagged) == ["stereo.mpo"] and listing.skipped == ()
    left_out = {Path(one.ref.uri).name: one.left_out for one in listing.images}
    assert left_out["stereo.mpo"] == "" and "first of its 2" in left_out["two.heic"]
