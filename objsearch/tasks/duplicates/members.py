"""Clusters of files as groups of the plan: every name of every file, and what it is to the kept."""

from __future__ import annotations

import math

from objsearch.agree import Agreement
from objsearch.tasks.duplicates.copying import IDENTICAL, Copy
from objsearch.tasks.duplicates.grouping import Cluster
from objsearch.types.plans import RELATIONS, Group, Member, PlanBox, Transform

DIGITS = 9
"""Significant digits of a transform: a thousandth of a pixel at any size of picture."""


def group_of(cluster: Cluster, number: int) -> Group:
    """A cluster as a group of the plan: every name of every file, the kept one first."""
    kept = Copy(cluster.keep, cluster.keep, "keep", "identical-bytes", IDENTICAL, cluster.reason)
    members = _members(kept)
    members = [member.model_copy(update={"relation": None, "copy_of": ""}) for member in members]
    for copy in cluster.copies:
        members += _members(copy)
    relation = max((copy.relation for copy in cluster.copies), key=RELATIONS.index)
    return Group(group=number, relation=relation, members=tuple(members))


def _members(copy: Copy) -> list[Member]:
    candidate = copy.candidate
    first, *others = candidate.file.names
    reasons = [copy.reason, *(f"another name (hard link) of {first}" for _ in others)]
    return [
        Member(
            path=name,
            action=copy.action,
            similarity_to_keep=round(copy.likeness.score, 6),
            identical_to_keep=copy.relation in ("identical-bytes", "identical-pixels"),
            width=candidate.size_wh[0],
            height=candidate.size_wh[1],
            bytes=candidate.file.bytes,
            reason=said,
            relation=copy.relation,
            differs=_differs(copy.agreement),
            transform=_transform(copy.agreement),
            lacks=copy.lacks,
            copy_of=copy.of.file.path,
        )
        for name, said in zip(candidate.file.names, reasons, strict=True)
    ]


def _differs(agreement: Agreement | None) -> tuple[PlanBox, ...]:
    boxes = agreement.differs[0] if agreement else ()
    return tuple(
        (math.floor(box.x1), math.floor(box.y1), math.ceil(box.x2), math.ceil(box.y2))
        for box in boxes
    )


def _transform(agreement: Agreement | None) -> Transform | None:
    """The nine numbers; None where the pixels are the same, or nothing was laid over them."""
    if agreement is None:
        return None
    a, b, c, d, e, f, g, h, i = (
        float(f"{number:.{DIGITS}g}") for number in agreement.transform.ravel()
    )
    return a, b, c, d, e, f, g, h, i
