"""WMF, EMF and EMF+: drawn as Windows would, or a reason; second renderers where the first ends."""

from __future__ import annotations

import os
import stat
import struct
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images import emf, metafile, wmf
from objsearch.images.decode import Limits
from objsearch.types import Pixels
from tests.images import drawings, files

# Rasterisers differ along edges; another picture differs by fifty.
SAME = 6.0


def difference(drawn: Pixels) -> float:
    small = cv2.resize(drawn, (drawings.WIDTH, drawings.HEIGHT), interpolation=cv2.INTER_AREA)
    return float(np.abs(small.astype(int) - files.pixels()).mean())


@pytest.mark.parametrize("name", ["placeable.wmf", "plain.wmf", "shapes.emf", "plus.emf"])
def test_shapes_come_out_as_drawn(name: str) -> None:
    kind = name[-3:].upper()
    decoded = metafile.render(files.every_format()[name], kind, Limits())
    assert difference(decoded.pixels) < SAME
    assert decoded.format == kind


@pytest.mark.parametrize("function", [0x0F43, 0x0B41, 0x0940])
def test_bitmaps_in_a_wmf(function: int) -> None:
    data = drawings.wmf_bitmap(files.pixels(), function)
    assert difference(metafile.render(data, "WMF", Limits()).pixels) < SAME


def test_objects_of_other_kinds_keep_the_count() -> None:
    data = drawings.wmf(files.shapes(), with_palette=True)
    assert difference(metafile.render(data, "WMF", Limits()).pixels) < SAME


def test_a_header_that_lies_about_sizes() -> None:
    data = bytearray(files.every_format()["plain.wmf"])
    struct.pack_into("<I", data, 6, 5)
    struct.pack_into("<I", data, 12, 1)
    assert difference(metafile.render(bytes(data), "WMF", Limits()).pixels) < SAME


def test_dpi_and_limits() -> None:
    data = files.every_format()["shapes.emf"]
    small = metafile.render(data, "EMF", Limits(dpi=50)).pixels
    assert max(small.shape[:2]) == 512  # never too small to be recognised
    large = metafile.render(data, "EMF", Limits(dpi=192)).pixels
    assert abs(large.shape[1] - 2 * drawings.WIDTH) <= 2
    capped = metafile.render(data, "EMF", Limits(dpi=600, max_megapixels=0.5)).pixels
    assert capped.shape[0] * capped.shape[1] <= 0.5e6


@pytest.mark.parametrize("name", ["placeable.wmf", "plain.wmf", "shapes.emf", "plus.emf"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.98])
def test_half_a_drawing_is_none(name: str, part: float) -> None:
    data = files.every_format()[name]
    with pytest.raises(UnreadableImageError):
        metafile.render(data[: int(len(data) * part)], name[-3:].upper(), Limits())


def test_stock_pens_become_own_pens() -> None:
    data = files.every_format()["shapes.emf"]
    put = emf.in_order(data)
    assert struct.pack("<III", 37, 12, 0x80000008) in data
    assert struct.pack("<III", 37, 12, 0x80000008) not in put
    assert struct.unpack_from("<I", put, 48)[0] == len(put)
    assert emf.in_order(put) == put


def test_frames_of_wmf() -> None:
    frame = wmf.frame_of(files.every_format()["placeable.wmf"])
    assert frame is not None
    assert frame.inches_wh == pytest.approx((drawings.WIDTH / 96, drawings.HEIGHT / 96))
    plain = wmf.frame_of(files.every_format()["plain.wmf"])
    assert plain is not None and plain.extent_xy == (drawings.WIDTH * 20, drawings.HEIGHT * 20)
    nothing = drawings.wmf_file([struct.pack("<IH", 3, 0)], 0, placeable=False)
    assert wmf.frame_of(nothing) is None


# --- second renderers ----------------------------------------------------------------------------


def _blank() -> bytes:
    """A fine file that the first renderer leaves empty."""
    return drawings.wmf([])


def _program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys, time, os\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_a_second_renderer_one_is_named(programs: Path) -> None:
    with pytest.raises(
        UnreadableImageError, match="blank; Inkscape or LibreOffice on PATH"
    ) as told:
        metafile.render(_blank(), "WMF", Limits())
    assert "\n" not in str(told.value)


def test_a_second_renderer_is_asked(programs: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(files.every_format()["drawing.png"])
    _program(
        programs,
        "inkscape",
        "target = [a for a in sys.argv if a.startswith('--export-filename')][0].partition('=')[2]\n"
        f"open(target, 'wb').write(open({str(picture)!r}, 'rb').read())",
    )
    assert difference(metafile.render(_blank(), "WMF", Limits()).pixels) == 0


def test_a_second_renderer_that_hangs_is_ended(programs: Path) -> None:
    _program(programs, "inkscape", "time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(UnreadableImageError, match="nor by inkscape"):
        metafile.render(_blank(), "WMF", Limits(timeout_seconds=1.0))
    assert time.monotonic() - started < 10


def test_a_second_renderer_sees_a_folder_of_its_own(programs: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    _program(
        programs,
        "soffice",
        f"open({str(seen)!r}, 'w').write(os.environ['HOME'] + '|' + str(sorted(os.environ)))",
    )
    os.environ["SECRET_OF_THE_USER"] = "x"
    try:
        with pytest.raises(UnreadableImageError, match="nor by soffice"):
            metafile.render(_blank(), "WMF", Limits())
    finally:
        del os.environ["SECRET_OF_THE_USER"]
    home, _, names = seen.read_text().partition("|")
    assert "objsearch-" in home and not Path(home).exists()
    assert "SECRET" not in names
