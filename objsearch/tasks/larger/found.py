"""What a search for larger copies says: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from objsearch.images.mapping import Matrix
from objsearch.tasks.larger.measuring import MeasuredBy
from objsearch.types import Box, DescribedImage, Flag, Hit, ImageRef, Unreadable


@dataclass(frozen=True, slots=True, eq=False)
class LargerCopy:
    """A reference that shows the query's content with more pixels.

    `scale` is its pixels a query pixel along a side, `coverage` in [0, 1] the part of the query
    that it holds, `pixels` how many of its pixels show that. `measured_by` says whether the frames
    of both agree, which is exact, or the scale is that of the transform, good to 2 %.
    `agreement` in [-1, 1] is the correlation of both at the query's size. `detail` is what it
    shows beyond the query, about 1 for a sharp photo, 0 for an enlargement; None where that is
    unknown.
    `transform` maps pixels of `query_box_xyxy`, from its corner, to pixels of the reference.
    `differs` are boxes of what differs, in pixels of the query and of the reference; none where
    that cannot be told. `is_other_shot`: both show one thing, and do not come from one picture.
    """

    hit: Hit
    scale: float
    coverage: float
    pixels: float
    measured_by: MeasuredBy
    agreement: float | None
    detail: float | None
    suspected_upscale: bool
    transform: Matrix
    note: str = ""
    differs: tuple[tuple[Box, ...], tuple[Box, ...]] = ((), ())
    is_other_shot: bool = False

    @property
    def ref(self) -> ImageRef:
        return self.hit.ref

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the whole reference."""
        return self.hit.size_wh


@dataclass(frozen=True, slots=True, eq=False)
class LargerAnswer:
    """The larger copies of a query, largest first.

    `not_larger` counts the copies found that are of the query's size or smaller, `other_shots` the
    pictures that were taken for copies until their pixels were compared with the query's.
    """

    query: DescribedImage
    query_box_xyxy: Box
    copies: tuple[LargerCopy, ...]
    not_larger: int
    scanned: int
    compared: int
    skipped: tuple[Unreadable, ...]
    settings: Mapping[str, object]
    elapsed_seconds: float
    other_shots: int = 0
    warnings: tuple[str, ...] = ()
    flags: Mapping[ImageRef, tuple[Flag, ...]] = field(default_factory=dict)
    screened_out: tuple[ImageRef, ...] = ()
    remembered: int = 0
    """References that a library held as their files are; the others were read and described."""
