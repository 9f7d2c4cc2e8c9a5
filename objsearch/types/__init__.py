"""The nouns that every room shares: frozen values, with their own text and geometry and no more."""

from objsearch.types.answers import (
    UNSCREENED,
    Answer,
    Flag,
    Hit,
    RegionPair,
    Scores,
    Verdict,
    Verification,
)
from objsearch.types.descriptors import (
    BinaryDescriptor,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    Kind,
    LocalFeatures,
)
from objsearch.types.images import (
    Box,
    Image,
    ImageRef,
    Pixels,
    Points,
    Proposal,
    Region,
    Unreadable,
)

__all__ = [
    "UNSCREENED",
    "Answer",
    "BinaryDescriptor",
    "Box",
    "DescribedImage",
    "Descriptor",
    "Flag",
    "GlobalDescriptor",
    "Hit",
    "Image",
    "ImageRef",
    "Kind",
    "LocalFeatures",
    "Pixels",
    "Points",
    "Proposal",
    "Region",
    "RegionPair",
    "Scores",
    "Unreadable",
    "Verdict",
    "Verification",
]
