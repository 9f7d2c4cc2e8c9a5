"""Names and rows on a terminal, however wide it is: nothing is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from objsearch.report.wording import shown
from objsearch.types import ImageRef

_LEAST_NAME_WIDTH = 12
_GAP = 3  # what a table puts around one more column
_NAME_ROOM = 24
"""Columns left for names under which a table shows nothing but pieces of them."""

T = TypeVar("T")


class Name:
    """A name, whole: where there is little room it goes on in the next line."""

    def __init__(self, name: ImageRef | str, style: str = "") -> None:
        self.text = shown(name)
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.text, self.style, overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        full = cell_len(self.text)
        return Measurement(min(full, _LEAST_NAME_WIDTH), full).with_maximum(options.max_width)


class Rows:
    """A table; where its width leaves names no room, each row as a block of lines.

    `columns` are headings, those of numbers with a `>` before them, long ones in two lines; the one
    called `wide` gives way to the others.
    """

    def __init__(self, columns: Sequence[str], wide: int) -> None:
        self._headings = [column.removeprefix(">") for column in columns]
        self._is_number = [column.startswith(">") for column in columns]
        self._wide = wide
        self._rows: list[Sequence[RenderableType]] = []

    def add(self, *cells: RenderableType) -> None:
        """A row, a cell a column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        others = Table(*self._narrow(self._headings), box=box.SIMPLE_HEAD, pad_edge=False)
        for row in self._rows:
            others.add_row(*self._narrow(row))
        room = options.max_width - Measurement.get(console, options, others).maximum - _GAP
        names = [Measurement.get(console, options, row[self._wide]).maximum for row in self._rows]
        yield self._table() if room >= min(_NAME_ROOM, max(names, default=0)) else self._blocks()

    def _narrow(self, cells: Sequence[T]) -> list[T]:
        return [cell for at, cell in enumerate(cells) if at != self._wide]

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for at, heading in enumerate(self._headings):
            right = "right" if self._is_number[at] else "left"
            table.add_column(heading, justify=right, no_wrap=at != self._wide)  # type: ignore[arg-type]
        for row in self._rows:
            table.add_row(*row)
        return table

    def _blocks(self) -> Group:
        parts: list[RenderableType] = [Text("")]
        for row in self._rows:
            told = [
                Text.assemble((heading.replace("\n", " ") + " " if heading else "", "dim"), cell)
                for heading, cell in zip(self._headings, row, strict=True)
                if isinstance(cell, str | Text) and str(cell)
            ]
            parts += [row[self._wide], Padding(Text(", ").join(told), (0, 0, 0, 2))]
        return Group(*parts, Text(""))
