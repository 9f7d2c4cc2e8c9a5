"""Where a name on a page leads: to the file, as seen from the page; both can move together."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from objsearch.types import ImageRef
from objsearch.types.addresses import HIDDEN, without_secrets


def link_of(ref: ImageRef | str, page: Path) -> str:
    """The address of a ref's file from a page; nothing for what lies in memory, or lets one in.

    A page of a PDF keeps its `#page=3`, which browsers heed. A path on another drive becomes a
    file URL.
    """
    parsed = ref if isinstance(ref, ImageRef) else _parsed(ref)
    uri = parsed.uri
    if uri.startswith("<") and uri.endswith(">"):
        return ""
    end = f"#page={parsed.page}" if parsed.page is not None else ""
    if uri.startswith(("http://", "https://")):
        is_whole = without_secrets(uri) == uri and HIDDEN not in uri
        return uri + end if is_whole else ""
    try:
        away = os.path.relpath(uri, os.path.dirname(os.path.realpath(page)))
        return quote(os.fsencode(away.replace(os.sep, "/"))) + end
    except ValueError:
        return Path(os.path.abspath(uri)).as_uri() + end


def _parsed(text: str) -> ImageRef:
    try:
        return ImageRef.parse(text)
    except ValueError:
        return ImageRef(text)
