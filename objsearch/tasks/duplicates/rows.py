"""What is found out about a file, as a row of an index and back: looks, descriptions, holdings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from objsearch.images.holdings import Holdings
from objsearch.images.kinds import mismatch
from objsearch.search.recipe import described_with
from objsearch.settings import Settings
from objsearch.tasks.duplicates.describing import BYTES_ONLY, Described, Look, Views, Whole
from objsearch.tasks.duplicates.folders import File
from objsearch.tasks.duplicates.small_copies import SIDE, Small
from objsearch.types import BinaryDescriptor, Box, DescribedImage, Descriptor, ImageRef, Region

LOOKING = "3"
"""Goes up whenever looks, holdings or versions come to be made otherwise."""
SMALL, TURNED = "small-copy", " turned"
"""The alias of small copies, and what follows an extractor's name for turned versions."""
SHA256, KIND, SAMPLES, HOLDINGS = "sha256", "kind", "samples", "holdings"
"""Names of facts: of the bytes, of what no one picture stands for, of all that the file holds."""


def looks_made_by() -> Mapping[str, Any]:
    """What looks depend on, besides how pictures are read."""
    return {"duplicates": {"looking": LOOKING, "small_side": SIDE}}


def views_made_by(settings: Settings, is_mirrored: bool) -> Mapping[str, Any]:
    """What descriptions depend on, besides how pictures are read."""
    rules = settings.duplicates
    how = {
        "looking": LOOKING,
        "long_side": rules.long_side,
        "turned": rules.turned and not is_mirrored,
        "mirrored": is_mirrored,
    }
    return {**described_with(settings), "duplicates": how}


def facts_of(file: File) -> dict[str, str]:
    """What tells whether a file still has the bytes that a row was made of."""
    return {SHA256: file.sha256, KIND: file.kind}


def is_of(row: DescribedImage, file: File) -> bool:
    """Whether a row was made of the bytes that a file has."""
    return row.facts.items() >= facts_of(file).items()


def row_of_look(file: File, look: Look | Whole, looked_at: str) -> DescribedImage:
    """A first look at a file by some name, of the same bytes, as what an index keeps."""
    frame = Region(Box(0.0, 0.0, *map(float, look.size_wh)), "frame", 0.0, "frame")
    ref = ImageRef(file.path)
    if isinstance(look, Whole):
        facts = {**facts_of(file), SAMPLES: look.samples}
        return DescribedImage(ref, look.size_wh, (frame,), {}, facts=facts)
    parts = {SMALL: (BinaryDescriptor(look.small.levels, 1.0),)}
    warnings = warned(look.warnings, file.kind, looked_at, file.path)
    return DescribedImage(
        ref, look.size_wh, (frame,), parts, look.content, warnings, facts=facts_of(file)
    )


def look_of(row: DescribedImage, views: Views, path: str, *, is_alone: bool) -> Look | Whole | None:
    """The look that a row holds, for a file by that name; None where it holds less than is wanted.

    Of documents and films, little is looked at while no other file has their bytes.
    """
    if SAMPLES in row.facts:
        if row.facts[KIND] not in BYTES_ONLY:
            return Whole(row.size_wh, row.facts[SAMPLES])
        if is_alone:
            return Whole((0, 0))
        return Whole(row.size_wh) if row.size_wh != (0, 0) else None
    [small] = row.descriptors[SMALL]
    assert isinstance(small, BinaryDescriptor)
    warnings = warned(row.warnings, row.facts[KIND], row.ref.uri, path)
    return views.seen(Small.of_levels(small.code, row.size_wh), row.content, warnings)


def warned(warnings: tuple[str, ...], kind: str, was: str, now: str) -> tuple[str, ...]:
    """What was odd about a file by one name, of the same file by another: some tell of the name."""
    of_name = mismatch(was, kind)
    return (*mismatch(now, kind), *(warning for warning in warnings if warning not in of_name))


def row_of_view(file: File, described: Described) -> DescribedImage:
    """A description as what an index keeps: turned versions have an alias of their own."""
    turned = {f"{name}{TURNED}": made for name, made in described.turned.items() if made}
    return replace(
        described.image,
        ref=ImageRef(file.path),
        descriptors={**described.image.descriptors, **turned},
        facts=facts_of(file),
    )


def view_of(row: DescribedImage, views: Views, is_mirrored: bool) -> Described:
    """The description that a row holds."""
    parts: dict[str, tuple[Descriptor, ...]] = dict(row.descriptors)
    turned = {channel.alias: parts.pop(f"{channel.alias}{TURNED}", ()) for channel in views.whole}
    image = replace(row, descriptors=parts, facts={})
    return Described(image, {} if is_mirrored else turned)


def told_of(held: Holdings) -> str:
    """Holdings as text that `held_by` reads."""
    return json.dumps({**asdict(held), "facts": sorted(held.facts)})


def held_by(text: str) -> Holdings | None:
    """The holdings that `told_of` was given; None where less, or more, was asked of files then."""
    data = json.loads(text)
    if data.keys() != {field.name for field in fields(Holdings)}:
        return None
    return Holdings(**{**data, "facts": frozenset(data["facts"])})
