"""What one search is asked: the settings' section `search`, and what `find` is given instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objsearch.settings import Search, load_settings
from objsearch.sources import RegionOfInterest


def asked(section: Search, options: Mapping[str, Any], region: Any = None) -> Search:
    """The section with options by keyword; None leaves what the settings say.

    `region` is a part of the query in any form that `RegionOfInterest.of` reads. Raises ConfigError
    naming the keyword, and UsageError for what is no region.
    """
    given = {f"search.{key}": value for key, value in options.items() if value is not None}
    if region is not None:
        given["search.region"] = RegionOfInterest.of(region).text
    called = {key: f"find({key.removeprefix('search.')}=...)" for key in given}
    return load_settings({"search": section.model_dump()}, given, called).search
