"""What a file holds: equal only where everything shown is, and nothing of its own is overlooked."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits
from objsearch.images.holdings import Holdings, holdings_of
from tests.images import files
from tests.images.tiffs import Page, tiff
from tests.pictures import drawing, encoded

PICTURE = drawing(60, 90, 3)
OTHER = drawing(60, 90, 4)
SMALLER = cv2.resize(PICTURE, (30, 20), interpolation=cv2.INTER_AREA)


def held(data: bytes, limits: Limits = Limits()) -> Holdings:
    return holdings_of(data, limits)


def saved(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png(values: np.ndarray) -> bytes:
    """8 or 16 bits, gray, RGB or RGBA."""
    if values.ndim == 3:
        values = values[..., [2, 1, 0, 3][: values.shape[2]]]
    return bytes(np.asarray(cv2.imencode(".png", values)[1]))


def with_alpha(pixels: np.ndarray, alpha: np.ndarray) -> bytes:
    return saved(PillowImage.fromarray(np.dstack([pixels, alpha]), "RGBA"), "PNG")


def test_the_same_samples_in_any_lossless_file_are_equal(tmp_path: Path) -> None:
    kinds = {"PNG": {}, "BMP": {}, "TIFF": {"compression": "tiff_lzw"}, "WEBP": {"lossless": True}}
    found = [held(encoded(PICTURE, kind, **options)) for kind, options in kinds.items()]
    assert len({one.samples for one in found}) == 1
    assert found[0] == Holdings(found[0].samples, is_lossless=True)
    assert held(encoded(OTHER, "PNG")).samples != found[0].samples
    path = tmp_path / "a.png"
    path.write_bytes(encoded(PICTURE, "PNG"))
    assert holdings_of(path, Limits()) == holdings_of(str(path), Limits()) == found[0]


def test_what_loses_nothing_is_known_for_it() -> None:
    picture = PillowImage.fromarray(drawing(60, 80, 1))
    for kind in ("PNG", "BMP", "TIFF"):
        assert held(saved(picture, kind)).is_lossless
    assert held(saved(picture, "TIFF", compression="tiff_lzw")).is_lossless
    for kind, how in {"JPEG": {}, "TIFF": {"compression": "jpeg"}, "WEBP": {}}.items():
        assert not held(saved(picture, kind, **how)).is_lossless
    assert not held(saved(picture.quantize(16), "PNG")).is_lossless


@pytest.mark.parametrize("pixel", [0, 1])
def test_one_pixel_one_level_away_is_not_equal(pixel: int) -> None:
    changed = PICTURE.copy()
    changed[-1, -1, pixel] ^= 1
    assert held(png(changed)).samples != held(png(PICTURE)).samples


def test_a_turned_file_is_equal_to_the_upright_one() -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    turned = encoded(np.ascontiguousarray(np.rot90(PICTURE, 1)), "PNG", exif=exif)
    assert held(turned).samples == held(png(PICTURE)).samples
    lying = encoded(np.ascontiguousarray(np.rot90(PICTURE, 1)), "PNG")
    assert held(lying).samples != held(png(PICTURE)).samples
    wide = PICTURE.astype(np.uint16) * 257
    page = Page(np.ascontiguousarray(np.rot90(wide, 1)), {274: (6,)})
    assert held(tiff([page])).samples == held(png(wide)).samples


def test_palettes_and_grays_are_compared_by_what_they_show() -> None:
    few = PillowImage.fromarray(PICTURE).quantize(40)
    as_rgb = held(encoded(np.asarray(few.convert("RGB")), "PNG"))
    assert held(saved(few, "PNG")).samples == held(saved(few, "GIF")).samples == as_rgb.samples
    gray = PillowImage.fromarray(PICTURE).convert("L")
    one, three = held(saved(gray, "PNG")), held(saved(gray.convert("RGB"), "PNG"))
    assert one == three
    assert one.n_colours == 1 and as_rgb.n_colours == 3
    assert held(saved(gray.convert("RGB"), "JPEG")).n_colours == 1


def test_16_bits_equal_16_bits_alone() -> None:
    wide = PICTURE.astype(np.uint16) * 257
    finer = wide.copy()
    finer[5, 5, 1] ^= 3
    narrow, deep = held(png(PICTURE)), held(png(wide))
    assert (narrow.bits, deep.bits) == (8, 16)
    assert deep.samples not in (narrow.samples, held(png(finer)).samples)
    as_tiffs = [held(tiff([Page(wide)], order)) for order in "<>"]
    assert {one.samples for one in as_tiffs} == {deep.samples}
    gray = wide[..., 1]
    assert held(png(gray)).samples == held(tiff([Page(gray)])).samples
    assert held(png(gray)).samples == held(tiff([Page(65535 - gray, {262: (0,)})])).samples


def test_number_types_are_told_apart() -> None:
    whole = np.arange(60 * 90, dtype=np.int32).reshape(60, 90)
    made = [whole.astype(kind) for kind in (np.int32, np.uint32, np.int16, np.uint16, np.float32)]
    found = [held(tiff([Page(one)])) for one in made]
    assert len({one.samples for one in found}) == len(made)
    assert [one.bits for one in found] == [32, 32, 16, 16, 32]


def test_what_cannot_be_read_at_its_depth_equals_only_itself() -> None:
    wide = PICTURE.astype(np.uint16) * 257
    planar, again = tiff([Page(wide, is_planar=True)]), tiff([Page(wide, {305: (1,)}, [], True)])
    assert held(planar).samples.startswith("bytes:")
    assert held(planar).samples != held(again).samples


def test_hidden_colours_do_not_count_and_alpha_does() -> None:
    alpha = np.full((60, 90), 255, np.uint8)
    assert held(with_alpha(PICTURE, alpha)) == held(png(PICTURE))
    alpha[:20] = 0
    painted = PICTURE.copy()
    painted[:20] = 77
    one, other = held(with_alpha(PICTURE, alpha)), held(with_alpha(painted, alpha))
    assert one == other and one.has_alpha
    alpha[30, 30] = 254
    assert held(with_alpha(PICTURE, alpha)).samples != one.samples
    on_white = PICTURE.copy()
    on_white[:20] = 255
    assert held(png(on_white)).samples != one.samples


def test_every_frame_counts_and_its_time_does_not() -> None:
    shown = [PillowImage.fromarray(one) for one in files.numbered(4)]

    def animation(frames: list[PillowImage.Image], kind: str, duration: int) -> Holdings:
        more = {"lossless": True} if kind == "WEBP" else {}
        return held(
            saved(
                frames[0],
                kind,
                save_all=True,
                append_images=frames[1:],
                duration=duration,
                **more,
            )
        )

    for kind in ("GIF", "WEBP", "PNG"):
        whole = animation(shown, kind, 90)
        assert (whole.n_pictures, whole.is_animated) == (4, True), kind
        assert animation(shown, kind, 250).samples == whole.samples, kind
        assert animation([*shown[:3], shown[1]], kind, 90).samples != whole.samples, kind
        assert animation(shown[:2], kind, 90).samples != whole.samples, kind
        still = held(saved(shown[0], kind))
        assert (still.n_pictures, still.is_animated) == (1, False), kind


def test_every_page_counts_and_its_thumbnail_does_not() -> None:
    both = tiff([Page(PICTURE), Page(OTHER)])
    assert held(both).n_pictures == 2 and not held(both).is_animated
    assert held(both).samples != held(tiff([Page(PICTURE), Page(PICTURE)])).samples
    alone = held(tiff([Page(PICTURE)]))
    first = tiff([Page(SMALLER, {254: (1,)}), Page(PICTURE)])
    below = tiff([Page(SMALLER, {254: (1,)}, [Page(PICTURE)])])
    unsaid = tiff([Page(SMALLER), Page(PICTURE)])
    with_small = replace(alone, has_more=True)  # smaller versions are not compared
    assert held(first) == held(below) == held(unsaid) == with_small


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    return encoded(pixels, "JPEG", quality=90, **options)


FILM = struct.pack(">I4s4sI", 24, b"ftyp", b"mp42", 0) + b"isommp42" + b"\1\2\3" * 200


def test_what_lies_behind_a_jpeg() -> None:
    plain = held(jpeg(PICTURE))
    assert held(jpeg(PICTURE) + b"\0" * 3000) == plain
    assert held(jpeg(PICTURE) + b"\r\n") == plain
    film = held(jpeg(PICTURE) + FILM)
    assert (film.has_film, film.has_more) == (True, False)
    samsung = b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + FILM + b"SEFH\0\0\0\0SEFT"
    assert held(jpeg(PICTURE) + samsung).has_film
    more = held(jpeg(PICTURE) + b"PK\3\4 an archive")
    assert (more.has_film, more.has_more) == (False, True)
    assert film.samples == more.samples == plain.samples
    assert held(png(PICTURE) + b"PK\3\4 an archive").has_more
    assert held(encoded(PICTURE, "GIF") + b"PK\3\4 an archive").has_more
    assert held(encoded(PICTURE, "WEBP") + FILM).has_film
    assert not held(encoded(PICTURE, "GIF")).has_more and not held(png(PICTURE)).has_more


def test_a_second_picture_behind_a_jpeg() -> None:
    plain, stereo = held(jpeg(PICTURE)), held(jpeg(PICTURE) + jpeg(OTHER))
    assert stereo.n_pictures == 2 and stereo.samples != plain.samples
    assert stereo.samples != held(jpeg(PICTURE) + jpeg(PICTURE)).samples
    preview = held(jpeg(PICTURE) + jpeg(SMALLER))
    assert preview == plain
    small_other = held(jpeg(PICTURE) + jpeg(OTHER[::2, ::2].copy()))
    assert small_other.n_pictures == 2


def test_a_gain_map_is_no_second_picture() -> None:
    xmp = b'<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    gain = jpeg(OTHER[..., :1].repeat(3, axis=2)[::2, ::2].copy(), xmp=xmp)
    plain, bright = held(jpeg(PICTURE)), held(jpeg(PICTURE) + gain)
    assert bright.has_gain_map and not plain.has_gain_map
    assert (bright.n_pictures, bright.samples) == (1, plain.samples)


def test_every_size_of_an_icon_counts() -> None:
    square = PillowImage.fromarray(PICTURE).resize((64, 64))
    small, other = (
        PillowImage.fromarray(one).resize((32, 32)).convert("RGBA") for one in (PICTURE, OTHER)
    )
    sizes = [(64, 64), (32, 32)]
    one = held(saved(square, "ICO", sizes=sizes, append_images=[small]))
    two = held(saved(square, "ICO", sizes=sizes, append_images=[other]))
    assert one.n_pictures == two.n_pictures == 2
    assert one.samples != two.samples
    assert held(saved(square, "ICO", sizes=sizes[:1])).n_pictures == 1


def test_layers_of_an_editor_are_more() -> None:
    layers = tuple(range(200))
    assert held(tiff([Page(PICTURE, {37724: layers})])).has_more
    assert not held(tiff([Page(PICTURE)])).has_more


def test_a_picture_that_conversion_makes_flat_is_lost_by_it() -> None:
    gray = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
    assert held(png(gray.astype(np.uint16))).lost_by_conversion
    assert held(png(gray.astype(np.uint16) * 16)).lost_by_conversion
    assert not held(png(gray.astype(np.uint16) * 257)).lost_by_conversion
    assert not held(png(np.full((60, 90), 700, np.uint16))).lost_by_conversion
    assert not held(png(gray)).lost_by_conversion
    hot = gray.astype(np.float32)
    hot[3, 3] = 1e9
    assert held(tiff([Page(hot)])).lost_by_conversion
    ink = np.where(gray > 128, 255, 0).astype(np.uint8)
    white = with_alpha(np.full_like(PICTURE, 255), ink)
    assert held(white).lost_by_conversion
    assert not held(white, Limits(background=(0, 0, 0))).lost_by_conversion
    assert not held(with_alpha(np.zeros_like(PICTURE), ink)).lost_by_conversion
    assert not held(with_alpha(PICTURE, ink)).lost_by_conversion


def test_what_is_told_beside_the_pixels() -> None:
    exif = PillowImage.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 7"
    exif.get_ifd(0x8769)[0x9003] = "2021:05:04 03:02:01"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 1.0), 3: "E", 4: (11.0, 3.0, 5.0)})
    assert held(jpeg(PICTURE, exif=exif)).tells == {"date", "place", "camera"}
    changed = PillowImage.Exif()
    changed[0x0132] = "2024:01:01 00:00:00"
    assert held(jpeg(PICTURE, exif=changed)).tells == set()
    xmp = b'<x:xmpmeta><r exif:GPSLatitude="48,8N" tiff:Make="Maker"/></x:xmpmeta>'
    assert held(jpeg(PICTURE, xmp=xmp)).tells == {"place", "camera"}
    damaged = held(jpeg(PICTURE, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))
    assert damaged.tells == set()


def test_another_profile_shows_other_colours() -> None:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    without = held(jpeg(PICTURE))
    assert held(jpeg(PICTURE, icc_profile=plain)) == without
    odd = held(jpeg(PICTURE, icc_profile=lab))
    assert odd.tells == {"profile"} and odd.samples != without.samples


def test_heic_is_told_by_its_boxes() -> None:
    data = files.every_format()["drawing.heic"]
    found = held(data)
    assert found.samples.startswith("bytes:")
    assert (found.n_pictures, found.bits, found.has_film) == (1, 8, False)
    stream = io.BytesIO()
    frames = [PillowImage.fromarray(one) for one in (PICTURE, OTHER)]
    frames[0].save(stream, "HEIF", save_all=True, append_images=frames[1:])
    assert held(stream.getvalue()).n_pictures == 2
    assert held(data + struct.pack(">I4s", 16, b"mpvd") + b"\0" * 8).has_film


@pytest.mark.parametrize("data", [b"", b"no picture at all", b"II*\0\x08\0\0\0", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_told(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        held(data)


def test_large_pictures_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(UnreadableImageError, match="megapixels"):
        held(png(PICTURE), Limits(max_megapixels=0.001))
    with pytest.raises(UnreadableImageError, match="megapixels"):
        held(tiff([Page(PICTURE.astype(np.uint16))]), Limits(max_megapixels=0.001))
    with pytest.raises(UnreadableImageError, match="bytes"):
        held(png(PICTURE), Limits(max_bytes=100))


def test_how_long_frames_stand_is_told_in_hundredths() -> None:
    shown = [PillowImage.fromarray(one) for one in files.numbered(3)]

    def timing(kind: str, duration: int) -> str:
        more = {"lossless": True} if kind == "WEBP" else {}
        frames = {"save_all": True, "append_images": shown[1:], "duration": duration}
        return held(saved(shown[0], kind, **frames, **more)).timing

    assert timing("GIF", 90) == timing("WEBP", 92) == timing("PNG", 88) != ""
    assert timing("WEBP", 90) != timing("WEBP", 250)
    assert held(jpeg(PICTURE)).timing == ""


def test_a_profile_that_cannot_be_read_tells_nothing() -> None:
    found = held(encoded(PICTURE, "PNG", icc_profile=b"garbage" * 200))
    assert found == held(png(PICTURE)) and found.tells == set()


def test_wholly_transparent_is_told_from_blank() -> None:
    clear = with_alpha(np.full_like(PICTURE, 255), np.zeros(PICTURE.shape[:2], np.uint8))
    assert held(clear).is_clear
    assert not held(png(np.full_like(PICTURE, 255))).is_clear
