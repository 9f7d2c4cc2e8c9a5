"""PDQ, a 256-bit perceptual hash (Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm, 2019), through the library `pdqhash`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objsearch.describe.base import Crop, Extractor
from objsearch.images.transform import fit
from objsearch.types import BinaryDescriptor, Descriptor

# The hash works on 64 x 64 means; the authors resize to 512 first, which bounds its cost.
WORKING_SIDE = 512


class PerceptualHash(Extractor):
    """Recognises edited copies of the same picture; blind to objects and to crops."""

    name = "perceptual-hash"
    produces = "binary"

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [_hash(crop) for crop in crops]


def _hash(crop: Crop) -> BinaryDescriptor:
    import pdqhash

    working = (
        fit(crop.pixels, WORKING_SIDE)[0]
        if max(crop.pixels.shape[:2]) > WORKING_SIDE
        else (crop.pixels)
    )
    bits, quality = pdqhash.compute(np.ascontiguousarray(working))
    return BinaryDescriptor(np.packbits(bits.astype(np.uint8)), quality / 100)
