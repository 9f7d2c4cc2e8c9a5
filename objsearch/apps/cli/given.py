"""What a person said of settings, and what that is said on top of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from objsearch.apps.cli import options as shared

if TYPE_CHECKING:
    from objsearch.settings import Settings


class Given(NamedTuple):
    """What a person said of the settings."""

    preset: str | Mapping[str, Any] | None
    config: Path | None
    mode: shared.Mode | None
    workers: int | None
    assignments: list[str] | None
    filters: dict[str, Any]

    @property
    def settings(self) -> Settings:
        """All of them. Raises ConfigError and UsageError."""
        return shared.settings_of(*self)

    def over(self, index: Path, *, anew: bool = False) -> Settings | None:
        """What is said on top of how an index was made; None where nothing is."""
        from objsearch.tasks.indexing import settings_in, trusted

        if not any(self):
            return None
        if self.preset is not None or self.config is not None:
            return self.settings
        stored = settings_in(index, anew=anew)
        return trusted(index, self._replace(preset=stored).settings, self.assignments or ())
