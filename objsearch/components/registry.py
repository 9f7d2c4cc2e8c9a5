"""Components by name: `component("detect", "whole-image")` is the class in `detect/whole_image.py`.

A registered name is kebab-case and its file the same in snake_case, so adding a component is adding
a file. Other packages add theirs through entry points, a group a room: `objsearch.detect`,
`objsearch.describe`, `objsearch.match`, `objsearch.index` and `objsearch.classify`. What they bring
is imported when it is named, and breaks nothing else where it cannot be.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache, partial
from types import ModuleType
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from objsearch.components.plugins import Plugin, plugins
from objsearch.errors import BrokenPluginError, UnknownComponentError, nearest

ROOMS = ("detect", "describe", "match", "index", "classify")


class Component(BaseModel):
    """A detector, extractor, matcher or index: a frozen object that is its options.

    Fields are the YAML keys, validated when built; unknown ones are refused. Loaded models live in
    private attributes: they load on first use and stay out of pickles and comparisons.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
    name: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _without_name(cls, options: Any) -> Any:
        """`name` chooses the class and is no option of it."""
        if isinstance(options, dict) and options.get("name") == cls.name:
            return {key: value for key, value in options.items() if key != "name"}
        return options

    @model_serializer(mode="wrap")
    def _with_name(self, handler: Any) -> dict[str, Any]:
        return {"name": self.name, **handler(self)}

    def spec(self) -> dict[str, Any]:
        """The options as plain data, name first; `build(room, spec)` makes the same component."""
        return self.model_dump(mode="json")

    def made_with(self) -> tuple[str, ...]:
        """Packages whose versions change what it says, beside those that all pictures pass."""
        return ()

    def __repr__(self) -> str:
        options = ", ".join(f"{key}: {value}" for key, value in self.spec().items())
        return "{" + options + "}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.name, *self.__dict__.values()))

    def __getstate__(self) -> dict[Any, Any]:
        return {**super().__getstate__(), "__pydantic_private__": None}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self.model_post_init(None)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self  # frozen, and its models are shared on purpose


def _find_component(module: ModuleType, name: str) -> type[Component] | None:
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue
        if issubclass(value, Component) and getattr(value, "name", None) == name:
            return value
    return None


@cache
def _own_names(room: str) -> frozenset[str]:
    package = importlib.import_module(f"objsearch.{room}")
    modules = [info.name for info in pkgutil.iter_modules(package.__path__)]
    return frozenset(
        module.replace("_", "-")
        for module in modules
        if _own(room, module.replace("_", "-")) is not None
    )


def _own(room: str, name: str) -> type[Component] | None:
    module_name = f"objsearch.{room}.{name.replace('-', '_')}"
    try:
        return _find_component(importlib.import_module(module_name), name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise
        return None


@cache
def names(room: str) -> tuple[str, ...]:
    """Every registered name of a room, sorted; what other packages bring need not load."""
    return tuple(sorted({*_own_names(room), *plugins(room)}))


@cache
def component(room: str, name: str) -> type[Component]:
    """The class registered under a name.

    Raises UnknownComponentError with the list of names, and BrokenPluginError for one that another
    package brings and that cannot be used.
    """
    kind = _own(room, name)
    if kind is None and name in plugins(room):
        kind = _brought(plugins(room)[name])
    if kind is None:
        known = names(room)
        raise UnknownComponentError(
            f"no '{name}' in {room}{nearest(name, known)} (known: {', '.join(known)})"
        )
    return kind


def is_brought(room: str, name: str) -> bool:
    """Whether a component is another package's."""
    return name in plugins(room) and _own(room, name) is None


def _brought(plugin: Plugin) -> type[Component]:
    kind = plugin.load()
    if not isinstance(kind, type) or not issubclass(kind, Component):
        raise plugin.broken(f"is no component: '{plugin.point.value}' is something else")
    if getattr(kind, "name", None) != plugin.name:
        raise plugin.broken(f"has another name in its class: '{getattr(kind, 'name', '')}'")
    if lacking := ", ".join(sorted(kind.__abstractmethods__)):
        raise plugin.broken(f"does not write what it has to: {lacking}")
    return kind


def usable(room: str) -> dict[str, type[Component]]:
    """Every component of a room by name, without what packages bring that are broken."""
    kinds = {}
    for name in names(room):
        try:
            kinds[name] = component(room, name)
        except BrokenPluginError:
            continue
    return kinds


def problems() -> list[str]:
    """What is wrong with what other packages bring, a sentence each; all of it is loaded."""
    every = (plugin for room in ROOMS for plugin in plugins(room).values())
    return [told for plugin in every if (told := problem_of(plugin))]


def problem_of(plugin: Plugin) -> str:
    """What is wrong with a component that a package brings, in a sentence; mostly nothing."""
    try:
        if plugin.name in _own_names(plugin.room):
            raise plugin.broken("is a name that objsearch itself has, and is not used")
        component(plugin.room, plugin.name)
    except BrokenPluginError as error:
        return str(error)
    return ""


def build(room: str, spec: dict[str, Any] | str) -> Component:
    """A component from its spec: a name, or a mapping with `name` and options.

    Raises UnknownComponentError for a name nobody registered and pydantic's ValidationError for
    options that do not fit; `config` turns both into sentences with file and line.
    """
    if not isinstance(spec, str | dict):
        raise UnknownComponentError(
            f"a component of {room} is a name, or a mapping with 'name' and options, not {spec!r}"
        )
    options = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise UnknownComponentError(f"a component of {room} needs a 'name' ({options or 'empty'})")
    return component(room, name).model_validate(options)


ROOM_MARK = "x-room"
"""Stands in generated schemas where `json_schema` puts a reference to a room's components."""


def built(room: str, value: Any) -> Any:
    """A component as it is, or built from its spec."""
    return value if isinstance(value, Component) else build(room, value)


def of_room(room: str) -> Any:
    """Annotations of a field that holds a component: built from YAML, a `oneOf` in the schema."""
    return BeforeValidator(partial(built, room)), WithJsonSchema({ROOM_MARK: room})
