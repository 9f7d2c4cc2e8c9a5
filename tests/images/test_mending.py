"""Odd metadata, ends and starts refuse no picture; what is lacking or damaged is never silent."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, decode
from objsearch.images.frames import iter_frames
from objsearch.images.holdings import holdings_of
from objsearch.images.jpeg_scans import has_all_scans, jpeg_end, scan_start
from objsearch.types import Pixels
from tests.images import files
from tests.pictures import drawing, encoded, flat, noise

PICTURE = drawing(120, 160, 5)
PNG = encoded(PICTURE, "PNG")
JPEG = encoded(PICTURE, "JPEG", quality=90)


def chunk(kind: bytes, data: bytes, is_sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + data) ^ (0 if is_sound else 0x5A5A)
    return len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big")


def with_chunk(made: bytes, data: bytes = PNG, at_end: bool = False) -> bytes:
    place = len(data) - 12 if at_end else 33
    return data[:place] + made + data[place:]


LONG = b"words " * 500_000
ODD_CHUNKS = {
    "text": chunk(b"tEXt", b"Comment\0" + LONG[:400_000]),
    "packed text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG, 1)),
    "international text": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG, 1)),
    "much text": 80 * chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG[:900_000], 1)),
    "profile": chunk(b"iCCP", b"name\0\0" + zlib.compress(b"\0" * 3_000_000, 1)),
    "no profile": chunk(b"iCCP", b"name\0\0" + b"not packed"),
    "damaged text": chunk(b"tEXt", b"Comment\0words", is_sound=False),
    "damaged size": chunk(b"pHYs", b"\0" * 9, is_sound=False),
    "damaged unknown": chunk(b"vpAg", b"\0" * 9, is_sound=False),
}


@pytest.mark.parametrize("name", ODD_CHUNKS)
@pytest.mark.parametrize("at_end", [False, True])
def test_metadata_refuse_no_png(name: str, at_end: bool) -> None:
    data = with_chunk(ODD_CHUNKS[name], at_end=at_end)
    decoded = decode(data)
    assert np.array_equal(decoded.pixels, PICTURE) and decoded.warnings == ()
    assert np.array_equal(decode(io.BytesIO(data)).pixels, PICTURE)
    assert holdings_of(data, Limits()).samples == holdings_of(PNG, Limits()).samples


def test_frames_too_are_read_beside_odd_metadata() -> None:
    data = with_chunk(ODD_CHUNKS["packed text"], files.animation(files.numbered(4), "PNG"))
    seen = [result for _, result in iter_frames(data, 1, "", Limits())]
    assert [files.number_of(one.pixels) for one in seen] == [0, 1, 2, 3]  # type: ignore[union-attr]


def test_transparency_outlives_a_damaged_checksum() -> None:
    palette = PillowImage.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    stream = io.BytesIO()
    palette.save(stream, "PNG", transparency=0)
    sound = stream.getvalue()
    place = sound.find(b"tRNS") + 5
    damaged = sound[:place] + bytes([sound[place] ^ 0xFF]) + sound[place + 1 :]
    place = sound.find(b"tRNS") - 4
    size = int.from_bytes(sound[place : place + 4], "big")
    damaged = sound[: place + 8 + size] + b"\1\2\3\4" + sound[place + 12 + size :]
    assert np.array_equal(decode(damaged).pixels, decode(sound).pixels)


def test_a_damaged_picture_is_still_refused() -> None:
    place = PNG.find(b"IDAT") + 40
    with pytest.raises(UnreadableImageError):
        decode(PNG[:place] + b"\0" * 60 + PNG[place + 60 :])


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"optimize": True}, {"subsampling": 0}, {"restart_marker_rows": 1}],
)
def test_a_jpeg_without_its_end(options: dict[str, object]) -> None:
    data = encoded(PICTURE, "JPEG", quality=90, **options)
    whole = decode(data)
    assert whole.warnings == ()
    bare = data.removesuffix(b"\xff\xd9")
    for odd in (bare, bare + b"\0" * 4000, data + b"\0" * 70_000, data + b"\n"):
        decoded = decode(odd)
        assert np.array_equal(decoded.pixels, whole.pixels) and decoded.warnings == ()
        reduced = decode(odd, long_side=60)
        assert np.array_equal(reduced.pixels, decode(data, long_side=60).pixels)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_ends_in_half_a_marker(options: dict[str, object]) -> None:
    data = encoded(PICTURE, "JPEG", quality=90, **options)
    for odd in (data[:-1], data[:-1] + b"\xff\xff"):
        decoded = decode(odd)
        assert np.array_equal(decoded.pixels, decode(data).pixels) and decoded.warnings == ()
    for place in (-3, -30, -300):
        with pytest.raises(UnreadableImageError, match="cut short"):
            decode(data[:place].rstrip(b"\xff\0") + b"\xff")


def test_a_lossless_jpeg_is_read_in_full_alone() -> None:
    """Asked for less, turbojpeg writes past what has room for that."""
    gray = PICTURE[..., 1]
    data = files.lossless_jpeg(gray)
    for long_side in (None, 8):
        decoded = decode(data, long_side=long_side)
        assert np.array_equal(decoded.pixels, np.repeat(gray[..., None], 3, axis=2))
        assert decoded.warnings == () and decoded.full_size_wh is None


def test_a_jpeg_of_colours_without_a_name() -> None:
    """Who wrote it tells of a transform that there is not: what looks for damage knows none."""
    stream = io.BytesIO()
    PillowImage.fromarray(PICTURE).convert("CMYK").save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    data[data.index(b"Adobe") + 11] = 199
    black = data.index(b"\xff\xc0") + 10 + 3 * 3
    data[black + 1] = 0x12  # half as many rows of it
    assert decode(bytes(data)).pixels.shape == PICTURE.shape


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_lacks_pixels_is_refused(options: dict[str, object]) -> None:
    data = encoded(noise(120, 160), "JPEG", quality=90, **options)
    end = len(data) - 2
    start = scan_start(data)
    for place in (end - 8, end - 30, end - 300, start + (end - start) // 2, start + 5):
        with pytest.raises(UnreadableImageError, match="cut short"):
            decode(data[:place])


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_cut_anywhere_in_its_head_is_refused(options: dict[str, object]) -> None:
    data = encoded(PICTURE, "JPEG", quality=90, **options)
    for place in range(4, scan_start(data) + 2):
        with pytest.raises(UnreadableImageError):
            decode(data[:place])


def test_scans_are_counted() -> None:
    data = encoded(PICTURE, "JPEG", progressive=True)
    assert has_all_scans(data) and has_all_scans(JPEG)
    assert jpeg_end(data + b"more") == len(data)
    last = data.rfind(b"\xff\xda")
    assert not has_all_scans(data[:last])


@pytest.mark.parametrize("before", [b"\n", b"\r\n", b"\xef\xbb\xbf", b"\0" * 16])
def test_a_few_bytes_before_a_jpeg(before: bytes) -> None:
    decoded = decode(before + JPEG)
    assert np.array_equal(decoded.pixels, decode(JPEG).pixels)
    [warning] = decoded.warnings
    assert str(len(before)) in warning


def test_a_jpeg_that_starts_twice() -> None:
    assert np.array_equal(decode(b"\xff\xd8" + JPEG).pixels, decode(JPEG).pixels)


def test_a_small_jpeg_in_another_file_is_not_its_picture() -> None:
    for head in (b"8BPS\0\1" + b"\0" * 20, b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx "):
        with pytest.raises(UnreadableImageError):
            decode(head + JPEG)


def overwritten(data: bytes, n_bytes: int, value: bytes) -> bytes:
    place = (scan_start(data) + len(data)) // 2
    return data[:place] + value * n_bytes + data[place + n_bytes :]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 2}])
def test_a_damaged_middle_is_told(seed: int, options: dict[str, object]) -> None:
    data = encoded(drawing(240, 320, seed), "JPEG", quality=92, **options)
    for n_bytes in (40, 512):
        damaged = overwritten(data, n_bytes, b"\0")
        try:
            decoded = decode(damaged)
        except UnreadableImageError:
            continue
        assert any("damaged" in warning for warning in decoded.warnings), (n_bytes, options)
        assert holdings_of(damaged, Limits()).is_damaged
    assert not holdings_of(data, Limits()).is_damaged


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_sound_pictures_are_not_called_damaged(quality: int) -> None:
    half = PICTURE.copy()
    half[40:] = 255
    for pixels in (PICTURE, half, flat(200, 300, 255), flat(64, 64, 0), noise(90, 90)):
        for options in ({}, {"optimize": True}, {"progressive": True}, {"restart_marker_rows": 1}):
            decoded = decode(encoded(pixels, "JPEG", quality=quality, **options))
            assert decoded.warnings == (), (quality, options)


def mostly_black(**options: bool) -> bytes:
    """A gray JPEG that has a run of zeros among its pixels."""
    black = np.zeros((400, 400), np.uint8)
    black[-48:, -48:] = noise(48, 48)[..., 0]
    data = encoded(black, "JPEG", quality=90, **options)
    assert b"\0" * 16 in data[scan_start(data) :]
    return data


def test_a_black_ground_in_the_shortest_codes_is_no_damage() -> None:
    data = mostly_black(optimize=True)
    assert decode(data).warnings == () and not holdings_of(data, Limits()).is_damaged


def test_the_tables_of_a_thumbnail_are_none_of_the_picture() -> None:
    data = mostly_black(progressive=True)
    part = b"Exif\0\0" + JPEG
    odd = data[:2] + b"\xff\xe1" + (len(part) + 2).to_bytes(2, "big") + part + data[2:]
    assert decode(odd).warnings == () and not holdings_of(odd, Limits()).is_damaged


ODD_HEADS = {
    "filler": b"\0\1\2\3\4",
    "a profile that is none": b"\xff\xe2\0\x12ICC_PROFILE\0\7\2ab",
}


@pytest.mark.parametrize("name", ODD_HEADS)
def test_what_is_odd_before_the_pixels_damages_none(name: str) -> None:
    data = encoded(photo_like(3), "JPEG", quality=85)
    place = data.index(b"\xff\xdb")
    odd = data[:place] + ODD_HEADS[name] + data[place:]
    assert np.array_equal(decode(odd).pixels, decode(data).pixels)
    assert decode(odd).warnings == () and not holdings_of(odd, Limits()).is_damaged
    damaged = DAMAGES["twice"](odd, (scan_start(odd) + len(odd)) // 2)
    assert any("damaged" in warning for warning in decode(damaged).warnings)


def test_a_scan_whose_head_is_lost_is_told() -> None:
    data = encoded(photo_like(3), "JPEG", quality=85, progressive=True)
    lost = data.replace(b"\xff\xda", b"\0\0", 1)
    assert any("damaged" in warning for warning in decode(lost).warnings)
    assert holdings_of(lost, Limits()).is_damaged


def without_middle(data: bytes, n_bytes: int) -> bytes:
    place = (scan_start(data) + len(data)) // 2
    return data[:place] + data[place + n_bytes :]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_rows": 2}])
def test_a_missing_middle_is_told(seed: int, options: dict[str, object]) -> None:
    data = encoded(drawing(240, 320, seed), "JPEG", quality=92, **options)
    damaged = without_middle(data, 2000)
    for side in (None, 80):
        assert decode(data, long_side=side).warnings == ()
        [warning] = decode(damaged, long_side=side).warnings
        assert "damaged" in warning
    assert holdings_of(damaged, Limits()).is_damaged


def photo_like(seed: int) -> Pixels:
    """Detail everywhere, as in a photo: codes are long, and nothing ends in blank blocks."""
    soft = cv2.GaussianBlur(noise(240, 320), (0, 0), 1.0 + 0.5 * seed)
    return np.asarray(cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX), np.uint8)


DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "other bytes": lambda data, at: data[:at] + bytes(range(1, 251)) * 2 + data[at + 500 :],
    "sent as text": lambda data, at: data.replace(b"\n", b"\r\n"),
    "twice": lambda data, at: data[:at] + data[at - 700 : at] + data[at:],
    "missing": lambda data, at: data[:at] + data[at + 700 :],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("progressive", [False, True])
def test_damage_that_codecs_pass_over_is_told(damage: str, progressive: bool) -> None:
    told = 0
    for seed in range(4):
        data = encoded(photo_like(seed), "JPEG", quality=85, progressive=progressive)
        assert decode(data).warnings == () and not holdings_of(data, Limits()).is_damaged
        damaged = DAMAGES[damage](data, (scan_start(data) + len(data)) // 2)
        try:
            warnings = decode(damaged, long_side=80).warnings
        except UnreadableImageError:
            continue
        is_told = any("damaged" in warning for warning in warnings)
        assert is_told == holdings_of(damaged, Limits()).is_damaged
        told += is_told
    assert told >= 3  # a stream may fall into step again


def test_a_damaged_picture_for_print_is_told() -> None:
    picture = PillowImage.fromarray(photo_like(1)).convert("CMYK")
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    data = stream.getvalue()
    assert decode(data).warnings == ()
    damaged = DAMAGES["twice"](data, (scan_start(data) + len(data)) // 2)
    assert any("damaged" in warning for warning in decode(damaged).warnings)


@pytest.mark.parametrize("n_bytes", [1, 2, 8])
def test_bytes_before_the_end_that_mean_nothing_are_no_damage(n_bytes: int) -> None:
    data = encoded(photo_like(2), "JPEG", quality=85)
    padded = data[:-2] + b"\x5a" * n_bytes + data[-2:]
    assert decode(padded).warnings == ()
    assert np.array_equal(decode(padded).pixels, decode(data).pixels)


def test_a_picture_that_ends_gray_is_not_damaged() -> None:
    gray = drawing(240, 320, 1)
    gray[-40:, -40:] = 128
    data = encoded(gray, "JPEG", quality=92)
    assert (decode(data).pixels[-1, -1] == 128).all() and decode(data).warnings == ()
    assert not holdings_of(data, Limits()).is_damaged


def test_a_middle_with_marks_of_another_meaning_is_read_and_told() -> None:
    data = encoded(noise(120, 160), "JPEG", quality=90)
    place = (scan_start(data) + len(data)) // 2
    for odd in (b"\xff\xc4\x01\x02" * 10, b"\x12\xff\xd8\xff\xda\x00" * 6, b"\xff\xc9" * 20):
        damaged = data[:place] + odd + data[place + len(odd) :]
        decoded = decode(damaged)
        assert decoded.pixels.shape == (120, 160, 3)
        assert any("damaged" in warning for warning in decoded.warnings)
        assert np.array_equal(decoded.pixels[:40], decode(data).pixels[:40])
        assert holdings_of(damaged, Limits()).is_damaged
        with pytest.raises(UnreadableImageError):
            decode(damaged[: place + 400])


@pytest.mark.parametrize("before", [b"\n", b"\r\n", b"\xef\xbb\xbf", b"\0" * 4096])
@pytest.mark.parametrize("data", [PNG, JPEG])
def test_what_says_nothing_may_stand_before_a_picture(before: bytes, data: bytes) -> None:
    decoded = decode(before + data)
    assert np.array_equal(decoded.pixels, decode(data).pixels)
    [warning] = decoded.warnings
    assert f"{len(before):,} byte" in warning
    assert holdings_of(before + data, Limits()).samples == holdings_of(data, Limits()).samples
    with pytest.raises(UnreadableImageError):
        decode(b"\0" * 4096)


def test_damaged_exif_refuses_no_webp() -> None:
    stream = io.BytesIO()
    picture = PillowImage.fromarray(PICTURE)
    picture.save(stream, "WEBP", lossless=True, exif=b"garbage", xmp=b"<x>" + LONG)
    data = stream.getvalue()
    for side in (None, 40):
        assert np.array_equal(decode(data, long_side=side).pixels, PICTURE)
    assert holdings_of(data, Limits()).tells == set()
