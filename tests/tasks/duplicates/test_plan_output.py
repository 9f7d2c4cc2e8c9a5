"""A plan as a table to read."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from rich.console import Console

from objsearch.tasks.duplicates.plan_output import plan_table
from tests.tasks.duplicates.conftest import Planned


def test_a_group_has_its_number_beside_its_first_file_alone(planned: Planned, photo: Path) -> None:
    shutil.copy2(photo, photo.with_name("z.png"))
    console = Console(width=200, file=io.StringIO())
    with console.capture() as shown:
        console.print(plan_table(planned(photo.parent, keep=["path"])))
    rows = [line.split() for line in shown.get().splitlines()]
    first, second = (row for row in rows if "300x200" in row)
    assert first[:2] == ["1", "keep"] and second[0] == "remove"
