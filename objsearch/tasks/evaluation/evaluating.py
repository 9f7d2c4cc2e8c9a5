"""How good is a search, on photos whose answer is known?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from objsearch.rank.metrics import (
    Ranked,
    average_precision,
    is_top1_right,
    micro_average_precision,
    recall_at,
    recall_at_precision,
)
from objsearch.search.pipeline import ObjectSearch
from objsearch.tasks.evaluation.groundtruth import Groundtruth, Row
from objsearch.tasks.evaluation.judging import Judge, every_hit
from objsearch.types import Answer, Box, Hit

SAME_PLACE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a ground truth."""

    every_query: bool = False
    """Every photo of a group is a query, itself left out of the hits."""
    use_boxes: bool = True
    """A query's box is its region of interest."""
    distractors: Sequence[Any] = ()
    """More photos to search in, none of them right."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One query's answer, a hit an entry of `ranked`, beside the truth."""

    row: Row
    answer: Answer
    ranked: Ranked
    wrong_same: int
    right_hits: int
    located: tuple[bool, ...]
    misplaced: tuple[str, ...] = ()
    """Sentences about boxes of the truth outside their photos: nothing is located there."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measures of a whole ground truth; see `rank.metrics` for each."""

    name: str
    outcomes: tuple[Outcome, ...]
    references: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the figures do not tell."""
        n_empty = sum(outcome.ranked.n_right == 0 for outcome in self.outcomes)
        told = (
            f"{self.name}: {n_empty} of {len(self.outcomes)} queries have no other photo in their "
            "group, so none could be right: they count in micro_ap, recall_at_precision and "
            "queries_with_wrong_same alone"
        )
        misplaced = (one for outcome in self.outcomes for one in outcome.misplaced)
        return (*((told,) if n_empty else ()), *dict.fromkeys(misplaced))

    def figures(self) -> dict[str, float | int | None]:
        """Plain numbers by name, for tables and JSON; None where nothing could be measured.

        Where nothing is right, nothing can be found: such a query says something of wrong hits
        alone, and its 0 would be no measure of the search.
        """
        ranked = [outcome.ranked for outcome in self.outcomes]
        asked = [ranking for ranking in ranked if ranking.n_right]
        located = [ok for outcome in self.outcomes for ok in outcome.located]
        return {
            "queries": len(ranked),
            "references": self.references,
            "map": _mean([average_precision(ranking) for ranking in asked]),
            "top1": _mean([is_top1_right(ranking) for ranking in asked]),
            "recall_at_1": _mean([recall_at(ranking, 1) for ranking in asked]),
            "recall_at_10": _mean([recall_at(ranking, 10) for ranking in asked]),
            "recall_at_100": _mean([recall_at(ranking, 100) for ranking in asked]),
            "micro_ap": round(micro_average_precision(ranked), 4),
            "recall_at_precision_90": round(recall_at_precision(ranked, 0.9), 4),
            "recall_at_precision_99": round(recall_at_precision(ranked, 0.99), 4),
            "queries_with_wrong_same": _mean([o.wrong_same > 0 for o in self.outcomes]),
            "located": _mean(located) if located else None,
            "seconds_per_query": _mean([o.answer.elapsed_seconds for o in self.outcomes]),
        }


def evaluate(search: ObjectSearch, truth: Groundtruth, options: Options = Options()) -> Evaluation:
    """Search for every query of a ground truth and hold the hits against it.

    Hits of every score count, so that measures do not depend on the threshold; localisation counts
    right hits over the settings' threshold whose box is known.
    """
    every = options.every_query
    truth.check(every, has_more=bool(options.distractors))
    truth.check_photos()
    search.add(*truth.references(every), *options.distractors)
    rows, asking = truth.queries(every), every_hit(search.settings.search)
    judge, outcomes = Judge(), []
    for number, row in enumerate(rows, 1):
        region = _region(row.box_xyxy) if options.use_boxes else None
        answer = search.find(row.path, region=region, **asking)
        boxes = truth.boxes(row, every)
        hits = list(judge.judged(answer.hits, boxes))
        threshold = search.settings.search.threshold
        outcomes.append(_outcome(row, answer, hits, boxes, threshold))
        search.progress("evaluate", number, len(rows))
    return Evaluation(truth.name, tuple(outcomes), search.n_references)


def _region(box: Box | None) -> tuple[float, float, float, float] | None:
    return None if box is None else (box.x1, box.y1, box.width, box.height)


def _outcome(
    row: Row,
    answer: Answer,
    hits: Sequence[tuple[Hit, str | None]],
    boxes: Mapping[str, tuple[Box, ...]],
    threshold: float,
) -> Outcome:
    """`hits` come with the right photo that each is of; `boxes` say where the thing is in these."""
    shown = [(hit, photo) for hit, photo in hits if photo is not None]
    located = tuple(
        _is_located(hit, boxes[photo])
        for hit, photo in shown
        if hit.score >= threshold and boxes[photo]
    )
    is_right = [photo is not None for _, photo in hits]
    return Outcome(
        row,
        replace(answer, hits=tuple(hit for hit, _ in hits)),
        Ranked([hit.score for hit, _ in hits], is_right, len(boxes)),
        wrong_same=sum(hit.verdict == "same" for hit, photo in hits if photo is None),
        right_hits=len(shown),
        located=located,
        misplaced=tuple(
            f"{hit.ref}: the box {','.join(f'{edge:g}' for edge in box)} of the ground truth lies "
            f"outside its {hit.size_wh[0]} x {hit.size_wh[1]} pixels"
            for hit, photo in shown
            for box in boxes[photo]
            if not box.clipped(hit.size_wh).area
        ),
    )


def _is_located(hit: Hit, boxes: Sequence[Box]) -> bool:
    """Whether it lies at one of the places: two cups of a kind may stand in one photo."""
    if not hit.pairs:
        return False
    found = hit.pairs[0].reference.box_xyxy
    return any(found.iou(box) >= SAME_PLACE_IOU for box in boxes)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
