"""What tells that a file has changed since it was read."""

from __future__ import annotations

import os

from objsearch.types import ImageRef, Stamp


def stamp_of(ref: ImageRef) -> Stamp:
    """The stamp of the file that holds an image; None where it is gone or never was one."""
    try:
        status = os.stat(ref.uri)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
