"""Camera raw is told apart from TIFF, and never judged by its preview."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits
from objsearch.images.holdings import holdings_of
from objsearch.images.kinds import HEAD_BYTES, kind_of
from objsearch.images.raw import decode_raw, refined_kind
from objsearch.sources import Place, read_image
from objsearch.types import ImageRef, Unreadable
from tests.images.tiffs import Page, tiff
from tests.pictures import drawing, encoded

PREVIEW = drawing(60, 90)
SENSOR = drawing(240, 360)[..., 0].astype(np.uint16) * 16

RAWS = {
    "a.dng": tiff([Page(PREVIEW, {254: (1,), 50706: (1,)}, [Page(SENSOR, {262: (32803,)})])]),
    "without_name": tiff([Page(PREVIEW, {254: (1,)}, [Page(SENSOR, {262: (32803,)})])]),
    "linear": tiff([Page(np.dstack([SENSOR] * 3), {262: (34892,)})]),
    "a.pef": tiff([Page(SENSOR, {262: (32803,)})], ">"),
    "a.nef": tiff([Page(PREVIEW)]),
    "a.cr2": tiff([Page(PREVIEW)])[:8] + b"CR\2\0" + tiff([Page(PREVIEW)])[12:],
    "fuji": b"FUJIFILMCCD-RAW 0201FF383501" + b"\0" * 60 + encoded(PREVIEW, "JPEG"),
    "olympus": b"IIRO\x08\0\0\0" + b"\0" * 40,
    "panasonic": b"IIU\0\x18\0\0\0" + b"\0" * 40,
    "canon": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0" * 40,
    "a.srw": b"nothing that is known" * 10,
}
OTHERS = {
    "a.tif": tiff([Page(PREVIEW)]),
    "thumb.tif": tiff([Page(PREVIEW[::4, ::4].copy(), {254: (1,)}, [Page(PREVIEW)])]),
    "a.png": encoded(PREVIEW, "PNG"),
    "called.nef": encoded(PREVIEW, "JPEG"),
    "a.bin": b"nothing that is known" * 10,
}


def kind(name: str, data: bytes) -> str:
    return refined_kind(io.BytesIO(data), kind_of(data[:HEAD_BYTES]), name)


@pytest.mark.parametrize("name", RAWS)
def test_raw_is_told(name: str) -> None:
    assert kind(name, RAWS[name]) == "RAW"


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_not(name: str) -> None:
    assert kind(name, OTHERS[name]) != "RAW"


@pytest.mark.parametrize("name", RAWS)
def test_raw_is_not_looked_at_without_its_reader(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(RAWS[name])
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(UnreadableImageError, match=r"camera raw.*not looked at.*objsearch\[raw\]"):
        decode_raw(str(tmp_path / name), Limits())
    if name == "a.dng":
        found = holdings_of(tmp_path / name, Limits())
        assert found.samples.startswith("bytes:") and found.bits == 16


def test_a_raw_file_never_comes_as_its_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(RAWS["a.dng"])
    found = read_image(Place(ImageRef(str(path))))
    assert isinstance(found, Unreadable) or found.size_wh != (90, 60)


def test_raw_is_read_by_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    developed = drawing(40, 50)

    @contextmanager
    def imread(path: str):  # type: ignore[no-untyped-def]
        assert path == "some.nef"
        sizes = SimpleNamespace(iwidth=50, iheight=40)
        yield SimpleNamespace(sizes=sizes, postprocess=lambda **_: developed)

    module = ModuleType("rawpy")
    module.imread = imread  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rawpy", module)
    decoded = decode_raw("some.nef", Limits())
    assert np.array_equal(decoded.pixels, developed) and decoded.format == "RAW"
    with pytest.raises(UnreadableImageError, match="over the limit"):
        decode_raw("some.nef", Limits(max_megapixels=0.001))
