"""PDQ, a 256-bit perceptual hash (Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm, 2019), through the library `pdqhash`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from objsearch.describe.base import Crop, Extractor
from objsearch.images.transform import shrunk
from objsearch.types import BinaryDescriptor, Descriptor


class PerceptualHash(Extractor):
    """Recognises edited copies of the same picture; blind to objects and to crops."""

    name = "perceptual-hash"
    produces = "binary"

    # The hash works on 64 x 64 means; the authors resize to 512 first, which bounds its cost.
    long_side: int = Field(
        512, ge=64, le=2048, description="working size in pixels; smaller ones stay as they are"
    )

    def made_with(self) -> tuple[str, ...]:
        return ("pdqhash",)

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [_hash(crop, self.long_side) for crop in crops]


def _hash(crop: Crop, long_side: int) -> BinaryDescriptor:
    import pdqhash

    working = shrunk(crop.pixels, long_side)
    bits, quality = pdqhash.compute(np.ascontiguousarray(working))
    return BinaryDescriptor(np.packbits(bits.astype(np.uint8)), quality / 100)
