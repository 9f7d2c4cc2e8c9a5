"""Pages from templates: everything in one file, nothing from outside, and names escaped.

Names of files are strangers' text: a template escapes them, and a page's content security policy
lets no script run but its own, by its hash, and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from objsearch.report.links import link_of
from objsearch.report.wording import flags_sentence, folder_and_name, percent, shown

PAGE_BYTES = 64 * 1024 * 1024
"""Pictures that one page may hold; what comes after that is listed without."""


def page_of(
    template: Path, page: Path, filters: Mapping[str, Callable[..., Any]], **values: Any
) -> Iterator[str]:
    """A page as it is made, to be written to the path `page`; links lead from there.

    Templates know `shown`, `link`, `percent`, `parts` of a path, `flagged`, and the `filters`.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=shown,
        link=partial(link_of, page=page),
        percent=percent,
        parts=folder_and_name,
        flagged=flags_sentence,
    )
    environment.filters.update(filters)
    return environment.get_template(template.name).generate(**values)


def hash_of(text: str) -> str:
    """What a content security policy knows an inline script or style by."""
    hashed = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(hashed).decode('ascii')}"
