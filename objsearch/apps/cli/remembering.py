"""Where a command remembers what it described: in the user's library, in another, or nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings


def with_memory(settings: Settings, library: Path | None, forget: bool) -> Settings:
    """The settings with a library that remembers what was described, unless that is not wanted."""
    from objsearch.search.library import remembering

    return remembering(settings, folder) if (folder := library_of(library, forget)) else settings


def library_of(library: Path | None, forget: bool) -> Path | None:
    """The folder of the library, or None where nothing is to be remembered.

    Raises UsageError for both options.
    """
    from objsearch.search.library import library_dir

    if forget and library is not None:
        raise UsageError("give either --library or --forget, not both")
    return None if forget else library or library_dir()
