"""YAML with the line of every key, so that a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from objsearch.errors import ConfigError

KeyPath = tuple[str | int, ...]

_MOST_VALUES = 100_000
"""More than any settings hold: anchors within anchors can stand for billions of values."""

_WORDS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


@dataclass(frozen=True, slots=True)
class Marks:
    """The name of a document and the lines of its keys, counted from 1."""

    document: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    overridden: dict[KeyPath, str] = field(default_factory=dict)
    """What was set over the document, with what the person called it: `--set search.top`."""

    def place(self, path: Sequence[str | int]) -> str:
        """`file, line 3`: the line of the key, or of the nearest key around it.

        A key that only something set over the document has made, `searc.top`, is that one's.
        """
        for end in range(len(path), 0, -1):
            here = tuple(path[:end])
            if told := self.overridden.get(here):
                return told
            if line := self.lines.get(here):
                return f"{self.document}, line {line}"
            for key, told in self.overridden.items():
                if key[:end] == here:
                    return told
        return self.document


def read_yaml(path: Path) -> tuple[dict[str, Any], Marks]:
    """A YAML mapping and the lines of its keys.

    Raises ConfigError when the file is missing, is not YAML, repeats a key or is no mapping.
    """
    marks = Marks(str(path))
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _walk(node, (), marks)
        data = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"cannot read the settings '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not YAML ({error.problem})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A date that there is not is a ValueError; an anchor that holds itself never ends.
        raise ConfigError(f"{path}: not YAML ({str(error).splitlines()[0]})") from None
    if data is None:
        return {}, marks
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: settings are a mapping of keys, not a {type(data).__name__}")
    return data, marks


def _walk(node: yaml.Node | None, path: KeyPath, marks: Marks) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, _word(key, marks))
            line = key.start_mark.line + 1
            if here in marks.lines:
                raise ConfigError(f"{marks.document}, line {line}: '{key.value}' is given twice")
            marks.lines[here] = line
            _walk(value, here, marks)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            marks.lines[(*path, number)] = line = value.start_mark.line + 1
            if len(marks.lines) > _MOST_VALUES:
                said = (
                    f"it holds more than {_MOST_VALUES:,} values, anchors counted as often as named"
                )
                raise ConfigError(f"{marks.document}, line {line}: {said}")
            _walk(value, (*path, number), marks)
    elif isinstance(node, yaml.ScalarNode):
        _check_value(node, marks)


def _word(key: yaml.Node, marks: Marks) -> str:
    """A key as it is written; `no` and `1` without quotes are read as other things than words."""
    if isinstance(key, yaml.ScalarNode) and key.tag in _WORDS:
        return str(key.value)
    other = key.value if isinstance(key, yaml.ScalarNode) else "a list"
    raise ConfigError(
        f"{marks.document}, line {key.start_mark.line + 1}: a key is a word, not {other}"
    )


def _check_value(node: yaml.ScalarNode, marks: Marks) -> None:
    """Raises ConfigError for a day that there is not, while its line is known."""
    try:
        SafeConstructor().construct_object(node)
    except ValueError as error:
        line = node.start_mark.line + 1
        raise ConfigError(f"{marks.document}, line {line}: not YAML ({error})") from None
