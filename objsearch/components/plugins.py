"""Components that other packages bring, by entry points of the groups `objsearch.ROOM`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from objsearch.errors import BrokenPluginError


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a package says it brings; nothing of it is imported yet."""

    room: str
    name: str
    point: EntryPoint

    @property
    def package(self) -> str:
        """The distribution's name, or that of the module where none is known."""
        return self.point.dist.name if self.point.dist else self.point.module.partition(".")[0]

    @property
    def version(self) -> str:
        return self.point.dist.version if self.point.dist else ""

    def load(self) -> Any:
        """What the entry point names. Raises BrokenPluginError, whatever its module raises."""
        try:
            return self.point.load()
        except Exception as error:
            raise self.broken(f"cannot be loaded: {type(error).__name__}: {error}") from error

    def broken(self, what: str) -> BrokenPluginError:
        """An error that names the package: `what` is wrong with it."""
        lines = what.splitlines()[0]
        told = f"'{self.name}' in {self.room}, which the package '{self.package}' brings, {lines}"
        return BrokenPluginError(f"{told}; mend or uninstall that package")


@cache
def plugins(room: str) -> Mapping[str, Plugin]:
    """Of a room by name; of several packages with one name, the first in the alphabet counts."""
    every = [Plugin(room, point.name, point) for point in entry_points(group=f"objsearch.{room}")]
    every.sort(key=lambda plugin: plugin.package, reverse=True)
    return {plugin.name: plugin for plugin in every}
