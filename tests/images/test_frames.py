"""TIFF pages and animation frames: by number, and one after another."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, Part, decode
from objsearch.images.frames import decode_part, iter_frames, tiff_pages
from tests.images import files
from tests.pictures import drawing, encoded


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_frames_by_number(kind: str) -> None:
    data = files.animation(files.numbered(8), kind)
    for number in (0, 3, 7, 2):
        frame = decode_part(data, Part(frame=number), "", Limits())
        assert files.number_of(frame.pixels) == number
    with pytest.raises(UnreadableImageError, match="no such frame: it has 8 frames"):
        decode_part(data, Part(frame=8), "", Limits())
    with pytest.raises(UnreadableImageError, match="count from 0"):
        decode_part(data, Part(frame=-1), "", Limits())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("step", [1, 3])
def test_frames_one_after_another(kind: str, step: int) -> None:
    data = files.animation(files.numbered(8), kind)
    seen = list(iter_frames(data, step, "a.gif", Limits()))
    assert [part.frame for part, _ in seen] == list(range(0, 8, step))
    for part, result in seen:
        assert isinstance(result, Decoded)
        assert files.number_of(result.pixels) == part.frame


def test_what_stands_still_has_one_frame_without_a_number() -> None:
    data = files.every_format()["drawing.gif"]
    (part, result), *rest = iter_frames(data, 1, "", Limits())
    assert not part and not rest
    assert isinstance(result, Decoded)
    assert np.array_equal(result.pixels, decode_part(data, Part(frame=0), "", Limits()).pixels)


def test_frames_build_upon_one_another() -> None:
    """A frame that changes a corner alone still is the whole picture."""
    first = np.zeros((40, 60, 3), np.uint8)
    second = first.copy()
    second[30:, 50:] = 255
    data = files.animation([first, second], "GIF")
    frame = decode_part(data, Part(frame=1), "", Limits()).pixels
    assert frame.shape == (40, 60, 3)
    assert frame[35, 55].min() > 200 and frame[5, 5].max() < 50


def test_a_cut_animation_tells_where_it_ends() -> None:
    noise = [np.random.default_rng(k).integers(0, 255, (60, 60, 3), np.uint8) for k in range(6)]
    data = files.animation(noise, "GIF")
    seen = list(iter_frames(data[: len(data) // 2], 1, "", Limits()))
    assert 1 <= len(seen) < 6
    for _, result in seen[:-1]:
        assert isinstance(result, Decoded)


def _tiff(pages: list[np.ndarray], **options: object) -> bytes:
    stream = io.BytesIO()
    pictures = [PillowImage.fromarray(page) for page in pages]
    pictures[0].save(stream, "TIFF", save_all=True, append_images=pictures[1:], **options)
    return stream.getvalue()


def test_tiff_pages() -> None:
    data = _tiff([*files.numbered(4), *files.numbered(5, (50, 90))[4:]])
    assert tiff_pages(data, Limits()) == [Part(page=k) for k in (1, 2, 3, 4, 5)]
    assert files.number_of(decode_part(data, Part(page=3), "", Limits()).pixels) == 2
    assert decode_part(data, Part(page=5), "", Limits()).pixels.shape == (90, 50, 3)
    with pytest.raises(UnreadableImageError, match="no such page: it has 5 pages"):
        decode_part(data, Part(page=6), "", Limits())
    with pytest.raises(UnreadableImageError, match="count from 1"):
        decode_part(data, Part(page=0), "", Limits())


def test_smaller_versions_of_a_page_are_no_pages() -> None:
    stream = io.BytesIO()
    big, small = files.numbered(1, (200, 100))[0], files.numbered(1, (20, 10))[0]
    thumbnail = PillowImage.fromarray(small)
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    PillowImage.fromarray(big).save(stream, "TIFF", save_all=True, append_images=[thumbnail])
    pages = tiff_pages(stream.getvalue(), Limits())
    assert pages in ([Part(page=1)], [Part(page=1), Part(page=2)])


def test_every_page_is_measured() -> None:
    data = _tiff([*files.numbered(1, (10, 10)), *files.numbered(1, (300, 300))])
    decode_part(data, Part(page=1), "", Limits(max_megapixels=0.001))
    with pytest.raises(UnreadableImageError, match="over the limit"):
        decode_part(data, Part(page=2), "", Limits(max_megapixels=0.001))


def test_a_photo_has_one_page_and_no_times() -> None:
    data = files.every_format()["drawing.jpg"]
    assert decode_part(data, Part(page=1), "", Limits()).pixels.size
    with pytest.raises(UnreadableImageError, match=r"it has 1 page$"):
        decode_part(data, Part(page=2), "", Limits())
    with pytest.raises(UnreadableImageError, match="no video"):
        decode_part(data, Part(seconds=1.0), "", Limits())


def test_there_is_a_time_limit() -> None:
    data = files.animation(files.numbered(8), "GIF")
    with pytest.raises(UnreadableImageError, match="too long"):
        decode_part(data, Part(frame=5), "", Limits(timeout_seconds=-1))


def stereo(second: np.ndarray) -> bytes:
    stream = io.BytesIO()
    one, other = (PillowImage.fromarray(pixels) for pixels in (drawing(90, 120, 1), second))
    one.save(stream, "MPO", save_all=True, append_images=[other], quality=95)
    return stream.getvalue()


def test_the_second_picture_of_a_jpeg_is_a_frame() -> None:
    second = drawing(90, 120, 2)
    data = stereo(second)
    assert decode(data).warnings == ("only the first of its 2 pictures was looked at",)
    found = decode_part(data, Part(frame=1), "", Limits())
    assert np.abs(found.pixels.astype(int) - second).mean() < 15 and found.warnings == ()
    assert decode(stereo(second[::4, ::4].copy())).warnings == ()  # a preview, most likely


def test_a_frame_that_stands_for_an_animation_is_told() -> None:
    for kind in ("GIF", "WEBP", "PNG"):
        data = files.animation(files.numbered(3), kind)
        assert decode(data).warnings == ("only the first frame of the animation was looked at",)
        assert decode_part(data, Part(frame=1), "", Limits()).warnings == ()


@pytest.mark.parametrize("depths", [(4, 32), (32, 4)])
def test_of_one_size_the_icon_of_most_colours_comes_first(depths: tuple[int, int]) -> None:
    versions = {4: drawing(48, 48, 1), 32: drawing(48, 48, 2)}
    pngs = [encoded(versions[depth], "PNG") for depth in depths]
    data, place = struct.pack("<HHH", 0, 1, 2), 6 + 2 * 16
    for depth, png in zip(depths, pngs, strict=True):
        data += struct.pack("<BBBBHHII", 48, 48, 0, 0, 1, depth, len(png), place)
        place += len(png)
    data += b"".join(pngs)
    assert np.array_equal(decode(data).pixels, versions[32])
    for number, depth in enumerate((32, 4)):
        frame = decode_part(data, Part(frame=number), "", Limits())
        assert np.array_equal(frame.pixels, versions[depth])
