"""What is kept of a picture to compare it by, and the one value that an index stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from objsearch.types.images import ImageRef, Points, Region

Kind = Literal["global", "binary", "local-binary", "local-real"]
"""What an extractor produces and a matcher accepts."""


@dataclass(frozen=True, slots=True, eq=False)
class GlobalDescriptor:
    """One unit vector for a whole crop: (D,) float32."""

    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class BinaryDescriptor:
    """One binary code for a crop: (B,) uint8; `quality` in [0, 1] is the structure it rests on."""

    code: NDArray[np.uint8]
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeatures:
    """Keypoints of a crop and their codes.

    `points_xy` (K, 2) in image pixels; `codes` (K, B) uint8 for binary, (K, D) float32 for real
    descriptors; `scale` image pixels a working pixel: the crop was resized by 1 / scale.
    """

    points_xy: Points
    codes: NDArray[np.uint8] | NDArray[np.float32]
    scale: float

    def __len__(self) -> int:
        return len(self.points_xy)


Descriptor = GlobalDescriptor | BinaryDescriptor | LocalFeatures


@dataclass(frozen=True, slots=True, eq=False)
class DescribedImage:
    """All that a search needs of an image: the one thing an index stores.

    `descriptors[alias]` runs parallel to `regions`. The alias is that of the settings, by default
    the extractor's registered name. An image may have fewer than others, and is compared by these.
    """

    ref: ImageRef
    size_wh: tuple[int, int]
    regions: tuple[Region, ...]
    descriptors: Mapping[str, tuple[Descriptor, ...]] = field(repr=False)
    content: str = ""
    warnings: tuple[str, ...] = ()
    note: str = ""
    """`too_few_features` when the picture has too little structure to be compared."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else a task has found out about the file, by name."""
