"""Which of two copies shows less of the scene, or no more at more pixels: it is not to be kept."""

from __future__ import annotations

from objsearch.agree import Agreement
from objsearch.match.geometry import inverse
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.losses import SMALLER

AS_MUCH = 0.01
"""Parts of two pictures that are as large: one was turned by a little or moved, and neither cut."""
UPRIGHT = 1.0
"""Degrees by which a copy that is compared pixel by pixel may be turned."""


def lesser(agreements: Agreements, first: int, second: int, agreement: Agreement) -> set[int]:
    """The one of two pictures that is a cut, a frame, an enlargement or worn; none where neither.

    `agreement` is what the first is to the other.
    """
    mine, its = agreement.shown
    if agreement.relation == "same-picture":
        _, large = _by_size(first, second, agreement)
        if large is not None and _larger_shows(agreements, first, second, agreement) == "no more":
            return {large}
        if large is None and (poorer := worn(agreements, first, second, agreement)) is not None:
            return {poorer}
    lacks_as_much = max(mine, its) < 1 and abs(mine - its) < AS_MUCH
    if min(mine, its) == 1 or lacks_as_much:
        return set()
    if mine == 1:
        around = agreements.is_laid_around(second, first, agreement.transform)
        return {second} if around else {first}
    if its == 1:
        around = agreements.is_laid_around(first, second, inverse(agreement.transform))
        return {first} if around else {second}
    return {first if its > mine else second}


def worn(agreements: Agreements, first: int, second: int, agreement: Agreement) -> int | None:
    """Which of two copies of one size lost tones, colour or sharpness; None where none can be
    told."""
    is_level = SMALLER < agreement.scale < 1 / SMALLER and agreement.degrees < UPRIGHT
    is_whole = min(agreement.shown) == 1 and not agreement.mirrored
    # Of gray and colour, colour is kept in any case.
    is_alike = agreement.gray[0] == agreement.gray[1]
    return agreements.worn(first, second) if is_level and is_whole and is_alike else None


def is_unclear(agreements: Agreements, first: int, second: int, agreement: Agreement) -> bool:
    """Whether nobody can tell which of two sizes of one picture was made from the other."""
    if agreement.relation != "same-picture":
        return False
    return _larger_shows(agreements, first, second, agreement) == "unclear"


def _by_size(first: int, second: int, agreement: Agreement) -> tuple[int, int | None]:
    """The smaller and the larger; no larger where they are of one size."""
    if agreement.scale > 1 / SMALLER:
        return first, second
    return (second, first) if agreement.scale < SMALLER else (first, None)


def _larger_shows(agreements: Agreements, first: int, second: int, agreement: Agreement) -> str:
    small, large = _by_size(first, second, agreement)
    if large is None:
        return "more"
    onto = agreement.transform if small == first else inverse(agreement.transform)
    return agreements.larger_shows(small, large, onto)
