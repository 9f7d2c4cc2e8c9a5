"""An array in a file of NumPy's, read where it is looked at.

Mapping it would be simpler. But where a system maps whole large pages, two megabytes for a run of
twenty kilobytes, one query would hold all of a gigabyte, and wait three times as long for it.
"""

from __future__ import annotations

import math
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


class Filed:
    """`filed[a:b]` are rows a to b, a copy of their own; any number of threads may ask.

    Raises OSError when there is no such file, and ValueError when it holds no array, or not all of
    one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        with Path(path).open("rb") as stream:
            version = npy.read_magic(stream)
            if version != (1, 0):
                raise ValueError(f"no array of version 1.0: {version}")
            self.shape, is_fortran, self.dtype = npy.read_array_header_1_0(stream)
            self._offset = stream.tell()
            n_bytes = os.fstat(stream.fileno()).st_size - self._offset
            if is_fortran or not self.shape or n_bytes < self.nbytes:
                raise ValueError("not all of an array by rows")
            self._file = os.dup(stream.fileno())
        weakref.finalize(self, os.close, self._file)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * int(self.dtype.itemsize)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, run: slice) -> NDArray[Any]:
        start, stop, step = run.indices(len(self))
        assert step == 1, "rows side by side"
        row = self.nbytes // max(len(self), 1)
        wanted = max(stop - start, 0) * row
        read = os.pread(self._file, wanted, self._offset + start * row)
        if len(read) != wanted:
            raise OSError("the array broke off")
        return np.frombuffer(read, self.dtype).reshape(-1, *self.shape[1:])


def opened_array(path: str | os.PathLike[str]) -> NDArray[Any] | Filed:
    """The array of a file; mapped where a system reads at no place of its own (Windows)."""
    if hasattr(os, "pread"):
        return Filed(path)
    mapped: NDArray[Any] = np.load(path, mmap_mode="r")
    return mapped
