"""Where a command remembers what it described: in the user's library, in another, or nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from objsearch.apps.cli.output import hint
from objsearch.errors import MissingDependencyError, UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings

WITHOUT_LANCE = "needs the package pylance, which is not installed, or not made for this machine"


def with_memory(settings: Settings, library: Path | None, forget: bool) -> Settings:
    """The settings with a library that remembers what was described, unless that is not wanted."""
    from objsearch.search.library import remembering

    return remembering(settings, folder) if (folder := library_of(library, forget)) else settings


def library_of(library: Path | None, forget: bool) -> Path | None:
    """The folder of the library, or None where nothing is to be, or can be, remembered.

    Raises UsageError for both options, MissingDependencyError for a library that was asked for and
    cannot be had.
    """
    from objsearch.search.library import can_remember, library_dir

    if forget and library is not None:
        raise UsageError("give either --library or --forget, not both")
    if forget:
        return None
    if can_remember():
        return library or library_dir()
    if library is not None:
        raise MissingDependencyError(f"--library {library} {WITHOUT_LANCE}")
    hint(f"what is described is not remembered: that {WITHOUT_LANCE}; --forget hides this hint")
    return None
