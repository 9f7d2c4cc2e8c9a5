"""Pictures by number, compared by their pixels: each pair once, from files that are read again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import ROUGHLY, SIDE, may_be_same
from objsearch.agree.closely import differing_closely
from objsearch.agree.enlarging import Larger, larger_shows
from objsearch.agree.framing import is_laid_around
from objsearch.agree.grain import is_other_grain
from objsearch.agree.laying import fitted_side, scaling
from objsearch.agree.made_from import Made, made_of, merged
from objsearch.agree.wear import Signs, finer_of, poorer_of
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.images.transform import reduction_for
from objsearch.match.geometry import inverse
from objsearch.tasks.duplicates.candidates import Pair
from objsearch.tasks.duplicates.likeness import ALIKE
from objsearch.tasks.duplicates.network import Network
from objsearch.tasks.duplicates.recent import Recent
from objsearch.types import Box, Image, Pixels, Unreadable

LOOKED_AT = (432, 864, 1600)
"""Longer sides, in pixels, of the copies that are compared; a smaller picture is as it is.

The last is for what may be the same; the others show what both share in half as much detail again
as is looked at.
"""
PICTURES_BYTES, SIGNS_BYTES = 256_000_000, 32_000_000
"""Of pictures, and of what they tell of wear, that memory holds."""
DOUBT = 0.05
"""Probability of one shot, told roughly, below which no closer look says otherwise."""
Read = Callable[[int, int | None], Image | Unreadable]
"""Reads a picture by number, not smaller than so many pixels where a long side is given."""


class Agreements:
    """What pictures are to each other, by their pixels; `sizes` (w, h) are those of the files."""

    def __init__(
        self,
        read: Read,
        sizes: Sequence[tuple[int, int]],
        network: Network,
        workers: int,
        *,
        is_thorough: bool = False,
    ) -> None:
        """`is_thorough`: parts and edited copies are looked at as closely as the rest."""
        self._read = read
        self._sizes = sizes
        self._network = network
        self._workers = workers
        self._is_thorough = is_thorough
        self._known: dict[Pair, Agreement | None] = {}
        self._larger: dict[Pair, Larger] = {}
        self._worn: dict[Pair, int | None] = {}
        self._made: dict[Pair, Made | None] = {}
        self._merged: dict[Pair, int | None] = {}
        self._leads: dict[Pair, NDArray[np.float64]] = {}
        self._lock = threading.Lock()
        self._pictures = Recent[tuple[int, int], Pixels](
            lambda pixels: pixels.nbytes, PICTURES_BYTES
        )
        self._signs = Recent[int, Signs](lambda signs: signs.light.nbytes, SIGNS_BYTES)

    def explore(self, pairs: Iterable[Pair], progress: Progress = silent) -> None:
        """Compare pairs (i, j) of linked pictures side by side, but those that are known."""
        fresh = list(dict.fromkeys(pair for pair in pairs if pair not in self._known))
        agreements = ordered_map(self._compared, fresh, workers=self._workers)
        for pair, agreement in zip(
            fresh, counted(agreements, "agree", progress, len(fresh)), strict=True
        ):
            self._known[pair] = agreement

    def of(self, i: int, j: int) -> Agreement | None:
        """What picture `i` is to picture `j`; None where they are not linked, or cannot be read."""
        if (i, j) not in self._known:
            self._known[i, j] = self._compared((i, j))
        return self._known[i, j]

    def lead(self, i: int, by: int, j: int) -> bool:
        """Remember where picture `i` lies on `j`, by a copy of both; whether that is known.

        Whether it is a copy there, too, is told by comparing the two themselves.
        """
        first, second = self._network.alike(i, by), self._known.get((by, j))
        if first is None or first.transform is None or second is None:
            return False
        if second.relation in ("same-scene", "different"):
            return False
        self._leads.setdefault((i, j), second.transform @ first.transform)
        return True

    def _transform(self, i: int, j: int) -> NDArray[np.float64] | None:
        likeness = self._network.alike(i, j)
        if likeness is not None and likeness.transform is not None:
            return likeness.transform
        return self._leads.get((i, j))

    def _roughly(self, i: int, j: int) -> int:
        """The longer side of copies that show what both share as large as is looked at."""
        likeness = self._network.alike(i, j)
        part = 0.0 if likeness is None else min(likeness.parts)
        return next(
            (side for side in LOOKED_AT if side**2 * part >= (1.5 * ROUGHLY) ** 2), LOOKED_AT[-1]
        )

    def may_be_same(self, i: int, j: int) -> bool:
        """Whether two linked pictures may be the same, going by where the one lies on the other."""
        likeness = self._network.alike(i, j)
        if likeness is None or likeness.transform is None or likeness.detail < ALIKE:
            return False
        return may_be_same(likeness.transform, self._sizes[i], self._sizes[j])

    def larger_shows(self, small: int, large: int, transform: NDArray[np.float64]) -> Larger:
        """What the larger of two sizes of one picture shows; the transform leads to it."""
        if (small, large) not in self._larger:
            self._larger[small, large] = self._measured(small, large, transform)
        return self._larger[small, large]

    def _measured(self, small: int, large: int, transform: NDArray[np.float64]) -> Larger:
        smaller, larger = (self._picture(number, None) for number in (small, large))
        if smaller is None or larger is None:
            return "unclear"
        return larger_shows(smaller, larger, transform)

    def worn(self, i: int, j: int) -> int | None:
        """Which of two upright copies of one size lost tones, colour or sharpness, if either."""
        pair = (min(i, j), max(i, j))
        if pair not in self._worn:
            self._worn[pair] = self._by_signs(poorer_of, *pair)
        return self._worn[pair]

    def finer(self, i: int, j: int) -> int | None:
        """Which of two upright copies of one size shows finer detail, if either."""
        return self._by_signs(finer_of, i, j)

    def _by_signs(self, chosen: Callable[[Signs, Signs], int | None], i: int, j: int) -> int | None:
        """The one of two of one size that is chosen by their signs of wear, if either."""
        first, second = (self._signs.get(number, self._signs_of) for number in (i, j))
        if first is None or second is None or first.light.shape != second.light.shape:
            return None
        which = chosen(first, second)
        return None if which is None else (i, j)[which]

    def made_of(self, i: int, j: int) -> Made | None:
        """Which of two upright copies of one size JPEG made of the other, and how far it is off."""
        pair = (min(i, j), max(i, j))
        if pair not in self._made:
            both = self._both_in_full(pair)
            made = made_of(*both) if both else None
            self._made[pair] = made and Made(pair[made.which], made.off)
        return self._made[pair]

    def merged(self, i: int, j: int) -> int | None:
        """Which of two upright copies of one size was brought down to a palette, if either."""
        pair = (min(i, j), max(i, j))
        if pair not in self._merged:
            both = self._both_in_full(pair)
            which = merged(*both) if both else None
            self._merged[pair] = None if which is None else pair[which]
        return self._merged[pair]

    def is_other_grain(self, i: int, j: int) -> bool:
        """Whether two upright copies of one size are two shots, by their grain."""
        both = self._both_in_full((i, j))
        return both is not None and is_other_grain(*both)

    def _both_in_full(self, pair: Pair) -> tuple[Pixels, Pixels] | None:
        """Both at the files' own size; None where they cannot be read so, or are of two sizes."""
        return self._in_full(pair) if self._sizes[pair[0]] == self._sizes[pair[1]] else None

    def _in_full(self, pair: Pair) -> tuple[Pixels, Pixels] | None:
        """Both at the files' own sizes; None where one is reduced, as too large for memory."""
        with self._lock:  # two large pictures at once are enough for memory
            first, second = (self._picture(number, None) for number in pair)
        if first is None or second is None:
            return None
        is_whole = (_size_wh(first), _size_wh(second)) == tuple(self._sizes[n] for n in pair)
        return (first, second) if is_whole else None

    def _signs_of(self, number: int) -> Signs | None:
        picture = self._picture(number, LOOKED_AT[-1])
        return None if picture is None else Signs(picture)

    def is_laid_around(self, outer: int, inner: int, transform: NDArray[np.float64]) -> bool:
        """Whether the outer picture lies around the inner as a frame; the transform leads to it."""
        picture = self._picture(outer, LOOKED_AT[-1])
        if picture is None:
            return False
        onto = scaling(self._sizes[outer], _size_wh(picture)) @ transform
        return is_laid_around(picture, self._sizes[inner], onto)

    def _picture(self, number: int, side: int | None) -> Pixels | None:
        """A picture, not smaller than so many pixels; None where it cannot be read.

        One that no side lets be smaller is read once for all of them.
        """
        side = None if side is None else fitted_side(self._sizes[number], side)
        reduction = 1 if side is None else reduction_for(self._sizes[number], side)

        def read(_: tuple[int, int]) -> Pixels | None:
            image = self._read(number, None if reduction == 1 else side)
            return None if isinstance(image, Unreadable) else image.pixels

        return self._pictures.get((number, reduction), read)

    def _compared(self, pair: Pair) -> Agreement | None:
        transform = self._transform(*pair)
        if transform is None:
            return None
        is_close = self._is_thorough or self.may_be_same(*pair)
        if not is_close:
            agreement = self._agreed(pair, transform, self._roughly(*pair), ROUGHLY)
            if (
                agreement is None
                or agreement.relation in ("part", "edited")
                or agreement.same_shot < DOUBT
            ):
                return agreement
        agreement = self._agreed(pair, transform, LOOKED_AT[-1], SIDE)
        return agreement if agreement is None else self._closely(pair, agreement)

    def _closely(self, pair: Pair, agreement: Agreement) -> Agreement:
        """The same once places in doubt, and those that stand out, were looked at again."""
        if agreement.relation != "same-picture":
            return agreement
        both = self._in_full(pair)
        if both is None:
            return agreement
        differs = differing_closely(*both, agreement.transform, agreement.doubts)
        return replace(agreement, relation="edited", differs=differs) if differs[0] else agreement

    def _agreed(
        self, pair: Pair, transform: NDArray[np.float64], side: int, grid: int
    ) -> Agreement | None:
        with self._lock:  # so that two threads do not read one picture at once
            first, second = (self._picture(number, side) for number in pair)
        if first is None or second is None:
            return None
        to_first, to_second = (
            scaling(self._sizes[number], _size_wh(picture))
            for number, picture in zip(pair, (first, second), strict=True)
        )
        reduced = to_second @ transform @ inverse(to_first)
        agreement = agree(first, second, reduced, grid)
        return None if agreement is None else _enlarged(agreement, to_first, to_second)


def _size_wh(picture: Pixels) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _enlarged(
    agreement: Agreement, to_first: NDArray[np.float64], to_second: NDArray[np.float64]
) -> Agreement:
    """What was found of reduced copies, in pixels of the pictures themselves."""
    by = float(to_first[0, 0] / to_second[0, 0])
    return replace(
        agreement,
        transform=inverse(to_second) @ agreement.transform @ to_first,
        differs=(_scaled(agreement.differs[0], to_first), _scaled(agreement.differs[1], to_second)),
        scale=agreement.scale * by,
        doubts=tuple((float(x), float(y)) for x, y in _led(agreement.doubts, inverse(to_first))),
    )


def _led(points: tuple[tuple[float, float], ...], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (N, 2) where a scaling leads."""
    return np.array(points).reshape(-1, 2) * np.diag(onto)[:2] + onto[:2, 2]


def _scaled(boxes: tuple[Box, ...], to_reduced: NDArray[np.float64]) -> tuple[Box, ...]:
    x, y = to_reduced[0, 0], to_reduced[1, 1]
    return tuple(Box(box.x1 / x, box.y1 / y, box.x2 / x, box.y2 / y) for box in boxes)
