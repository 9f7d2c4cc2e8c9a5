"""What plans, manifests and decisions have in common: JSON with a schema, and strangers' names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError

from objsearch.errors import UsageError


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text")
    return value


FileText = Annotated[str, PlainValidator(_text, json_schema_input_type=str)]
"""Text that may hold a file's name: one that is not UTF-8 has odd bytes as lone surrogates."""


def read_record(path: str | Path, schema: str, what: str) -> dict[str, Any]:
    """A JSON object with that `schema`; raises UsageError that says what is there instead."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"'{path}' is not JSON: give {what}") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        said = data.get("schema") if isinstance(data, dict) else None
        if isinstance(said, str) and said.rpartition("/")[0] == schema.rpartition("/")[0]:
            raise UsageError(f"'{path}' is of another version ({said}, not {schema}): make it anew")
        raise UsageError(f"'{path}' is not {what} (its schema is {said!r}, not '{schema}')")
    return data


def first_mistake(error: ValidationError) -> str:
    """The first thing that a record lacks or has wrong, with its place in the file."""
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()}"
