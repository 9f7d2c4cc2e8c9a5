"""What a person names -> images: files, folders, globs, URLs, bytes, streams, arrays.

`expand` lists places without opening them; `unfold` puts pages and frames in the place of files
that hold several; `read_image` opens one. Every place ends as an `Image` or as an `Unreadable` with
its reason: nothing is silently dropped.
"""

from objsearch.sources.at_hand import AtHand
from objsearch.sources.emptiness import nothing_there
from objsearch.sources.filters import Filters, Wanted
from objsearch.sources.options import Network, Reading
from objsearch.sources.places import (
    Place,
    each_input,
    expand,
    is_made_up,
    key_of,
    place_of,
    real_path,
    ref_of,
    within,
)
from objsearch.sources.reading import read_image, read_working
from objsearch.sources.regions import RegionOfInterest, RoiMode, region_of
from objsearch.sources.stamps import stamp_of
from objsearch.sources.unfolding import unfold
from objsearch.sources.urls import is_url

__all__ = [
    "AtHand",
    "Filters",
    "Network",
    "Place",
    "Reading",
    "RegionOfInterest",
    "RoiMode",
    "Wanted",
    "each_input",
    "expand",
    "is_made_up",
    "is_url",
    "key_of",
    "nothing_there",
    "place_of",
    "read_image",
    "read_working",
    "real_path",
    "ref_of",
    "region_of",
    "stamp_of",
    "unfold",
    "within",
]
