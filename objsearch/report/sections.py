"""Answers -> what the page shows of each: views, the best hits with their evidence, the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from objsearch.report.as_json import plain
from objsearch.report.as_table import first_rank
from objsearch.report.drawing import Layout, Mark, layouts, marks
from objsearch.report.overlay import aligned
from objsearch.report.pictures import Album, Photo, Picture
from objsearch.report.views import View, viewed
from objsearch.report.wording import folder_and_name, shown
from objsearch.types import Answer, Box, DescribedImage, Hit, ImageRef, RegionPair, Unreadable

EVIDENCE_A_QUERY = 20
"""Hits that are shown with pictures; further ones are listed."""
_EVIDENCE_A_PAGE = 400
_MOST_PAIRS = 6
_MOST_ROWS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """The overlay, embedded."""

    size_wh: tuple[int, int]
    reference_uri: str
    query_uri: str
    corners: str
    number: int
    differs: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """A hit with its evidence."""

    id: str
    rank: int
    hit: Hit
    pairs: tuple[RegionPair, ...]
    n_weaker: int
    query: Picture
    reference: Picture
    drawings: tuple[tuple[Layout, list[Mark]], ...]
    overlay: Aligned | None

    @property
    def has_lines(self) -> bool:
        return any(pair.inliers for pair in self.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One answer on the page."""

    id: str
    answer: Answer
    views: tuple[View, ...]
    cards: tuple[Card, ...]
    rest: tuple[tuple[int, Hit], ...]
    n_unlisted: int
    skipped: tuple[Unreadable, ...]
    warnings: tuple[str, ...]
    settings: str
    fresh: list[Picture]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all answers of a page have in common, and is said once."""

    skipped: tuple[Unreadable, ...]
    warnings: tuple[str, ...]
    settings: str

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Shared:
        """Raises nothing: no answers have nothing in common."""
        if not answers:
            return cls((), (), "")
        skipped = set.intersection(*(set(answer.skipped) for answer in answers))
        warnings = set.intersection(*(set(answer.warnings) for answer in answers))
        every = {settings_text(answer) for answer in answers}
        return cls(
            tuple(unreadable for unreadable in answers[0].skipped if unreadable in skipped),
            tuple(warning for warning in answers[0].warnings if warning in warnings),
            every.pop() if len(every) == 1 else "",
        )


def settings_text(answer: Answer) -> str:
    """The settings in force as YAML."""
    text = yaml.safe_dump(plain(answer.settings), sort_keys=False, allow_unicode=True, width=100)
    return "\n".join(shown(line) for line in text.splitlines())


def sections(answers: Sequence[Answer], album: Album, shared: Shared) -> Iterator[Section]:
    """Made one by one while the page is written: only one answer's pictures are in memory."""
    most = min(EVIDENCE_A_QUERY, max(1, _EVIDENCE_A_PAGE // max(1, len(answers))))
    for number, answer in enumerate(answers, 1):
        yield _section(f"q{number}", answer, album, shared, most)


def _section(name: str, answer: Answer, album: Album, shared: Shared, most: int) -> Section:
    photos = {query.ref: album.photo(query.ref, query.size_wh) for query in answer.queries}
    views = tuple(viewed(query, photos[query.ref], album) for query in answer.queries)
    ranked = list(enumerate(answer.hits, first_rank(answer)))
    cards: list[Card] = []
    by_ref = {view.image.ref: view for view in views}
    for rank, hit in ranked[:most]:
        if not album.has_room or hit.query not in by_ref:
            break
        cards.append(
            _card(f"{name}h{rank}", rank, hit, by_ref[hit.query], photos[hit.query], album)
        )
    rest = ranked[len(cards) :]
    return Section(
        id=name,
        answer=answer,
        views=views,
        cards=tuple(cards),
        rest=tuple(rest[:_MOST_ROWS]),
        n_unlisted=max(0, len(rest) - _MOST_ROWS),
        skipped=tuple(
            unreadable for unreadable in answer.skipped if unreadable not in shared.skipped
        ),
        warnings=tuple(warning for warning in answer.warnings if warning not in shared.warnings),
        settings="" if shared.settings else settings_text(answer),
        fresh=album.fresh(),
    )


def _card(name: str, rank: int, hit: Hit, view: View, query: Photo | None, album: Album) -> Card:
    reference = album.photo(hit.ref, hit.size_wh)
    pairs = strong_pairs(hit)
    return Card(
        id=name,
        rank=rank,
        hit=hit,
        pairs=pairs,
        n_weaker=len(hit.pairs) - len(pairs),
        query=view.picture,
        reference=album.picture(hit.ref, hit.size_wh, reference),
        drawings=tuple(
            (layout, marks(layout, pairs)) for layout in layouts(view.image.size_wh, hit.size_wh)
        ),
        overlay=_overlay(pairs, query, reference, album),
    )


def strong_pairs(hit: Hit) -> tuple[RegionPair, ...]:
    """The pairs worth drawing: the best one, and those that geometry or the score speak for."""
    worth = [
        pair
        for number, pair in enumerate(hit.pairs)
        if number == 0 or pair.inliers or pair.verdict != "different"
    ]
    return tuple(worth[:_MOST_PAIRS])


def _overlay(
    pairs: Sequence[RegionPair], query: Photo | None, reference: Photo | None, album: Album
) -> Aligned | None:
    """The overlay of the first pair that has one."""
    if query is None or reference is None:
        return None
    for number, pair in enumerate(pairs, 1):
        overlay = aligned(pair, query, reference)
        if overlay is not None:
            return Aligned(
                size_wh=(overlay.reference.shape[1], overlay.reference.shape[0]),
                reference_uri=album.jpeg(overlay.reference),
                query_uri=album.jpeg(overlay.query),
                corners=" ".join(f"{x:.1f},{y:.1f}" for x, y in overlay.corners_xy.tolist()),
                number=number,
                differs=overlay.differs,
            )
    return None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the page's table of contents."""

    id: str
    name: str
    title: str
    n_found: int
    best: Hit | None


def contents(answers: Sequence[Answer]) -> list[Entry]:
    """What the page holds, a line a query."""
    return [
        Entry(
            f"q{number}",
            _first_name(answer.queries),
            ", ".join(shown(query.ref) for query in answer.queries),
            answer.found,
            answer.hits[0] if answer.hits else None,
        )
        for number, answer in enumerate(answers, 1)
    ]


def _first_name(queries: Sequence[DescribedImage]) -> str:
    refs: list[ImageRef] = [query.ref for query in queries]
    if not refs:
        return "(no query)"
    more = f" +{len(refs) - 1}" if len(refs) > 1 else ""
    return folder_and_name(refs[0])[1] + more
