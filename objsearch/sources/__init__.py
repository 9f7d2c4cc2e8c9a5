"""What a person names -> images: files, folders, globs, URLs, bytes, streams, arrays.

`expand` lists places without opening them; `unfold` puts pages and frames in the place of files
that hold several; `read_image` opens one. Every place ends as an `Image` or as an `Unreadable` with
its reason: nothing is silently dropped.
"""

from objsearch.sources.filters import Filters
from objsearch.sources.options import Network, Reading
from objsearch.sources.places import Place, expand, is_made_up, key_of
from objsearch.sources.reading import read_image, region_of
from objsearch.sources.unfolding import unfold

__all__ = [
    "Filters",
    "Network",
    "Place",
    "Reading",
    "expand",
    "is_made_up",
    "key_of",
    "read_image",
    "region_of",
    "unfold",
]
