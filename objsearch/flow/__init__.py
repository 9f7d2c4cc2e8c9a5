"""The one place where work runs side by side: the answer never depends on how it is spread."""

from objsearch.flow.grouping import map_groups
from objsearch.flow.threads import (
    THREADS,
    Progress,
    batches,
    counted,
    default_workers,
    is_busy,
    once,
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
    "map_groups",
    "once",
    "ordered_map",
    "silent",
]
