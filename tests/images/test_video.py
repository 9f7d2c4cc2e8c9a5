"""Video frames: the first, by time, by number, and every so many."""

from __future__ import annotations

from pathlib import Path

import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images import video
from objsearch.images.decode import Decoded, Limits, Part
from tests.images import files

CODECS = [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.webm", "VP80"), ("a.mkv", "MJPG")]


def film(tmp_path: Path, name: str, codec: str, count: int = 28) -> str:
    path = tmp_path / name
    path.write_bytes(files.video(files.numbered(count), name, codec))
    return str(path)


@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_frames_have_times_that_open_again(tmp_path: Path, name: str, codec: str) -> None:
    path = film(tmp_path, name, codec)
    seen = [item for item in video.iter_frames(path, 5, Limits()) if item is not None]
    assert [part.seconds for part, _ in seen] == [0.0, 0.4, 0.8, 1.2, 1.6, 2.0]
    for number, (part, result) in enumerate(seen):
        assert isinstance(result, Decoded)
        assert files.number_of(result.pixels) == 5 * number
        again = video.read_part(path, part, Limits())
        assert files.number_of(again.pixels) == 5 * number


def test_seeking_past_the_run_up(tmp_path: Path) -> None:
    path = film(tmp_path, "long.mp4", "mp4v", 90)
    for seconds in (6.8, 0.08, 4.0):
        pixels = video.read_part(path, Part(seconds=seconds), Limits()).pixels
        assert files.number_of(pixels) == round(seconds * 12.5) % 30
    with pytest.raises(UnreadableImageError, match=r"nothing at 60 s: it ends at 7\.12 s"):
        video.read_part(path, Part(seconds=60.0), Limits())


def test_by_number(tmp_path: Path) -> None:
    path = film(tmp_path, "a.avi", "MJPG", 10)
    assert files.number_of(video.read_part(path, Part(), Limits()).pixels) == 0
    assert files.number_of(video.read_part(path, Part(frame=7), Limits()).pixels) == 7
    with pytest.raises(UnreadableImageError, match="10 frames can be decoded"):
        video.read_part(path, Part(frame=10), Limits())
    with pytest.raises(UnreadableImageError, match="no pages"):
        video.read_part(path, Part(page=1), Limits())


def test_size_limit(tmp_path: Path) -> None:
    path = film(tmp_path, "a.avi", "MJPG", 2)
    with pytest.raises(UnreadableImageError, match="over the limit"):
        video.read_part(path, Part(), Limits(max_megapixels=0.01))


def test_a_cut_video_says_where_it_breaks_off(tmp_path: Path) -> None:
    path = Path(film(tmp_path, "a.avi", "MJPG", 100))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    *frames, (_, last) = [i for i in video.iter_frames(str(path), 1, Limits()) if i is not None]
    assert frames
    assert isinstance(last, UnreadableImageError)
    assert "breaks off after" in str(last)


def test_play_lists_are_not_followed(tmp_path: Path) -> None:
    """FFmpeg would read other files, and the network, for them."""
    film(tmp_path, "a.avi", "MJPG", 2)
    for name, text in {
        "list.avi": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\na.avi\n#EXT-X-ENDLIST\n",
        "concat.avi": "ffconcat version 1.0\nfile a.avi\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UnreadableImageError, match="cannot be opened"):
            video.read_part(str(tmp_path / name), Part(), Limits())
