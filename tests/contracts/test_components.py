"""What every registered component keeps, whatever room it is in."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from objsearch.components.registry import ROOMS, build, component, names
from objsearch.errors import ConfigError, UnknownComponentError
from objsearch.settings import json_schema, load_settings
from tests.contracts.made import EVERY, fresh, spec

every = pytest.mark.parametrize(("room", "name"), EVERY)


def settings_with(room: str, one: dict[str, Any]) -> dict[str, Any]:
    """Settings in which a component stands where it belongs."""
    if room == "detect":
        return {"detector": one}
    if room == "index":
        return {"index": one}
    if room == "describe":
        return {"descriptors": [{"extractor": one}]}
    if room == "classify":
        return {"screening": {"classifiers": [one]}}
    kind = one["name"] if one["name"] in names("match") else names("match")[0]
    return {"descriptors": [{"extractor": _fitting(kind), "matcher": one}]}


def _fitting(matcher: str) -> str:
    accepts = component("match", matcher).accepts  # type: ignore[attr-defined]
    kinds = {name: component("describe", name).produces for name in names("describe")}  # type: ignore[attr-defined]
    return next(name for name, kind in kinds.items() if kind in accepts)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_components(room: str) -> None:
    assert names(room) == tuple(sorted(set(names(room))))
    assert names(room)


@every
def test_names_are_kebab_case_and_files_the_same_in_snake_case(room: str, name: str) -> None:
    kind = component(room, name)
    assert kind.name == name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    if kind.__module__.startswith("objsearch."):
        assert kind.__module__ == f"objsearch.{room}.{name.replace('-', '_')}"


@every
def test_every_component_and_option_says_what_it_is(room: str, name: str) -> None:
    kind = component(room, name)
    assert (kind.__doc__ or "").strip()
    silent = [key for key, field in kind.model_fields.items() if not field.description]
    assert silent == []


@every
def test_a_spec_builds_the_same_component(room: str, name: str) -> None:
    one = fresh(room, name)
    again = build(room, one.spec())
    assert again == one
    assert hash(again) == hash(one)
    assert again.spec() == one.spec()
    assert next(iter(one.spec())) == "name"
    assert json.loads(json.dumps(one.spec())) == one.spec()
    assert repr(one).startswith(f"{{name: {name}")


@every
def test_a_component_is_frozen(room: str, name: str) -> None:
    one = fresh(room, name)
    for key in one.model_fields_set | set(type(one).model_fields):
        with pytest.raises(ValidationError):
            setattr(one, key, None)


@every
def test_copies_and_pickles_are_equal(room: str, name: str) -> None:
    one = fresh(room, name)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one


@every
def test_an_unknown_option_is_refused_with_the_nearest_name(room: str, name: str) -> None:
    options = list(component(room, name).model_fields)
    for right in options or ["anything"]:
        wrong = right[:-1] + "_x" if len(right) > 3 else right + "x"
        data = settings_with(room, {**spec(room, name), wrong: 1})
        with pytest.raises(ConfigError) as caught:
            load_settings(data)
        sentence = str(caught.value)
        assert f".{wrong}'" in sentence
        if options:
            assert "did you mean" in sentence
        assert "\n" not in sentence


@every
def test_a_misspelt_name_is_refused_with_the_nearest_name(room: str, name: str) -> None:
    wrong = name + "x"
    with pytest.raises(UnknownComponentError, match=f"did you mean '{name}'"):
        build(room, wrong)
    with pytest.raises(ConfigError, match=f"no '{wrong}' in {room}; did you mean '{name}'"):
        load_settings(settings_with(room, {"name": wrong}) | {"description": "x"})


@every
def test_the_schema_knows_the_component_and_its_options(room: str, name: str) -> None:
    bare, *choices = json_schema()["$defs"][room]["oneOf"]
    assert name in bare["enum"]
    [mine] = [one for one in choices if one["properties"]["name"] == {"const": name}]
    assert set(mine["properties"]) == {"name", *component(room, name).model_fields}
    assert mine["additionalProperties"] is False


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("wrong", [3, None, [], {}, {"n_points": 5}, {"name": 3}, {"name": None}])
def test_what_is_no_spec_is_refused_in_a_sentence(room: str, wrong: Any) -> None:
    with pytest.raises(UnknownComponentError, match=room):
        build(room, wrong)


@pytest.mark.parametrize("wrong", ["a.b", "a/b", "..", "Orb", "base.Extractor", " orb"])
@pytest.mark.parametrize("room", ROOMS)
def test_what_is_no_name_is_refused_like_an_unknown_one(room: str, wrong: str) -> None:
    with pytest.raises(UnknownComponentError, match=f"no '{wrong}' in {room}"):
        build(room, wrong)
