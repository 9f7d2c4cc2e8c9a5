"""The JSON Schema of a settings file, for editors."""

from __future__ import annotations

from typing import Any

from objsearch.components.registry import ROOM_MARK, ROOMS, usable
from objsearch.settings.root import Settings


def json_schema() -> dict[str, Any]:
    """JSON Schema of a settings file (draft 2020-12), for editors."""
    schema = _with_rooms(Settings.model_json_schema())
    for room in ROOMS:
        kinds = usable(room)
        choices: list[dict[str, Any]] = [{"enum": list(kinds)}]
        for name, kind in kinds.items():
            options = kind.model_json_schema(mode="validation")
            options["properties"] = {"name": {"const": name}, **options.get("properties", {})}
            options["required"] = ["name"]
            choices.append(options)
        schema.setdefault("$defs", {})[room] = {"oneOf": choices}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _with_rooms(schema: Any) -> Any:
    """The schema with every mark of a room replaced by a reference to its components."""
    if isinstance(schema, list):
        return [_with_rooms(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _with_rooms(value) for key, value in schema.items() if key != ROOM_MARK}
    return {"$ref": f"#/$defs/{schema[ROOM_MARK]}", **inner} if ROOM_MARK in schema else inner
