"""What would be lost with a file while another is kept: whatever only this one shows or tells."""

from __future__ import annotations

from collections.abc import Iterator

from objsearch.agree import Agreement
from objsearch.images.facts import others_in
from objsearch.images.holdings import Holdings
from objsearch.tasks.duplicates.keeping import Content
from objsearch.types.plans import Relation

SMALLER = 0.97
"""Scales apart by less are the same: sizes are whole numbers."""


def lacking(
    content: Content,
    keep: Content,
    relation: Relation,
    agreement: Agreement | None,
    *,
    is_worn: bool = False,
) -> tuple[str, ...]:
    """What the kept file lacks that this one has, in words; nothing of the same bytes.

    `is_worn`: the kept one lost tones, colour or sharpness.
    """
    if relation == "identical-bytes":
        return _companions(content)
    taken = ("tones, colour or sharpness",) if is_worn else ()
    return (*_shown(agreement), *taken, *_held(content, keep, relation), *_companions(content))


def _shown(agreement: Agreement | None) -> Iterator[str]:
    if agreement is None:
        return
    if agreement.shown[0] < 1:
        yield f"{max(0.01, 1 - agreement.shown[0]):.0%} of the picture"
    if agreement.scale < SMALLER:
        yield f"scale: it shows it at {agreement.scale:.0%}"


def _held(content: Content, keep: Content, relation: Relation) -> Iterator[str]:
    mine, kept = content.holdings, keep.holdings
    if relation != "identical-pixels":
        yield from _depth(mine, kept)
    told = {
        "a film": mine.has_film,
        "a gain map": mine.has_gain_map and not kept.has_gain_map,
        "more than the picture": mine.has_more,
        ", ".join(sorted(mine.tells - kept.tells)): bool(mine.tells - kept.tells),
        "pixels that are not damaged": kept.is_damaged,
    }
    yield from (word for word, holds in told.items() if holds)
    yield from others_in(mine.facts, kept.facts)


def is_told_otherwise(content: Content, keep: Content, relation: Relation) -> bool:
    """Whether both tell of one thing, and not the same: which is true, a person has to say."""
    if relation == "identical-bytes":
        return False
    return bool(others_in(content.holdings.facts, keep.holdings.facts))


def _depth(mine: Holdings, kept: Holdings) -> Iterator[str]:
    told = {
        "colour": mine.n_colours > kept.n_colours,
        f"{mine.bits} bits a sample": mine.bits > kept.bits,
        "transparency": mine.has_alpha and not kept.has_alpha,
        "the colours of its inks": mine.has_inks and not kept.has_inks,
        f"{mine.n_pictures} pictures": mine.n_pictures > 1 and mine.samples != kept.samples,
        "another speed": mine.samples == kept.samples and mine.timing != kept.timing,
    }
    yield from (word for word, holds in told.items() if holds)


def _companions(content: Content) -> tuple[str, ...]:
    return tuple(f"{name}, which belongs to it" for name in content.companions)
