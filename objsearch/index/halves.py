"""Vectors as every index keeps them: half floats, that lose next to nothing.

One in memory could keep more, and would say otherwise in the fifth place than one in a folder.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from objsearch.types import DescribedImage, Descriptor, GlobalDescriptor

MOST_ROUNDS = 8


def halved(vectors: NDArray[np.float32]) -> NDArray[np.float16]:
    """(N, D) as they are stored."""
    return vectors.astype(np.float16)


def restored(halves: NDArray[np.float16]) -> NDArray[np.float32]:
    """(N, D) as they are read; unit vectors are of unit length again."""
    vectors = halves.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    are_unit = np.abs(lengths - 1) < 1e-3  # but for what half floats took
    return np.asarray(np.where(are_unit, vectors / np.where(are_unit, lengths, 1), vectors))


def as_kept(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """(D,) as it will be read once it is stored: what goes by that says the same before and after.

    Kept again, it stays as it is.
    """
    made = vector[None]
    # A length that is mended may round a number of a short vector otherwise, once or twice.
    for _ in range(MOST_ROUNDS):
        before, made = made, restored(halved(made))
        if np.array_equal(before, made):
            break
    return made.reshape(-1)


def as_read(image: DescribedImage) -> DescribedImage:
    """A picture as it is read from a stored index: its vectors have gone through half floats."""
    descriptors = {alias: _read(parts) for alias, parts in image.descriptors.items()}
    return replace(image, descriptors=descriptors)


def _read(parts: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
    vectors = [part.vector for part in parts if isinstance(part, GlobalDescriptor)]
    if not vectors:
        return parts
    return tuple(map(GlobalDescriptor, restored(halved(np.stack(vectors)))))
