"""Plans on the disk: written whole, and checked when they are read, since people edit them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from objsearch.errors import UsageError
from objsearch.files import lies_in, read_record, write_whole
from objsearch.tasks.removal.manifest import first_mistake
from objsearch.types.plans import SCHEMA, Group, Plan, plan_json


def write_plan(plan: Plan, path: str | Path) -> None:
    """Write a plan; it appears under its name only when it is complete. Raises UsageError."""
    try:
        write_whole(path, [json.dumps(plan_json(plan), indent=1), "\n"])
    except OSError as error:
        raise UsageError(f"cannot write the plan '{path}': {error.strerror}") from None


def read_plan(path: str | Path) -> Plan:
    """Read a plan back; raises UsageError that names the file and the first thing wrong with it."""
    data = read_record(path, SCHEMA, "a plan by 'objsearch duplicates'")
    data.pop("id", None)
    data.pop("totals", None)
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"{path}: {first_mistake(error)}") from None
    _check(plan, path)
    return plan


def _check(plan: Plan, path: str | Path) -> None:
    """Refuse what an editing hand has made unsafe."""
    kept = {member.path for group in plan.groups for member in group.having("keep")}
    named = {member.path for group in plan.groups for member in group.having("remove")}
    copied = {plan.files[name].keep for name in named & plan.files.keys()} - {""}
    for name in sorted({*kept, *named, *copied, *chain(*plan.not_duplicates)}):
        _check_whole(name, path)
    removed = _removals(plan, path)
    for name in (*kept, *removed, *copied, *chain(*plan.not_duplicates)):
        if name not in plan.files:
            raise UsageError(f"{path}: 'files' says nothing about '{name}'")
        if name in kept and name in removed:
            raise UsageError(f"{path}: '{name}' is to be removed, and another group keeps it")
    for pair in plan.not_duplicates:
        _check_apart(pair, plan, removed, path)


def _check_whole(name: str, path: str | Path) -> None:
    """Refuse a name that leads to other files from elsewhere, or out of the quarantine."""
    is_whole = os.path.isabs(name) and os.path.normpath(name) == name and "\0" not in name
    if not is_whole:
        raise UsageError(
            f"{path}: '{name}' is not the whole path of a file: write it out from the root on, "
            "without '..', or make the plan anew"
        )


def _removals(plan: Plan, path: str | Path) -> dict[str, Group]:
    """What is to be removed, with its group, which must keep something."""
    removed: dict[str, Group] = {}
    for group in plan.groups:
        for member in group.having("remove"):
            if not any(group.having("keep")):
                said = f"group {group.group} keeps nothing; keep one of its files"
                raise UsageError(f"{path}: {said}")
            if member.path in removed:
                raise UsageError(f"{path}: '{member.path}' is to be removed in two groups")
            if lies_in(os.path.realpath(member.path), plan.protected):
                raise UsageError(f"{path}: '{member.path}' is to be removed, and is protected")
            removed[member.path] = group
    return removed


def _check_apart(
    pair: tuple[str, str], plan: Plan, removed: Mapping[str, Group], path: str | Path
) -> None:
    """Refuse two files that are no duplicates where one goes as a copy of the other."""
    first, second = pair
    if plan.files[first].sha256 == plan.files[second].sha256:
        raise UsageError(
            f"{path}: '{first}' and '{second}' hold the same bytes: they are duplicates"
        )
    for name, other in (pair, pair[::-1]):
        group = removed.get(name)
        if group and not any(member.path != other for member in group.having("keep")):
            raise UsageError(f"{path}: '{name}' is to be removed, and is no duplicate of '{other}'")
