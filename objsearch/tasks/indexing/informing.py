"""What an index holds and what should be done next: as plain data, and in words."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from objsearch.index import Index
from objsearch.search.keys import file_of, is_away, is_there
from objsearch.search.references import DOUBTED
from objsearch.sources import is_url, stamp_of
from objsearch.types import ImageRef, Stamp

STATES = ("changed", "uncertain", "vanished", "unreachable")
SPARE = 0.2
"""Part of an index's bytes that is worth a call of `compact`."""


def info_of(index: Index, folder: str, root: Path | None = None) -> dict[str, Any]:
    """What an index in a folder holds, as plain data.

    Its own figures, such as `recipe`, `n_described`, `n_bytes` and `recall`; `unreadable` with
    reasons; how many files have `vanished` or `changed`, or are `uncertain`: they were written so
    short before they were read that the same stamp proves nothing, or refused then; those that the
    system refuses now are `unreachable`. `next` lists commands and why each is due.
    """
    info = asdict(index.info())
    info["unreadable"] = [
        {"ref": str(unreadable.ref), "reason": unreadable.reason}
        for unreadable in index.unreadable()
    ]
    facts = {**info, **_states(index)}
    steps = [{"command": f"objsearch index {verb}", "why": why} for verb, why in _due(facts)]
    return {**facts, "next": [_in_folder(step, folder, root) for step in steps]}


def _states(index: Index) -> dict[str, int]:
    """How many files are not, or may not be, what they were; a page stands for its file."""
    stamps = {file_of(key): stamp for key, stamp in index.stamps().items()}
    counts = Counter(_state(uri, stamp) for uri, stamp in stamps.items() if not is_url(uri))
    return {name: counts[name] for name in STATES}


def _state(path: str, stamp: Stamp) -> str:
    now = stamp_of(ImageRef(path))
    if now is None:
        return "unreachable" if is_there(path) else "vanished"
    if stamp is None or stamp == (now[0], DOUBTED):
        return "uncertain"
    return "same" if stamp == now else "changed"


def _due(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What should be done, in order, and why."""
    if facts["changed"]:
        yield "update", _files(facts["changed"], "changed")
    elif facts["uncertain"]:
        yield (
            "update",
            _files(facts["uncertain"], "written just before being read, or refused then"),
        )
    if facts["vanished"] and not (facts["root"] and is_away(facts["root"])):
        yield "prune", _files(facts["vanished"], "gone")
    spare = facts["n_bytes_spare"]
    if facts["due"]:
        yield "compact", f"{', '.join(facts['due'])}: not up to date"
    elif spare > SPARE * sum(facts["n_bytes"].values()):
        yield "compact", f"{spare:,} bytes are of what was forgotten or replaced"


def _files(count: int, what: str) -> str:
    return f"1 file is {what}" if count == 1 else f"{count:,} files are {what}"


def _in_folder(step: Mapping[str, str], folder: str, root: Path | None) -> dict[str, str]:
    said = f" --root {shlex.quote(str(root))}" if root else ""
    return {**step, "command": f"{step['command']} --index {shlex.quote(folder)}{said}"}


def info_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """What `info_of` found, for people."""
    if "bytes_freed" in facts:
        yield f"freed: {facts['bytes_freed']:,} bytes"
    yield f"index: {facts['path']} (schema {facts['schema']}, change {facts['generation']})"
    if "checked" in facts:
        yield _checked_line(facts["checked"])
    if facts["root"] is not None:
        yield f"root: {facts['root']}"
    yield from _recipe_lines(facts["recipe"])
    yield f"photos: {facts['n_described']:,} described, with {facts['n_regions']:,} regions"
    states = ", ".join(f"{facts[name]:,} {name}" for name in STATES)
    yield f"since then: {states}"
    yield f"unreadable: {len(facts['unreadable']):,}"
    yield from (
        f"  {unreadable['ref']}: {unreadable['reason']}" for unreadable in facts["unreadable"]
    )
    yield f"bytes: {sum(facts['n_bytes'].values()):,}, {facts['n_bytes_spare']:,} of them to spare"
    for name, n_bytes in facts["n_bytes"].items():
        version = facts["versions"].get(name)
        yield f"  {name}: {n_bytes:,}" + (f", version {version}" if version is not None else "")
    yield from _recall_lines(facts["n_indexed"], facts["recall"])
    yield "next:" + ("" if facts["next"] else " nothing")
    yield from (f"  {step['command']}  ({step['why']})" for step in facts["next"])


def _checked_line(checked: Mapping[str, int]) -> str:
    n_files, n_without = checked["n_files"], checked["n_without_sum"]
    rest = f"; {n_without:,} of an older objsearch could be read" if n_without else ""
    return f"checked: {n_files - n_without:,} files hold what was written{rest}"


def _recipe_lines(recipe: Mapping[str, str]) -> Iterator[str]:
    """The options, those of one section on a line."""
    sections: dict[str, list[str]] = {}
    for name, value in recipe.items():
        parts = name.split(".")
        depth = 2 if parts[0] == "descriptors" else 1
        section = ".".join(parts[:depth]) if len(parts) > depth else ""
        option = name.removeprefix(section).lstrip(".")
        sections.setdefault(section, []).append(f"{option} {value}")
    yield "recipe:"
    for section, options in sections.items():
        yield f"  {section}: {', '.join(options)}" if section else f"  {', '.join(options)}"


def _recall_lines(indexed: Mapping[str, int], recall: Mapping[str, float]) -> Iterator[str]:
    """How vectors are searched, an alias a line."""
    for alias, count in indexed.items():
        if not count:
            yield f"{alias}: every vector is looked at"
        else:
            yield f"{alias}: {count:,} vectors in cells, {recall[alias]:.1%} of the nearest found"
