"""Bytes -> upright RGB, whatever the pixels were; and hostile bytes -> one sentence."""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pillow_jxl  # noqa: F401  (teaches Pillow JPEG XL)
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, decode, told_in_a_sentence
from objsearch.images.plugins import decode_with_plugin
from objsearch.types import Pixels
from tests.pictures import drawing, encoded, flat, noise

PICTURE = drawing(61, 83)


def saved(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def check(pixels: Pixels, height: int, width: int) -> None:
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


def distance(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


FORMATS = {
    "JPEG": ({"quality": 97, "subsampling": 0}, 5.0),
    "PNG": ({}, 0.0),
    "BMP": ({}, 0.0),
    "GIF": ({}, 6.0),
    "TIFF": ({"compression": "tiff_lzw"}, 0.0),
    "WEBP": ({"lossless": True}, 0.0),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_picture(kind: str) -> None:
    options, allowed = FORMATS[kind]
    decoded = decode(encoded(PICTURE, kind, **options))
    check(decoded.pixels, 61, 83)
    assert decoded.format == kind
    assert distance(decoded.pixels, PICTURE) <= allowed
    assert decoded.warnings == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    undo = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation](PICTURE))
    options, allowed = FORMATS[kind]
    decoded = decode(encoded(stored, kind, exif=exif, **options))
    check(decoded.pixels, 61, 83)
    assert distance(decoded.pixels, PICTURE) <= allowed


def jxl(pixels: Pixels, orientation: int) -> bytes:
    """A JPEG XL that says its orientation beside its pixels, and once more in EXIF, as cjxl does.

    The encoder at hand writes a header without a field, all of it as usual, after the size; this
    one has all fields, with the values that were meant.
    """
    stream = encoded(pixels, "JXL", quality=95)
    stream = stream[stream.index(b"\xff\x0a") :]
    height, width = pixels.shape[:2]
    assert 256 < height <= 512 and 256 < width <= 512 and height % 8  # then 26 bits say the size
    size = [int.from_bytes(stream[2:6], "little") >> n & 1 for n in range(26)]
    turn = [(orientation - 1) >> n & 1 for n in range(3)]
    fields = [0, 1, *turn, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1]
    bits = [*size, *fields]
    bits += [0] * (-len(bits) % 8)
    header = sum(bit << n for n, bit in enumerate(bits)).to_bytes(len(bits) // 8, "little")
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    boxes = {
        b"JXL ": b"\r\n\x87\n",
        b"ftyp": b"jxl \0\0\0\0jxl ",
        b"Exif": b"\0\0\0\0" + exif.tobytes().removeprefix(b"Exif\0\0"),
        b"jxlc": stream[:2] + header + stream[6:],
    }
    return b"".join(struct.pack(">I", 8 + len(body)) + kind + body for kind, body in boxes.items())


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_xl_is_turned_once(orientation: int) -> None:
    picture = drawing(300, 420)
    stored = np.rot90(picture, {1: 0, 3: 2, 6: 1, 8: -1}[orientation])
    pixels = decode_with_plugin(jxl(stored, orientation), "JXL", "a.jxl", Limits()).pixels
    check(pixels, 300, 420)
    assert distance(pixels, picture) < 6


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_cut_jpeg_xl_asks_nobody_to_build_its_codec(part: float) -> None:
    whole = encoded(drawing(300, 420), "JXL", quality=90)
    with pytest.raises(UnreadableImageError, match="it is damaged, or of a kind of JPEG XL"):
        decode_with_plugin(whole[: int(part * len(whole))], "JXL", "a.jxl", Limits())


def test_a_jpeg_packed_in_a_jpeg_xl_is_turned_as_it_says(tmp_path: Path) -> None:
    picture = drawing(300, 420)
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(picture, 1))
    (tmp_path / "a.jpg").write_bytes(encoded(stored, "JPEG", quality=95, exif=exif))
    with PillowImage.open(tmp_path / "a.jpg") as jpeg:
        packed = saved(jpeg, "JXL", lossless_jpeg=True)
    pixels = decode_with_plugin(packed, "JXL", "a.jxl", Limits()).pixels
    check(pixels, 300, 420)
    assert distance(pixels, picture) < 6


@pytest.mark.parametrize(("long_side", "size_wh"), [(60, (60, 40)), (61, (120, 80)), (999, None)])
def test_a_jpeg_that_will_be_reduced_comes_smaller_but_never_too_small(
    long_side: int, size_wh: tuple[int, int] | None
) -> None:
    data = encoded(drawing(160, 240), "JPEG")
    whole = decode(data).pixels
    found = decode(data, long_side=long_side).pixels
    assert (found.shape[1], found.shape[0]) == (size_wh or (240, 160))
    reduced = cv2.resize(whole, found.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert distance(found, reduced) < 3
    png = encoded(drawing(160, 240), "PNG")
    assert np.array_equal(decode(png, long_side=long_side).pixels, decode(png).pixels)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_reduced_jpeg_is_upright_and_in_colour(mode: str, orientation: int) -> None:
    picture = PillowImage.fromarray(drawing(160, 240)).convert(mode)
    exif = picture.getexif()
    exif[0x0112] = orientation
    data = saved(picture, "JPEG", exif=exif, quality=95)
    whole, found = decode(data).pixels, decode(data, long_side=60).pixels
    assert found.shape == ((40, 60, 3) if orientation == 1 else (60, 40, 3))
    reduced = cv2.resize(whole, found.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert distance(found, reduced) < 3


@pytest.mark.parametrize("size_wh", [(1, 2000), (5000, 3)])
def test_a_thread_of_a_jpeg_can_be_reduced(size_wh: tuple[int, int]) -> None:
    data = saved(PillowImage.new("RGB", size_wh), "JPEG")
    assert max(decode(data, long_side=320).pixels.shape) >= 320


def test_transparency_is_laid_on_the_background() -> None:
    layers = np.dstack([flat(4, 6, 100), np.full((4, 6), 255, np.uint8)])
    layers[:, :2, 3] = 0
    layers[:, 2:4, 3] = 128
    data = saved(PillowImage.fromarray(layers, "RGBA"), "PNG")
    on_white = decode(data).pixels
    on_red = decode(data, limits=Limits(background=(255, 0, 0))).pixels
    assert (on_white[:, :2] == 255).all() and (on_white[:, 4:] == 100).all()
    assert (on_red[:, :2] == (255, 0, 0)).all() and (on_red[:, 4:] == 100).all()
    assert np.abs(on_white[0, 2].astype(int) - 177).max() <= 1
    assert np.abs(on_red[0, 2].astype(int) - (177, 50, 50)).max() <= 1


def test_transparency_of_gray_and_palette_pictures() -> None:
    gray = np.dstack([np.full((4, 4), 60, np.uint8), np.full((4, 4), 255, np.uint8)])
    gray[0, 0, 1] = 0
    pixels = decode(saved(PillowImage.fromarray(gray, "LA"), "PNG")).pixels
    assert (pixels[0, 0] == 255).all() and (pixels[1, 1] == 60).all()
    palette = PillowImage.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    for kind in ("PNG", "GIF"):
        pixels = decode(saved(palette, kind, transparency=0)).pixels
        assert (pixels[0, 0] == 255).all(), kind
        assert tuple(pixels[0, 1]) == (40, 50, 60), kind


def test_16_bit_gray_keeps_its_upper_8() -> None:
    values = np.linspace(0, 65535, 61 * 83).reshape(61, 83).astype(np.uint16)
    for data in (saved(PillowImage.fromarray(values), "PNG"), bytes(_png16(values))):
        pixels = decode(data).pixels
        check(pixels, 61, 83)
        assert np.array_equal(pixels[..., 0], (values >> 8).astype(np.uint8))
    tiff = decode(saved(PillowImage.fromarray(values), "TIFF")).pixels
    assert np.array_equal(tiff[..., 1], (values >> 8).astype(np.uint8))


def test_a_gray_of_16_bits_may_stand_for_clear() -> None:
    values = np.full((20, 30), 40_000, np.uint16)
    values[5:10, 5:10] = 300
    values[12:15, 5:10] = 301
    clear = b"tRNS" + (300).to_bytes(2, "big")
    chunk = (2).to_bytes(4, "big") + clear + zlib.crc32(clear).to_bytes(4, "big")
    png = _png16(values).tobytes()
    decoded = decode(png[:33] + chunk + png[33:])
    assert decoded.alpha is not None
    assert np.array_equal(decoded.alpha == 0, values == 300)
    assert (decoded.pixels[6, 6] == 255).all() and (decoded.pixels[13, 6] == 1).all()


def test_16_bit_colour_keeps_its_upper_8() -> None:
    wide = PICTURE.astype(np.uint16) * 257
    pixels = decode(bytes(_png16(wide[..., ::-1]))).pixels
    assert distance(pixels, PICTURE) <= 1.0


def _png16(values: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.imencode(".png", values)[1])


def test_floating_point_is_stretched() -> None:
    values = np.linspace(-3.0, 5.0, 61 * 83, dtype=np.float32).reshape(61, 83)
    pixels = decode(saved(PillowImage.fromarray(values), "TIFF")).pixels
    check(pixels, 61, 83)
    assert pixels[0, 0, 0] == 0 and pixels[-1, -1, 0] == 255
    assert (np.diff(pixels[..., 0].reshape(-1).astype(int)) >= 0).all()
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    check(decode(saved(PillowImage.fromarray(values), "TIFF")).pixels, 61, 83)
    constant = np.full((4, 5), 7.5, np.float32)
    check(decode(saved(PillowImage.fromarray(constant), "TIFF")).pixels, 4, 5)


@pytest.mark.parametrize("filler", [-9999.0, 3.4e38])
def test_a_number_that_stands_for_none_hides_no_others(filler: float) -> None:
    heights = cv2.GaussianBlur(np.random.default_rng(3).random((90, 120)), (0, 0), 8)
    values = np.asarray(heights, np.float32)
    plain = decode(saved(PillowImage.fromarray(values), "TIFF")).pixels.astype(int)
    values[20:40, 30:60] = filler
    pixels = decode(saved(PillowImage.fromarray(values), "TIFF")).pixels.astype(int)
    assert np.abs(pixels - plain)[:, 61:].mean() < 10
    assert len(set(pixels[20:40, 30:60].ravel().tolist())) == 1


def test_pictures_without_a_number_are_told() -> None:
    values = np.full((40, 50), np.nan, np.float32)
    [warning] = decode(saved(PillowImage.fromarray(values), "TIFF")).warnings
    assert "none of its values is a number" in warning


def test_cmyk_palette_gray_and_bits() -> None:
    colour = PillowImage.fromarray(PICTURE)
    cmyk = decode(saved(colour.convert("CMYK"), "JPEG", quality=95)).pixels
    assert distance(cmyk, PICTURE) < 8
    palette = colour.quantize(200)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        expected = np.asarray(palette.convert("RGB"))
        assert np.array_equal(decode(saved(palette, kind)).pixels, expected), kind
    gray = colour.convert("L")
    for kind in ("PNG", "BMP", "TIFF"):
        pixels = decode(saved(gray, kind)).pixels
        assert np.array_equal(pixels[..., 2], np.asarray(gray)), kind
    bits = gray.point(lambda v: 255 * (v > 127)).convert("1")
    for kind in ("PNG", "BMP", "TIFF"):
        pixels = decode(saved(bits, kind)).pixels
        assert np.array_equal(pixels[..., 0], np.asarray(bits) * np.uint8(255)), kind


def test_a_wrong_extension_is_a_warning() -> None:
    data = encoded(PICTURE, "PNG")
    assert decode(data, name="a.png").warnings == ()
    assert decode(data, name="A.PNG").warnings == ()
    assert decode(data, name="a").warnings == ()
    assert decode(data, name="a.dat").warnings == ()
    [warning] = decode(data, name="a.jpg").warnings
    assert ".jpg" in warning and "PNG" in warning
    assert np.array_equal(decode(data, name="a.jpg").pixels, PICTURE)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(kind: str, part: float) -> None:
    data = encoded(noise(61, 83), kind, **FORMATS[kind][0])
    with pytest.raises(UnreadableImageError) as caught:
        decode(data[: int(len(data) * part)])
    assert str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_a_picture_or_a_reason(kind: str) -> None:
    data = encoded(PICTURE, kind, **FORMATS[kind][0])
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 8):
            damaged[place] = rng.integers(0, 256)
        try:
            decoded = decode(bytes(damaged), limits=Limits(max_megapixels=1))
        except UnreadableImageError as error:
            assert str(error) and "\n" not in str(error)
        else:
            check(decoded.pixels, *decoded.pixels.shape[:2])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"just words, no picture", "not an image"),
        (b"\x00" * 1000, "not an image"),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\xff\xd8\xff\xe0", None),
        (b"GIF89a", None),
        (b"BM", None),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
    ],
)
def test_what_is_no_image_is_told(data: bytes, reason: str | None) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        decode(data)


def png_of_size(width: int, height: int) -> bytes:
    """A small file that claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


BOMBS = {
    "png": png_of_size(60_000, 60_000),
    "bmp": struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 24, *[0] * 6
    ),
    "gif": b"GIF89a"
    + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    + b"\0" * 6
    + b"\x2c"
    + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    + b"\x02\x02\x44\x01\x00\x3b",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_with_a_huge_header_is_refused_before_it_is_decoded(kind: str) -> None:
    assert len(BOMBS[kind]) < 1000
    with pytest.raises(UnreadableImageError, match=r"megapixels, over the limit of 200"):
        decode(BOMBS[kind])


def test_limits_are_inclusive_and_ours() -> None:
    data = encoded(flat(100, 100), "PNG")
    assert decode(data, limits=Limits(max_megapixels=0.01)).pixels.shape == (100, 100, 3)
    with pytest.raises(UnreadableImageError, match=r"limit of 0\.0099"):
        decode(data, limits=Limits(max_megapixels=0.0099))
    assert decode(data, limits=Limits(max_bytes=len(data))).pixels.size
    with pytest.raises(UnreadableImageError, match="bytes"):
        decode(data, limits=Limits(max_bytes=len(data) - 1))


def test_the_first_frame_of_many() -> None:
    frames = [PillowImage.fromarray(flat(9, 7, value)) for value in (40, 90, 200)]
    for kind in ("GIF", "TIFF", "WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        pixels = decode(data).pixels
        check(pixels, 9, 7)
        assert abs(int(pixels[4, 3, 0]) - 40) <= 3, kind


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_tiny_pictures_are_pictures(shape: tuple[int, int]) -> None:
    for kind in ("PNG", "BMP", "TIFF", "GIF"):
        check(decode(encoded(noise(*shape), kind)).pixels, *shape)


def test_threads_decode_side_by_side_and_leave_warnings_as_they_were() -> None:
    good = [encoded(noise(40, 50, seed), "PNG") for seed in range(6)]
    odd = encoded(PICTURE, "TIFF")[:-40]
    before = list(warnings.filters)

    def tried(data: bytes) -> bool:
        try:
            return bool(decode(data).pixels.size)
        except UnreadableImageError:
            return False

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(tried, [*good, odd] * 10))
    assert results.count(True) >= 60
    assert list(warnings.filters) == before


def test_what_pillow_logs_is_not_written_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    data = bytearray(encoded(PICTURE, "TIFF"))
    place = data.index(struct.pack("<HHI", 277, 3, 1))
    data[place + 8 : place + 10] = b"\xff\xff"  # samples a pixel
    with pytest.raises(UnreadableImageError):
        decode(bytes(data))
    assert capsys.readouterr() == ("", "")


def test_a_reason_in_bytes_is_told_in_words() -> None:
    told = pytest.raises(UnreadableImageError, match=r"^it cannot be decoded \(not RAW file\)$")
    with told, told_in_a_sentence(Limits()):
        raise RuntimeError(b"not RAW file")
