"""How a picture lies on the kept one, and what of each the other does not show: paths for an SVG.

Here a picture spans from 0 to its width: an SVG and a browser count from its edge. In a plan whole
numbers are the middles of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from objsearch.images.mapping import Matrix, mapped, shift
from objsearch.types.plans import Member

MARGIN = 1.0
"""How far a picture that reaches over the kept one is drawn, in sizes of the kept one a side."""
NEXT_TO_ALL = 0.995
"""The part of a picture of which nothing is drawn as missing: borders are known no better."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One picture laid over the kept one.

    `matrix` holds nine numbers, row by row, from this picture to the kept one. `stage` is what both
    need (x1, y1, x2, y2), and `differs` outlines what differs, on the kept one. `lost` is what of
    this picture the kept one does not show, `beyond` the same on the kept one, `gained` what of the
    kept one this does not show; empty where next to nothing is missing.
    """

    matrix: tuple[float, ...]
    stage: tuple[float, ...]
    differs: str
    lost: str
    beyond: str
    gained: str


def overlay_of(member: Member, keep: Member) -> Overlay | None:
    """How one member lies on another; None where nothing tells, or it reaches beyond infinity."""
    onto = _between(member, keep)
    if onto is None:
        return None
    mine, its = (
        _rectangle(0, 0, member.width, member.height),
        _rectangle(0, 0, keep.width, keep.height),
    )
    there = mapped(mine, onto)
    if there is None:
        return None
    back = mapped(its, np.asarray(np.linalg.inv(onto), np.float64))
    boxes = [mapped(_rectangle(*box), onto) for box in member.differs]
    onto = onto / onto[2, 2]  # not zero: it is the depth of the corner at the origin
    return Overlay(
        matrix=tuple(float(f"{number:.9g}") for number in onto.ravel()),
        stage=_stage(there, keep),
        differs="".join(_path(box) for box in boxes if box is not None),
        lost=_around(mine, back),
        beyond=_around(there, its),
        gained=_around(its, there),
    )


def _between(member: Member, keep: Member) -> Matrix | None:
    if member.transform is None:
        is_same = member.relation in ("identical-bytes", "identical-pixels", "same-picture")
        is_as_large = (member.width, member.height) == (keep.width, keep.height)
        return np.eye(3) if is_same and is_as_large else None
    middles = np.array(member.transform).reshape(3, 3)
    edges = shift(0.5, 0.5) @ middles @ shift(-0.5, -0.5)
    return edges if np.isfinite(edges).all() and abs(np.linalg.det(edges)) > 1e-12 else None


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> Matrix:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float64)


def _stage(there: Matrix, keep: Member) -> tuple[float, ...]:
    """What holds the kept picture and the other, which is cut off where it reaches too far."""
    size = np.array([keep.width, keep.height], np.float64)
    low = np.clip(there.min(axis=0), -MARGIN * size, 0)
    high = np.clip(there.max(axis=0), size, (1 + MARGIN) * size)
    return tuple(round(float(number), 2) for number in (*low, *high))


def _around(whole: Matrix, shown: Matrix | None) -> str:
    """The picture without the part that the other shows, to be filled by the even-odd rule."""
    if shown is None:
        return ""
    area, part = cv2.intersectConvexConvex(whole.astype(np.float32), shown.astype(np.float32))
    if area >= NEXT_TO_ALL * cv2.contourArea(whole.astype(np.float32)):
        return ""
    inside = "" if part is None or area <= 0 else _path(np.asarray(part, np.float64).reshape(-1, 2))
    return _path(whole) + inside


def _path(corners: Matrix) -> str:
    return f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in corners.tolist())}Z"
