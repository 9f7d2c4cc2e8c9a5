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
VISIBLE = 1.5
"""Levels of light, where it took most, from which what storing once more took counts as lost: at a
quality of 95 and more it takes less, and nobody sees it."""


def lesser(agreements: Agreements, first: int, second: int, agreement: Agreement) -> set[int]:
    """The one of two pictures that is a cut, a frame, an enlargement or worn; none where neither.

    `agreement` is what the first is to the other.
    """
    if agreement.relation == "same-picture":
        _, large = _by_size(first, second, agreement)
        if large is not None and _larger_shows(agreements, first, second, agreement) == "no more":
            return {large}
        if large is None and (poorer := worn(agreements, first, second, agreement)) is not None:
            return {poorer}
    elif agreement.relation == "edited" and _is_in_place(agreement):
        # Steps of a palette and what JPEG does to drawings stand out all over.
        few = agreements.merged(first, second)
        if few is None and (made := agreements.made_of(first, second)) is not None:
            few = made.which
        return set() if few is None else {few}
    return _cut(agreements, first, second, agreement)


def _cut(agreements: Agreements, first: int, second: int, agreement: Agreement) -> set[int]:
    """The one that shows less, or has but a frame around the other."""
    mine, its = agreement.shown
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
    # Of gray and colour, colour is kept in any case.
    is_alike = agreement.gray[0] == agreement.gray[1]
    if not (is_alike and _is_in_place(agreement)):
        return None
    poorer = agreements.worn(first, second)
    return agreements.merged(first, second) if poorer is None else poorer


def is_made_of(
    agreements: Agreements, keep: int, other: int, agreement: Agreement, *, is_equal: bool
) -> bool:
    """Whether the one was made of the other by storing it once more; where nobody can see that, it
    counts only between two that show and tell as much (`is_equal`)."""
    if agreement.relation != "same-picture" or not _is_in_place(agreement):
        return False
    made = agreements.made_of(keep, other)
    return made is not None and made.which == keep and (is_equal or made.off >= VISIBLE)


def is_finer(agreements: Agreements, first: int, second: int, agreement: Agreement) -> bool:
    """Whether the first of two of one size shows finer detail, and nobody can tell whether that
    was taken from the second, or only made up."""
    if agreement.relation != "same-picture" or not _is_in_place(agreement):
        return False
    if agreement.gray[0] != agreement.gray[1] or agreements.finer(first, second) != first:
        return False
    is_told = worn(agreements, first, second, agreement) is not None
    return not is_told and agreements.made_of(first, second) is None


def is_other_shot(agreements: Agreements, first: int, second: int, agreement: Agreement) -> bool:
    """Whether two of one size that look the same were taken one after the other."""
    is_like = agreement.relation == "same-picture" and agreement.gray[0] == agreement.gray[1]
    if not (is_like and _is_in_place(agreement)):
        return False
    if agreements.made_of(first, second) is not None:
        return False  # what hard compression leaves in quiet places is no grain
    return agreements.is_other_grain(first, second)


def _is_in_place(agreement: Agreement) -> bool:
    is_level = SMALLER < agreement.scale < 1 / SMALLER and agreement.degrees < UPRIGHT
    return is_level and min(agreement.shown) == 1 and not agreement.mirrored


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
