"""An array read where it is looked at: as it was saved, and never less of it."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from objsearch.index.filed import Filed, opened_array

pytestmark = pytest.mark.skipif(not hasattr(os, "pread"), reason="it is mapped there")


@pytest.mark.parametrize("shape", [(900,), (900, 2), (0, 2), (1,)])
def test_rows_are_those_that_were_saved(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = np.random.default_rng(3).integers(0, 1 << 40, shape).astype(np.uint64)
    np.save(tmp_path / "a.npy", array)
    filed = opened_array(tmp_path / "a.npy")
    assert isinstance(filed, Filed)
    assert (len(filed), filed.nbytes, filed.dtype) == (len(array), array.nbytes, array.dtype)
    for run in (slice(None), slice(5, 9), slice(890, 2000), slice(7, 7), slice(9, 3)):
        np.testing.assert_array_equal(filed[run], array[run])


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    array = np.arange(100_000, dtype=np.int32)
    np.save(tmp_path / "a.npy", array)
    filed = Filed(tmp_path / "a.npy")
    with ThreadPoolExecutor(4) as pool:
        for start, got in enumerate(pool.map(lambda k: filed[k * 50 : k * 50 + 50], range(2000))):
            assert got[0] == start * 50 and got[-1] == start * 50 + 49


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda _: b"junk", lambda _: b"", lambda data: data[:9]],
)
def test_what_is_no_whole_array_is_refused(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    np.save(tmp_path / "a.npy", np.arange(20))
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(damage(data))
    with pytest.raises(ValueError):
        Filed(tmp_path / "a.npy")


def test_columns_are_no_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(np.ones((3, 4))))
    with pytest.raises(ValueError, match="by rows"):
        Filed(tmp_path / "a.npy")


def test_a_file_that_is_deleted_or_shortened_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(5000))
    filed = Filed(path)
    os.truncate(path, 200)
    with pytest.raises(OSError, match="broke off"):
        filed[4000:4100]
    path.unlink()
    assert filed[:2].tolist() == [0, 1], "whoever reads goes on reading"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells")
def test_the_file_is_closed_with_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(20))
    gc.collect()  # those of other tests
    before = len(os.listdir("/proc/self/fd"))
    filed = Filed(tmp_path / "a.npy")
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del filed
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
