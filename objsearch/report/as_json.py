"""Answers as plain data, for programs: dicts, lists, texts, finite numbers; the same on every run.

Names of files are kept as Python holds them, so that `os.fsencode` gives the bytes back: write the
data with `json.dumps(..., ensure_ascii=True)`, which has a form for every such name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from objsearch.types import (
    Answer,
    Box,
    DescribedImage,
    Flag,
    Hit,
    Image,
    ImageRef,
    Region,
    RegionPair,
    Verification,
)

FIND_SCHEMA = "objsearch/find/1"
COMPARE_SCHEMA = "objsearch/compare/1"

SCORE_DIGITS = 6
_TRANSFORM_DIGITS = 9  # significant ones: perspective terms are tiny beside translations


def answer_json(answer: Answer) -> dict[str, Any]:
    """A search's answer."""
    return {
        "schema": FIND_SCHEMA,
        "queries": [_described(query) for query in answer.queries],
        "hits": [_hit(hit) for hit in answer.hits],
        "found": answer.found,
        "scanned": answer.scanned,
        "compared": answer.compared,
        "filtered": answer.filtered,
        "remembered": answer.remembered,
        "n_skipped": answer.n_skipped,
        "skipped": [
            {"ref": str(unreadable.ref), "reason": unreadable.reason}
            for unreadable in answer.skipped
        ],
        "flags": flags_json(answer.flags),
        "screened_out": [str(ref) for ref in answer.screened_out],
        "warnings": list(answer.warnings),
        "settings": plain(answer.settings),
        "elapsed_seconds": rounded(answer.elapsed_seconds, 3),
    }


def flags_json(flags: Mapping[ImageRef, Sequence[Flag]]) -> dict[str, list[dict[str, Any]]]:
    """What screening says of images, by ref."""
    return {str(ref): [flag_json(flag) for flag in of_ref] for ref, of_ref in flags.items()}


def flag_json(flag: Flag) -> dict[str, Any]:
    """One rule that an image is caught by."""
    return {"rule": flag.rule, "score": rounded(flag.score, SCORE_DIGITS), "reason": flag.reason}


def comparison_json(
    hit: Hit, query_ref: ImageRef | str, settings: Mapping[str, object]
) -> dict[str, Any]:
    """What a comparison of two images says."""
    return {
        "schema": COMPARE_SCHEMA,
        "query": str(query_ref),
        "reference": str(hit.ref),
        "score": rounded(hit.score, SCORE_DIGITS),
        "verdict": hit.verdict,
        "note": hit.note,
        "pairs": [_pair(pair, str(hit.query)) for pair in hit.pairs],
        "settings": plain(settings),
    }


def detection_json(image: Image, regions: Iterable[Region]) -> dict[str, Any]:
    """What a detector found in an image."""
    width, height = image.size_wh
    return {
        "ref": str(image.ref),
        "width": width,
        "height": height,
        "regions": [_region(region) for region in regions],
    }


def _described(query: DescribedImage) -> dict[str, Any]:
    width, height = query.size_wh
    return {
        "ref": str(query.ref),
        "width": width,
        "height": height,
        "regions": [_region(region) for region in query.regions],
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "box_xyxy": box_numbers(region.box_xyxy),
        "label": region.label,
        "confidence": rounded(region.confidence, SCORE_DIGITS),
        "proposal": region.proposal,
    }


def _hit(hit: Hit) -> dict[str, Any]:
    width, height = hit.size_wh
    return {
        "ref": str(hit.ref),
        "score": rounded(hit.score, SCORE_DIGITS),
        "false_alarms": significant(hit.false_alarms),
        "verdict": hit.verdict,
        "width": width,
        "height": height,
        "query": str(hit.query),
        "view_scores": _scores(hit.view_scores),
        "negative_scores": _scores(hit.negative_scores),
        "note": hit.note,
        "pairs": [_pair(pair, str(hit.query)) for pair in hit.pairs],
    }


def _pair(pair: RegionPair, query_ref: str) -> dict[str, Any]:
    verification = pair.verification
    return {
        "query": query_ref,
        "query_box_xyxy": box_numbers(pair.query.box_xyxy),
        "reference_box_xyxy": box_numbers(pair.reference.box_xyxy),
        "query_label": pair.query.label,
        "reference_label": pair.reference.label,
        "score": rounded(pair.score, SCORE_DIGITS),
        "verdict": pair.verdict,
        "inliers": pair.inliers,
        "model": verification.model if verification else None,
        "mirrored": verification.mirrored if verification else False,
        "transform": _transform(verification) if verification else None,
        "overlap_query": rounded(pair.overlap_query, SCORE_DIGITS),
        "overlap_reference": rounded(pair.overlap_reference, SCORE_DIGITS),
        "similarities": _scores(pair.similarities),
        "evidence": pair.evidence,
        "differs": {
            side: [box_numbers(box) for box in boxes]
            for side, boxes in zip(("query", "reference"), pair.differs, strict=True)
        },
    }


def _scores(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: rounded(score, SCORE_DIGITS) for name, score in scores.items()}


def _transform(verification: Verification) -> list[list[float]] | None:
    """Row by row; None when a number in it is not finite."""
    rows = np.asarray(verification.transform, float).tolist()
    if not np.isfinite(verification.transform).all():
        return None
    return [[float(f"{value:.{_TRANSFORM_DIGITS}g}") + 0.0 for value in row] for row in rows]


def box_numbers(box: Box) -> list[float | None]:
    """x1, y1, x2, y2 in pixels to a hundredth."""
    return [rounded(value, 2) for value in box]


def rounded(value: float | None, digits: int) -> float | None:
    """A finite number of so many decimals (never -0.0), or None."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0


def significant(value: float | None) -> float | None:
    """A finite number to three digits, however small, or None."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.3g}")


def plain(value: object) -> Any:
    """Nested settings as JSON knows them: what is no number, list or mapping becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(inner) for inner in value), key=str)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)
