"""What can go wrong, in one tree.

    ObjSearchError                 anything a person can mend; one sentence, exit code 2
    ├── UsageError                 the call's words are off: nothing to search, no such value
    │   ├── LostIndexError         an index is damaged, or of an older objsearch: build it anew
    │   └── UnreadableQueryError   of the query images none can be read
    ├── ConfigError                a YAML file or an option: names file, line, key, nearest name
    │   ├── UnknownComponentError  no detector, extractor, ... of that name
    │   └── BrokenPluginError      a package brings a component that cannot be used; names it
    ├── MissingDependencyError     an optional package is needed; says which and how to get it
    ├── WeightsError               a model file is missing, damaged or of the wrong kind
    └── UnreadableImageError       an image cannot be decoded; sources make it `Unreadable`

A programming mistake is none of these and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ObjSearchError(Exception):
    """Anything a person can mend; the message is one clear sentence."""


class UsageError(ObjSearchError):
    """The call's words are off."""


class LostIndexError(UsageError):
    """An index can be read no more: `folder` is to be moved away, and `reason` says why."""

    folder, reason = "", ""

    @classmethod
    def of(cls, folder: str, reason: str) -> LostIndexError:
        """The error for a folder; `reason` is the beginning of the sentence."""
        error = cls(f"{reason}: move it away, or build it anew")
        error.folder, error.reason = folder, reason
        return error


class UnreadableQueryError(UsageError):
    """Of the query images none can be read; the message names each with its reason."""


class ConfigError(ObjSearchError):
    """A YAML file or an option is off."""


class UnknownComponentError(ConfigError, ValueError):
    """No component of that name is registered."""


class BrokenPluginError(ConfigError, ValueError):
    """Another package brings a component that cannot be loaded, or is none."""


class MissingDependencyError(ObjSearchError):
    """An optional package is needed for what was asked."""


class WeightsError(ObjSearchError):
    """A model file is missing, damaged or of the wrong kind."""


class UnreadableImageError(ObjSearchError):
    """An image could not be decoded; the message is the reason alone, without the name."""


def nearest(word: str, names: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of the names, or nothing when none is near."""
    known = list(names)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    close = close or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
