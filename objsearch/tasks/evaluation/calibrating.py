"""Labelled photos -> a calibration, and what each threshold then means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from objsearch.components.registry import component
from objsearch.describe.base import Extractor
from objsearch.errors import UsageError
from objsearch.flow import Progress, silent
from objsearch.match.calibration import Calibration, Examples, fit
from objsearch.match.tail import LEAST_PAIRS, measured
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import Settings
from objsearch.tasks.evaluation.groundtruth import Groundtruth, read_groundtruth
from objsearch.tasks.evaluation.judging import Judge, every_hit
from objsearch.tasks.evaluation.pairs import Pair, check_pairs, is_pairs, read_pairs
from objsearch.types import Hit, Verdict

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

FEW_PAIRS = 30
"""Same, or different, pairs under which a fit follows the pairs that there happen to be."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One compared pair of images: the features of its best pair of regions, and the truth."""

    features: dict[str, float]
    is_same: bool
    source: int = 0
    stands_for: int = 1
    """Pairs of the same query, all different and none ranked higher, that it stands for."""
    verdict: Verdict = "uncertain"


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A calibration with the scores it gives to the pairs that it was fitted on."""

    calibration: Calibration
    scores: NDArray[np.float64]
    is_same: NDArray[np.bool_]
    n_different: int = 0
    """Different pairs that were looked at, those beyond the shortlist, too."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting it."""
        return (*self._few_pairs(), *self._no_tail())

    def _no_tail(self) -> Iterator[str]:
        if self.calibration.tail is None:
            yield (
                f"false alarms stay unknown: it takes {LEAST_PAIRS} different pairs to tell how "
                f"often such pairs score much, and {self.n_different} were looked at; give more "
                "--distractors"
            )

    def _few_pairs(self) -> Iterator[str]:
        n_same, n_different = int(self.is_same.sum()), int((~self.is_same).sum())
        if min(n_same, n_different) >= FEW_PAIRS:
            return
        yield (
            f"the calibration rests on {n_same} same and {n_different} different pairs: with fewer "
            f"than {FEW_PAIRS} of each its scores are no probabilities of other photos"
        )

    def at(self, threshold: float) -> dict[str, float | None]:
        """Precision, recall and false-positive rate of all pairs that score at least this.

        The precision of none is None.
        """
        chosen = self.scores >= threshold
        n_right, n_wrong = int((chosen & self.is_same).sum()), int((chosen & ~self.is_same).sum())
        n_chosen = n_right + n_wrong
        return {
            "threshold": threshold,
            "precision": round(n_right / n_chosen, 4) if n_chosen else None,
            "recall": round(n_right / max(1, int(self.is_same.sum())), 4),
            "false_positive_rate": round(n_wrong / max(1, int((~self.is_same).sum())), 5),
        }

    def threshold_for(self, precision: float) -> float | None:
        """The least score from which the wanted precision holds, or None when none reaches it."""
        thresholds, first = np.unique(np.sort(self.scores), return_index=True)
        right = self.is_same[np.argsort(self.scores)]
        n_right = np.cumsum(right[::-1])[::-1][first]
        # Neither is rounded: each might let a wrong pair in.
        reached = np.flatnonzero(n_right / (len(right) - first) >= precision)
        return float(thresholds[reached[0]]) if len(reached) else None

    def as_data(self, precision: float) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "pairs_same": int(self.is_same.sum()),
            "pairs_different": int((~self.is_same).sum()),
            "thresholds": [self.at(threshold) for threshold in THRESHOLDS],
            "wanted_precision": precision,
            "threshold_for_wanted_precision": self.threshold_for(precision),
            "calibration": self.calibration.model_dump(mode="json"),
        }

    def lines(self, precision: float) -> Iterator[str]:
        """The same for people."""
        data = self.as_data(precision)
        yield f"{data['pairs_same']} same and {data['pairs_different']} different pairs"
        yield f"{'threshold':>9} {'precision':>9} {'recall':>9} {'false positives':>15}"
        for row in data["thresholds"]:
            precise = "-" if row["precision"] is None else f"{row['precision']:.4f}"
            yield (
                f"{row['threshold']:9.2f} {precise:>9} {row['recall']:9.4f} "
                f"{row['false_positive_rate']:15.5f}"
            )
        threshold = data["threshold_for_wanted_precision"]
        yield (
            f"precision {precision:g} needs a threshold of {threshold:.6f}"
            if threshold is not None
            else f"no threshold reaches precision {precision:g}"
        )


def calibrate(
    settings: Settings,
    files: Sequence[Path],
    distractors: Sequence[Any] = (),
    progress: Progress = silent,
) -> Result:
    """Fit the scores of some settings to labelled photos.

    From a ground truth come the pairs that a search for each of its queries compares in full, and
    all right ones; from a file with the columns a, b, same its pairs. Raises UsageError when there
    are not both same and different pairs.
    """
    names = [channel.alias for channel in settings.descriptors]
    whole = [
        channel.alias
        for channel in settings.descriptors
        if channel.extractor.produces in ("global", "binary")
    ]
    # Enough to know them again, and no more of where a person keeps things.
    source = ", ".join("/".join(path.absolute().parts[-2:]) for path in files)
    return fitted(labelled_pairs(settings, files, distractors, progress), names, source, whole)


def labelled_pairs(
    settings: Settings,
    files: Sequence[Path],
    distractors: Sequence[Any] = (),
    progress: Progress = silent,
) -> list[Labelled]:
    """The compared pairs of some files, with the truth of each."""
    # A floor would hide how alike the unlike are, and the fit would take them for blank.
    rules = settings.assignment.model_copy(update={"floor": 0.0})
    # A second look goes by other keypoints than the features that are fitted.
    look = settings.search.second_look.model_copy(update={"enabled": False})
    # Nor can false alarms be a border before they have been measured, which is done here.
    changes = {"second_look": look, "max_false_alarms": None}
    search_section = settings.search.model_copy(update=changes)
    settings = settings.model_copy(update={"assignment": rules, "search": search_section})
    pairs: list[Labelled] = []
    for source, labels in enumerate([_labels(path, distractors) for path in files]):
        search = ObjectSearch(settings, progress)
        labelled = (
            _from_groundtruth(search, labels, distractors)
            if isinstance(labels, Groundtruth)
            else _from_pairs(search, labels)
        )
        pairs += [replace(pair, source=source) for pair in labelled]
    return pairs


def _labels(path: Path, distractors: Sequence[Any]) -> Groundtruth | list[Pair]:
    """What stands in a file, looked through for mistakes before the work begins."""
    if is_pairs(path):
        pairs = read_pairs(path)
        check_pairs(path, pairs)
        return pairs
    truth = read_groundtruth(path)
    truth.check(has_more=bool(distractors))
    truth.check_photos()
    return truth


def fitted(
    pairs: Sequence[Labelled], names: list[str], source: str, whole: Collection[str] | None = None
) -> Result:
    """Fit the features of descriptors by alias; every file has the same say.

    `source` is kept with the calibration. `whole` are those that describe a crop by one vector or
    code, by default the extractors of these names that do. Raises UsageError when all pairs are of
    one kind.
    """
    examples = examples_of(pairs, names)
    n_same = int(examples.is_same.sum())
    fitted_on = f"{n_same} same and {len(pairs) - n_same} different pairs of {source}"
    if n_same in (0, len(pairs)):
        raise UsageError(
            "a calibration needs pairs that are the same and pairs that are not, and there are "
            f"{fitted_on}"
        )
    if whole is None:
        whole = [name for name in names if _is_whole(name)]
    calibration = fit(examples, names, fitted_on, whole)
    scores = np.array([calibration.probability(pair.features) for pair in pairs])
    different = [pair for pair in pairs if not pair.is_same]
    n_different = sum(pair.stands_for for pair in different)
    tail = measured(
        scores[~examples.is_same].tolist(),
        n_different,
        sum(pair.verdict == "same" for pair in different),
        f"{n_different} different pairs of {source}",
    )
    calibration = calibration.model_copy(update={"tail": tail})
    return Result(calibration, scores, examples.is_same, n_different)


def examples_of(pairs: Sequence[Labelled], names: Sequence[str]) -> Examples:
    """The pairs as arrays; a feature that was not computed counts as 0."""
    return Examples(
        np.array([[pair.features.get(name, 0.0) for name in names] for pair in pairs]),
        np.array([pair.is_same for pair in pairs], bool),
        np.array([pair.source for pair in pairs], int),
    )


def _is_whole(extractor: str) -> bool:
    """Whether it describes a crop by one vector or code, not by keypoints."""
    made = cast(type[Extractor], component("describe", extractor))
    return made.produces in ("global", "binary")


def _from_pairs(search: ObjectSearch, pairs: Iterable[Pair]) -> Iterator[Labelled]:
    for pair in pairs:
        hit = search.compare(pair.a, pair.b)
        yield Labelled(_features(hit), pair.is_same, verdict=hit.verdict)


def _from_groundtruth(
    search: ObjectSearch, truth: Groundtruth, distractors: Sequence[Any]
) -> Iterator[Labelled]:
    search.add(*truth.references(), *distractors)
    rows, judge, asking = truth.queries(), Judge(), every_hit(search.settings.search)
    for number, row in enumerate(rows, 1):
        box = row.box_xyxy
        region = None if box is None else (box.x1, box.y1, box.width, box.height)
        answer = search.find(row.path, region=region, **asking)
        hits = list(judge.judged(answer.hits, truth.boxes(row)))
        yield from _examples(hits, search.settings.search.shortlist)
        search.progress("calibrate", number, len(rows))


def _examples(hits: Sequence[tuple[Hit, str | None]], limit: int | None) -> Iterator[Labelled]:
    """Of hits, each with the right photo that it is of, or None.

    Beyond the shortlist only right ones: easy wrong pairs would drown the hard ones.

    The least alike of the wrong ones before stands for them: none of them scored more.
    """
    are_right = [photo is not None for _, photo in hits]
    n_first = len(hits) if limit is None else min(limit, len(hits))
    wrong = [rank for rank in range(n_first) if not are_right[rank]]
    n_beyond = are_right[n_first:].count(False)
    for rank, ((hit, _), is_right) in enumerate(zip(hits, are_right, strict=True)):
        if is_right or rank < n_first:
            stands_for = 1 + n_beyond * (wrong[-1:] == [rank])
            yield Labelled(_features(hit), is_right, stands_for=stands_for, verdict=hit.verdict)


def _features(hit: Hit) -> dict[str, float]:
    return dict(hit.pairs[0].features) if hit.pairs else {}
