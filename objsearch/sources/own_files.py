"""Files of our own among photos: an index may lie in the folder that it is of, and is no photo.

Known by what a folder holds, not by its name; what else lies there is listed as anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from objsearch.files import beginning_of

SETTINGS = "settings.json", (b'"description"', b'"detector"')
"""The file of an index that says how photos were described, and what is near its beginning."""
RECORD = "index.json", (b'"schema"', b'"recipe"')
"""The file that says which datasets belong together."""
ROWS = "rows.lance"

BEGINNING_BYTES = 400
OF_ROWS = (RECORD[0], "writer.lock", "writer.txt", "sums.json")
DERIVED = "postings-"
DATASET = ".lance"


def own_names(folder: str, names: Collection[str]) -> set[str]:
    """Of the names in a folder, those that belong to an index."""
    own: set[str] = set()
    if SETTINGS[0] in names and _begins(folder, *SETTINGS):
        own |= {SETTINGS[0]}
    if ROWS in names or (RECORD[0] in names and _begins(folder, *RECORD)):
        own |= {name for name in names if name in OF_ROWS or name.startswith(DERIVED)}
    datasets = (name for name in names if name.endswith(DATASET))
    return own | {name for name in datasets if _is_dataset(os.path.join(folder, name))}


def _begins(folder: str, name: str, told: Collection[bytes]) -> bool:
    beginning = beginning_of(os.path.join(folder, name), BEGINNING_BYTES)
    return all(part in beginning for part in told)


def _is_dataset(path: str) -> bool:
    return os.path.isdir(os.path.join(path, "_versions"))
