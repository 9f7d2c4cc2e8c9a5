"""TIFFs in odd forms: right, or refused with a reason; and the picture is not its thumbnail."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.damage import DAMAGED
from objsearch.images.decode import Limits, Part, decode
from objsearch.images.frames import decode_part, tiff_pages
from objsearch.images.holdings import holdings_of
from objsearch.images.shown import pixels_of_values
from tests.images.tiffs import Page, tiff
from tests.pictures import drawing

PICTURE = drawing(60, 90, 7)
GRAY = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
GRAY[0, 0], GRAY[0, 1] = 0, 255  # the whole range, so that stretching changes nothing
WIDE = GRAY.astype(np.uint16) * 257
OTHER = drawing(60, 90, 8)
SMALL = np.ascontiguousarray(OTHER[::6, ::6])

GRAYS = {
    "uint8": Page(GRAY),
    "uint16": Page(WIDE),
    "uint16, white is 0": Page(65535 - WIDE, {262: (0,)}),
    "int8": Page((GRAY.astype(np.int16) - 128).astype(np.int8)),
    "int16": Page((WIDE.astype(np.int32) - 32768).astype(np.int16)),
    "int16, white is 0": Page((32767 - WIDE.astype(np.int32)).astype(np.int16), {262: (0,)}),
    "uint32": Page(GRAY.astype(np.uint32) * 0x01010101),
    "int32": Page((GRAY.astype(np.int64) * 1000 - 70_000).astype(np.int32)),
    "float32": Page(GRAY.astype(np.float32) / 255 + 5),
    "float64": Page(GRAY.astype(np.float64) * 1e-9),
    "float32, white is 0": Page(GRAY.astype(np.float32) * -0.25, {262: (0,)}),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", GRAYS)
def test_every_sample_format_shows_the_same(name: str, order: str) -> None:
    pixels = decode(tiff([GRAYS[name]], order)).pixels
    assert pixels.shape == (60, 90, 3)
    assert np.abs(pixels[..., 0].astype(int) - GRAY).max() <= 1
    assert (pixels[..., :1] == pixels).all()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_wide_colours(kind: type, order: str) -> None:
    scaled = (PICTURE.astype(np.float64) * (257 if kind is np.uint16 else 0.5)).astype(kind)
    scaled[0, 0], scaled[0, 1] = 0, scaled.max()
    pixels = decode(tiff([Page(scaled)], order)).pixels
    assert np.abs(pixels[1:].astype(int) - PICTURE[1:]).max() <= 1


def test_wide_colours_with_alpha_are_laid_on_the_background() -> None:
    alpha = np.full((60, 90, 1), 65535, np.uint16)
    alpha[:30] = 0
    layers = np.dstack([PICTURE.astype(np.uint16) * 257, alpha])
    pixels = decode(tiff([Page(layers)])).pixels
    assert (pixels[:30] == 255).all()
    assert np.array_equal(pixels[30:], PICTURE[30:])


@pytest.mark.parametrize("kind", [np.float32, np.uint32])
def test_alpha_is_not_stretched(kind: type) -> None:
    most = 1 if kind is np.float32 else 2**32 - 1
    colours = PICTURE.astype(np.float64) / 255 * most
    for part, level in ((1.0, 255), (0.6, 153), (0.0, 0)):
        layers = np.dstack([colours, np.full((60, 90), part * most)]).astype(kind)
        decoded = decode(tiff([Page(layers)]))
        opaque = decode(tiff([Page(layers[..., :3])])).pixels.astype(int)
        assert (np.full((60, 90), 255) if decoded.alpha is None else decoded.alpha == level).all()
        assert (decoded.alpha is None) == (part == 1)
        laid = opaque * part + 255 * (1 - part)
        assert np.abs(decoded.pixels - laid).max() <= 1


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_fourth_sample_is_what_its_tag_says(kind: type) -> None:
    most = 65535 if kind is np.uint16 else 1
    colours = PICTURE / 255
    colours[0, 0] = 0, 0.5, 1
    part = np.linspace(0.25, 1, 90)[None, :, None].repeat(60, 0)
    plain = np.dstack([colours, part]) * most
    multiplied = np.dstack([colours * part, part]) * most
    wanted = decode(tiff([Page(plain.astype(kind))]))
    decoded = decode(tiff([Page(multiplied.astype(kind), {338: (1,)})]))
    assert wanted.alpha is not None and decoded.alpha is not None
    assert np.abs(decoded.pixels.astype(int) - wanted.pixels).max() <= 2
    assert np.array_equal(decoded.alpha, wanted.alpha)
    data = tiff([Page(plain.astype(kind), {338: (0,)})])
    infrared = decode(data)
    assert infrared.alpha is None and holdings_of(data, Limits()).has_more
    assert np.abs(infrared.pixels.astype(int) - np.round(colours * 255)).max() <= 1


def test_planes_of_wide_colours_are_refused_with_the_reason() -> None:
    page = Page(PICTURE.astype(np.uint16) * 257, is_planar=True)
    with pytest.raises(UnreadableImageError, match="plane a colour"):
        decode(tiff([page]))
    assert np.array_equal(decode(tiff([Page(PICTURE, is_planar=True)])).pixels, PICTURE)


@pytest.mark.parametrize("n_bits", [10, 12, 14])
@pytest.mark.parametrize("n_colours", [1, 3])
def test_packed_samples(n_bits: int, n_colours: int) -> None:
    values = PICTURE[:, :83, :n_colours].astype(np.uint16) * 257 >> (16 - n_bits)
    rows = values.reshape(60, -1, 1) >> np.arange(n_bits)[::-1] & 1
    packed = np.packbits(rows.reshape(60, -1).astype(np.uint8), axis=1)
    tags = {256: (83,), 258: (n_bits,) * n_colours, 277: (n_colours,), 262: (n_colours // 2 + 1,)}
    data = tiff([Page(packed, {**tags, 339: (1,) * n_colours})])
    pixels = decode(data).pixels
    assert np.array_equal(pixels[..., :n_colours], PICTURE[:, :83, :n_colours])
    place = data.find(packed.tobytes()[:64])
    cut = bytearray(data)
    del cut[place : place + packed.nbytes // 2]
    with pytest.raises(UnreadableImageError):
        decode(bytes(cut))


def test_what_no_reader_knows_is_refused_with_the_reason() -> None:
    for page in (
        Page(GRAY.astype(np.float16)),
        Page(np.dstack([WIDE] * 5), {262: (1,)}),
        Page(np.dstack([WIDE] * 2), {262: (1,)}),
        Page(np.dstack([WIDE] * 3), {262: (8,)}),
    ):
        with pytest.raises(UnreadableImageError) as caught:
            decode(tiff([page]))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_cut_wide_pictures_are_refused(part: float) -> None:
    stream = io.BytesIO()
    PillowImage.fromarray(WIDE).save(stream, "TIFF", compression="tiff_lzw")
    data = stream.getvalue()
    assert np.array_equal(decode(data).pixels[..., 0], GRAY)
    with pytest.raises(UnreadableImageError):
        decode(data[: int(len(data) * part)])
    late = tiff([Page(WIDE)])
    place = late.find(WIDE.tobytes()[:64])
    with pytest.raises(UnreadableImageError):
        decode(late[: place + int(WIDE.nbytes * part)])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_wide_pictures_stand_upright(orientation: int) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    narrow, wide = (tiff([Page(one, {274: (orientation,)})]) for one in (GRAY, WIDE))
    assert np.array_equal(decode(wide).pixels, decode(narrow).pixels)


def test_numbers_that_are_none_and_one_far_off_spoil_nothing() -> None:
    values = GRAY.astype(np.float32) / 255 + 5
    values[5, 5], values[6, 6], values[7, 7] = np.nan, np.inf, -np.inf
    values[8, 8] = 1e9
    pixels = decode(tiff([Page(values)])).pixels[..., 0].astype(int)
    kept = np.ones((60, 90), bool)
    kept[5:9, 5:9] = False
    assert np.abs(pixels - GRAY)[kept].max() <= 3
    assert pixels[5, 5] == 0


def test_values_that_8_bits_do_not_show_are_told() -> None:
    for page in (Page(GRAY.astype(np.uint16)), Page(GRAY.astype(np.uint16) * 16)):
        [warning] = decode(tiff([page])).warnings
        assert "8 bits" in warning
    assert decode(tiff([Page(WIDE)])).warnings == ()


REDUCED = {254: (1,)}
FORMS = {
    "thumbnail first": [Page(SMALL, REDUCED), Page(PICTURE)],
    "thumbnail behind": [Page(PICTURE), Page(SMALL, REDUCED)],
    "picture below": [Page(SMALL, REDUCED, [Page(PICTURE)])],
    "largest below": [Page(SMALL, REDUCED, [Page(SMALL, REDUCED), Page(PICTURE), Page(SMALL)])],
    "thumbnail below": [Page(PICTURE, {}, [Page(SMALL, REDUCED)])],
    "thumbnail unsaid": [Page(SMALL), Page(PICTURE)],
    "mask first": [Page(GRAY, {254: (4,)}), Page(PICTURE)],
    "all reduced": [Page(SMALL, REDUCED), Page(PICTURE, REDUCED)],
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", FORMS)
def test_the_picture_is_told_by_its_type_not_by_its_place(name: str, order: str) -> None:
    data = tiff(FORMS[name], order)
    assert np.array_equal(decode(data).pixels, PICTURE)
    pages = tiff_pages(data, Limits())
    assert len(pages) == 1
    assert np.array_equal(decode_part(data, pages[0], "", Limits()).pixels, PICTURE)


def test_pages_stay_pages() -> None:
    data = tiff([Page(PICTURE), Page(OTHER), Page(WIDE)])
    assert tiff_pages(data, Limits()) == [Part(page=k) for k in (1, 2, 3)]
    for part, wanted in zip(tiff_pages(data, Limits()), (PICTURE, OTHER), strict=False):
        assert np.array_equal(decode_part(data, part, "", Limits()).pixels, wanted)
    assert np.array_equal(decode_part(data, Part(page=3), "", Limits()).pixels[..., 0], GRAY)
    large = np.tile(OTHER, (8, 8, 1))
    poster = tiff([Page(PICTURE), Page(large[:, :300])])  # of another shape: a page of its own
    assert len(tiff_pages(poster, Limits())) == 2


def test_directories_in_a_circle_end() -> None:
    data = bytearray(tiff([Page(PICTURE), Page(OTHER)]))
    first = int.from_bytes(data[4:8], "little")
    data[-4:] = first.to_bytes(4, "little")
    assert len(tiff_pages(bytes(data), Limits())) == 2


def test_numbers_that_are_equal_but_for_one_are_warned_of() -> None:
    values = np.zeros((60, 80), np.float32)
    assert not pixels_of_values(values, (255, 255, 255)).said
    values[10, 10] = 1e6
    assert any("all but a few" in one for one in pixels_of_values(values, (255, 255, 255)).said)
    values[:2] = 3.0
    assert not pixels_of_values(values, (255, 255, 255)).said


def test_complex_numbers_are_refused_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    data = tiff([Page(np.ones((8, 8), np.float64), {339: (6,)})])
    with pytest.raises(UnreadableImageError, match="complex numbers"):
        decode(data)
    assert capfd.readouterr().err == ""


def test_damaged_codes_of_a_fax_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    """The codec goes on after them, and would tell standard error alone."""
    page = np.full((200, 300), 255, np.uint8)
    page[::7, 20:280] = 0
    page[40:160, ::11] = 0
    stream = io.BytesIO()
    PillowImage.fromarray(page).convert("1").save(stream, "TIFF", compression="group4")
    sound = stream.getvalue()
    assert decode(sound).warnings == ()
    place = sound.index(b"II*\0") + 8 + 60
    damaged = sound[:place] + b"\0" * 3 + sound[place + 3 :]
    assert decode(damaged).warnings == DAMAGED
    assert decode(sound).warnings == ()
    assert capfd.readouterr().err == ""
