"""objsearch: which of these photos show the same object?

>>> from objsearch import ObjectSearch
>>> search = ObjectSearch.open("default").add("photos/")
>>> for hit in search.find("mug.jpg").hits:
...     print(hit.ref, hit.score, hit.verdict)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from objsearch.errors import ObjSearchError
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.settings import Settings, Where, load_settings
    from objsearch.types import Answer, Box, Hit, Image, ImageRef, Region, RegionPair

__version__ = "0.1.0"

_HOMES = {
    "Answer": "types",
    "Box": "types",
    "Hit": "types",
    "Image": "types",
    "ImageRef": "types",
    "ObjSearchError": "errors",
    "ObjectSearch": "search.pipeline",
    "Region": "types",
    "RegionPair": "types",
    "Settings": "settings",
    "Where": "settings",
    "load_settings": "settings",
}

__all__ = [
    "Answer",
    "Box",
    "Hit",
    "Image",
    "ImageRef",
    "ObjSearchError",
    "ObjectSearch",
    "Region",
    "RegionPair",
    "Settings",
    "Where",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    """Public names load on first use, so that importing costs next to nothing (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'objsearch' has no attribute '{name}'")
    return getattr(importlib.import_module(f"objsearch.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
