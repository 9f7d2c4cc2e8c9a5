"""What is told of references beside hits: what was odd about them, and what none of them has."""

from __future__ import annotations

from collections.abc import Collection

from objsearch.errors import UsageError
from objsearch.search.references import References
from objsearch.sources import ref_of


def check_there(references: References, nothing: str) -> None:
    """Raises UsageError where there is no reference that could be read; `nothing` says why."""
    if references.index.count(references.where):
        return
    n_skipped, skipped = references.first_skipped(1)
    if skipped:
        raise UsageError(
            f"none of the {n_skipped} references can be read; "
            f"the first: {skipped[0].ref}: {skipped[0].reason}"
        )
    raise UsageError(f"no references: {'; '.join([nothing, *references.away.values()])}")


def warnings_of(references: References, limit: int | None = None) -> list[str]:
    """What was odd about references, with their names: of `limit` of them, and how many are left.

    What there is to say of a cache, and of what is away, comes first, and always.
    """
    by_key = references.index.warnings(references.where)
    told = [*references.told, *references.away.values()]
    for key in list(by_key)[:limit]:
        name = references.named.get(key, ref_of(key))
        told += [f"{name}: {warning}" for warning in by_key[key]]
    left = 0 if limit is None else len(by_key) - limit
    if left > 0:
        told.append(
            f"{left:,} further references were odd: 'list_skipped' says of how many that is told"
        )
    return told


def unknown_labels(references: References, wanted: Collection[str]) -> list[str]:
    """What is said of labels that no reference bears, with those that some do."""
    if not wanted:
        return []
    seen = references.index.labels(references.where)
    known = ", ".join(sorted(seen - {"frame", "tile"})) or "none"
    return [
        f"no reference has the label '{label}' (labels there are: {known})"
        for label in wanted
        if label not in seen
    ]
