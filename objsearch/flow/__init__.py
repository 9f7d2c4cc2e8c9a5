"""The one place where work runs side by side: the answer never depends on how it is spread."""

from objsearch.flow.threads import (
    THREADS,
    Progress,
    batches,
    counted,
    default_workers,
    is_busy,
    ordered_map,
    silent,
)

__all__ = [
    "THREADS",
    "Progress",
    "batches",
    "counted",
    "default_workers",
    "is_busy",
    "ordered_map",
    "silent",
]
