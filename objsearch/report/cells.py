"""Lines of CSV: cells hold what was found, as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_line(cells: Iterable[object]) -> str:
    """The cells as one line with its newline; quoted where they hold commas, quotes or newlines.

    To a spreadsheet, a name that begins with `=` is a formula.
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
