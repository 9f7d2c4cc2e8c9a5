"""What a search says, with its evidence. Scores are in [0, 1] and higher is more alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from objsearch.types.descriptors import DescribedImage
from objsearch.types.images import Box, ImageRef, Region, Unreadable

Scores = NDArray[np.float64]
"""(Q, R) in [0, 1]: every query region against every reference region."""

Verdict = Literal["same", "uncertain", "different"]

UNSCREENED = "unscreened"
"""The rule of a picture that could not be looked at: it is never called clean."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that a picture is caught by, with the rule's score and its reason in words.

    `rule` is `block-list`, `examples`, a classifier's name, or `unscreened`.
    """

    rule: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What geometry found between two sets of keypoints.

    `transform` (3, 3) maps query pixels to reference pixels; `model` says which family fitted
    (`homography`, `affine`, `fundamental`; the last maps points to lines and locates nothing).
    `inliers_xyxy` (N, 4): query x, y and reference x, y of each agreeing match.
    """

    model: str
    transform: NDArray[np.float64]
    inliers_xyxy: NDArray[np.float32] = field(repr=False)
    mirrored: bool = False

    @property
    def n_inliers(self) -> int:
        return len(self.inliers_xyxy)


@dataclass(frozen=True, slots=True, eq=False)
class RegionPair:
    """One assigned and verified pair of regions: the evidence.

    `overlap_query` is the part of the query's region that was found in the reference,
    `overlap_reference` the part of the reference's region that it covers; None without geometry.
    """

    query: Region
    reference: Region
    score: float
    verdict: Verdict
    similarities: Mapping[str, float]
    """Raw similarity by alias, in [0, 1], of those that both sides have."""
    features: Mapping[str, float] = field(default_factory=dict)
    """The numbers the calibration made the score from."""
    verification: Verification | None = None
    overlap_query: float | None = None
    overlap_reference: float | None = None
    evidence: str = ""
    """What the second look says: `shared_print` where print agrees and something differs;
    `differs_beside` where all of the thing agrees, and the pictures, versions of one or two of one
    template, differ beside it; `not_laid` where pixels could not tell."""
    differs: tuple[tuple[Box, ...], tuple[Box, ...]] = ((), ())
    """Boxes of what differs, in the query and in the reference."""

    @property
    def inliers(self) -> int:
        return self.verification.n_inliers if self.verification else 0


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One line of the answer: a reference image, best pair first; scores by query image too."""

    ref: ImageRef
    score: float
    verdict: Verdict
    size_wh: tuple[int, int]
    pairs: tuple[RegionPair, ...]
    query: ImageRef
    """The view that found it, of several query images."""
    view_scores: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    negative_scores: Mapping[str, float] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    """The descriptors that both sides have, which is what they were compared by."""
    false_alarms: float | None = None
    """Wrong hits as good as this one to be expected among all that was looked at; None: unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a search says: hits, what was looked at and left out, and under which settings."""

    queries: tuple[DescribedImage, ...]
    hits: tuple[Hit, ...]
    scanned: int
    compared: int
    skipped: tuple[Unreadable, ...]
    """The references that could not be read: the first of `n_skipped`."""
    settings: Mapping[str, object] = field(repr=False)
    elapsed_seconds: float
    warnings: tuple[str, ...] = ()
    found: int = 0
    """Hits over the threshold before `offset` and `top` cut a page out of them."""
    filtered: int = 0
    flags: Mapping[ImageRef, tuple[Flag, ...]] = field(default_factory=dict)
    """What screening has against queries and hits, listed or filtered."""
    screened_out: tuple[ImageRef, ...] = ()
    """Hits that screening has filtered out."""
    remembered: int = 0
    """References that a library held as their files are; the others were read and described."""

    @property
    def n_skipped(self) -> int:
        """References that could not be read: those that were scanned and not compared."""
        return self.scanned - self.compared
