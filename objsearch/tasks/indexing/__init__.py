"""An index in a folder of one's own: made once, kept up, searched from then on.

    build_index("photos.index", ["photos"])
    search = open_index("photos.index")
    search.find("mug.jpg")

The folder can be copied, put on a disk and read from two machines. It holds descriptions and no
pixels.
"""

from objsearch.tasks.indexing.informing import info_lines
from objsearch.tasks.indexing.keeping_up import (
    Tally,
    build_index,
    compact_index,
    index_info,
    open_index,
    prune_index,
    remove_from_index,
    settings_in,
    update_index,
)
from objsearch.tasks.indexing.trusting import trusted

__all__ = [
    "Tally",
    "build_index",
    "compact_index",
    "index_info",
    "info_lines",
    "open_index",
    "prune_index",
    "remove_from_index",
    "settings_in",
    "trusted",
    "update_index",
]
