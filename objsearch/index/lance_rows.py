"""Rows as tables and back: what is in which dataset of a stored index.

`rows` has one entry a picture; each alias has a dataset of its own, with one entry a region:
`vectors-ALIAS` of global descriptors as half floats, `codes-ALIAS` of binary ones and
`keypoints-ALIAS`; `words` has the visual words of a picture's full frame. They are tied by a
row's number, which is never given twice: a row that replaces another keeps its place, in the order
of adding, and has a number of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UsageError
from objsearch.index.halves import halved, restored
from objsearch.index.lance_keypoints import told_by_frame
from objsearch.index.lance_root import Root
from objsearch.types import (
    BinaryDescriptor,
    Box,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    ImageRef,
    LocalFeatures,
    Region,
    Row,
)

if TYPE_CHECKING:
    import pyarrow as pa

ROWS, WORDS = "rows", "words"
VECTORS, CODES, KEYPOINTS = "vectors", "codes", "keypoints"

Numbered = Sequence[tuple[int, Row]]
"""Rows with their numbers."""

FIRST_COLUMNS = ("number", "part", "is_frame")
"""Of every alias's dataset; what follows are the descriptors."""


def dataset_of(kind: str, alias: str) -> str:
    """The name of an alias's dataset; a file name on any system."""
    return f"{kind}-{quote(alias, safe='')}"


def alias_of(dataset: str) -> tuple[str, str] | None:
    """Kind and alias of a dataset; None for one that is no alias's."""
    kind, is_there, quoted = dataset.partition("-")
    return (kind, unquote(quoted)) if is_there else None


def as_bytes(text: str) -> bytes:
    """A path's bytes, which may be no UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def as_text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def rows_table(rows: Numbered, places: Sequence[int], root: Root = Root()) -> pa.Table:
    """The dataset `rows`: what is looked through without descriptors, and `details` in JSON."""
    import pyarrow as pa

    stamps = [row.stamp or (None, None) for _, row in rows]
    images = [row.image if isinstance(row.image, DescribedImage) else None for _, row in rows]
    reasons = [None if isinstance(r.image, DescribedImage) else r.image.reason for _, r in rows]
    sizes = [image.size_wh if image else (0, 0) for image in images]
    return pa.table(
        {
            "number": pa.array([number for number, _ in rows], pa.int64()),
            "place": pa.array(places, pa.int64()),
            "key": pa.array([as_bytes(root.below(row.key)) for _, row in rows], pa.binary()),
            "ref": pa.array([_ref_text(row.image.ref, root) for _, row in rows], pa.string()),
            "row_ref": pa.array([_ref_text(row.ref, root) for _, row in rows], pa.string()),
            "stamp_bytes": pa.array([size for size, _ in stamps], pa.int64()),
            "stamp_nanoseconds": pa.array([time for _, time in stamps], pa.int64()),
            "width": pa.array([size[0] for size in sizes], pa.int32()),
            "height": pa.array([size[1] for size in sizes], pa.int32()),
            "reason": pa.array([json.dumps(r) if r is not None else None for r in reasons]),
            "content": pa.array([image.content if image else "" for image in images]),
            "labels": pa.array([_labels(image) for image in images], pa.string()),
            "warnings": pa.array([_warnings(image) for image in images], pa.string()),
            "n_regions": pa.array([len(i.regions) if i else 0 for i in images], pa.int32()),
            "details": pa.array([_details(image) for image in images], pa.string()),
        },
        schema=_rows_schema(),
    )


def _rows_schema() -> pa.Schema:
    import pyarrow as pa

    large = dict.fromkeys(("stamp_bytes", "stamp_nanoseconds"), pa.int64())
    small = dict.fromkeys(("width", "height"), pa.int32())
    texts = dict.fromkeys(("reason", "content", "labels", "warnings"), pa.string())
    return pa.schema(
        {
            **{"number": pa.int64(), "place": pa.int64(), "key": pa.binary()},
            **{"ref": pa.string(), "row_ref": pa.string(), **large, **small, **texts},
            **{"n_regions": pa.int32(), "details": pa.string()},
        }
    )


def _ref_text(ref: ImageRef, root: Root) -> str:
    return json.dumps([root.below(ref.uri), ref.page, ref.frame, ref.seconds, ref.xywh])


def ref_of(text: str, root: Root) -> ImageRef:
    """Raises ValueError for what is no ref."""
    uri, page, frame, seconds, xywh = json.loads(text)
    if not isinstance(uri, str) or "\0" in uri:
        raise ValueError("a place that none can be")
    return ImageRef(root.whole(uri), page, frame, seconds, tuple(xywh) if xywh else None)


def _labels(image: DescribedImage | None) -> str:
    return json.dumps(sorted({region.label for region in image.regions}) if image else [])


def _warnings(image: DescribedImage | None) -> str | None:
    return json.dumps(image.warnings) if image and image.warnings else None


def _details(image: DescribedImage | None) -> str:
    if image is None:
        return ""
    regions = [
        [*map(float, region.box_xyxy), region.label, float(region.confidence), region.proposal]
        for region in image.regions
    ]
    return json.dumps(
        {
            "regions": regions,
            "aliases": list(image.descriptors),
            "warnings": image.warnings,
            "note": image.note,
            "facts": dict(image.facts),
        },
        separators=(",", ":"),
    )


def parts_tables(rows: Numbered) -> dict[str, pa.Table]:
    """The datasets of all aliases, by name. Raises UsageError for an alias of several kinds."""
    parts: dict[str, list[tuple[int, int, bool, Descriptor]]] = {}
    for number, row in rows:
        if not isinstance(row.image, DescribedImage):
            continue
        for alias, descriptors in row.image.descriptors.items():
            if not descriptors:
                continue
            last = len(descriptors) - 1
            parts.setdefault(alias, []).extend(
                (number, i, i == last, descriptor)
                for i, descriptor in enumerate(told_by_frame(descriptors))
            )
    return dict(_parts_table(alias, entries) for alias, entries in parts.items() if entries)


def _parts_table(
    alias: str, entries: Sequence[tuple[int, int, bool, Descriptor]]
) -> tuple[str, pa.Table]:
    import pyarrow as pa

    numbers, places, are_frames, descriptors = zip(*entries, strict=True)
    kinds = {type(descriptor) for descriptor in descriptors}
    if len(kinds) > 1:
        raise UsageError(f"'{alias}' names descriptors of several kinds; an index holds one")
    kind, columns = _COLUMNS[kinds.pop()]
    table = {
        "number": pa.array(numbers, pa.int64()),
        "part": pa.array(places, pa.int16()),
        "is_frame": pa.array(are_frames, pa.bool_()),
        **columns(descriptors),
    }
    return dataset_of(kind, alias), pa.table(table)


def _vector_columns(descriptors: Sequence[GlobalDescriptor]) -> dict[str, pa.Array]:
    import pyarrow as pa

    halves = halved(np.stack([descriptor.vector for descriptor in descriptors]))
    values = pa.array(halves.reshape(-1), pa.float16())
    return {"vector": pa.FixedSizeListArray.from_arrays(values, halves.shape[1])}


def _code_columns(descriptors: Sequence[BinaryDescriptor]) -> dict[str, pa.Array]:
    import pyarrow as pa

    codes = [descriptor.code.tobytes() for descriptor in descriptors]
    qualities = [float(descriptor.quality) for descriptor in descriptors]
    return {"code": pa.array(codes, pa.binary()), "quality": pa.array(qualities, pa.float64())}


def _keypoint_columns(descriptors: Sequence[LocalFeatures]) -> dict[str, pa.Array]:
    import pyarrow as pa

    points = [np.asarray(descriptor.points_xy, "<f4").tobytes() for descriptor in descriptors]
    codes = [np.ascontiguousarray(descriptor.codes).tobytes() for descriptor in descriptors]
    dtypes = [descriptor.codes.dtype.str for descriptor in descriptors]
    return {
        "points": pa.array(points, pa.binary()),
        "codes": pa.array(codes, pa.binary()),
        "dtype": pa.array(dtypes, pa.string()),
        "width": pa.array([descriptor.codes.shape[1] for descriptor in descriptors], pa.int32()),
        "scale": pa.array([float(descriptor.scale) for descriptor in descriptors], pa.float64()),
    }


_COLUMNS: Mapping[type, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    GlobalDescriptor: (VECTORS, _vector_columns),
    BinaryDescriptor: (CODES, _code_columns),
    LocalFeatures: (KEYPOINTS, _keypoint_columns),
}


def word_type(n_words: int) -> np.dtype[Any]:
    """How a word of a vocabulary is stored."""
    return np.dtype("<u2" if n_words <= 1 << 16 else "<i4")


def words_table(words: Iterable[tuple[int, NDArray[np.int32]]], n_words: int) -> pa.Table:
    """The dataset `words`: those of each picture's keypoints."""
    import pyarrow as pa

    pairs, kind = list(words), word_type(n_words)
    return pa.table(
        {
            "number": pa.array([number for number, _ in pairs], pa.int64()),
            "words": pa.array([own.astype(kind).tobytes() for _, own in pairs], pa.binary()),
        }
    )


def vectors_of(table: pa.Table) -> NDArray[np.float32]:
    """(N, D) of a table with vectors; unit vectors are of unit length again."""
    width = table.schema.field("vector").type.list_size
    column = table["vector"].combine_chunks()
    halves = column.flatten().to_numpy(zero_copy_only=False)
    return restored(halves.reshape(-1, width))


def descriptors_of(kind: str, table: pa.Table) -> list[Descriptor]:
    """The descriptors of an alias's table, in its order."""
    if kind == VECTORS:
        return [GlobalDescriptor(vector) for vector in vectors_of(table)]
    columns = {name: table[name].to_pylist() for name in table.column_names}
    if kind == CODES:
        codes = [np.frombuffer(code, np.uint8).copy() for code in columns["code"]]
        return [BinaryDescriptor(*entry) for entry in zip(codes, columns["quality"], strict=True)]
    wanted = (columns[name] for name in ("points", "codes", "dtype", "width", "scale"))
    return [_keypoints(*entry) for entry in zip(*wanted, strict=True)]


def _keypoints(points: bytes, codes: bytes, dtype: str, width: int, scale: float) -> LocalFeatures:
    # Copies, because what lies in bytes cannot be written to.
    places = np.frombuffer(points, "<f4").reshape(-1, 2).copy()
    values = np.frombuffer(codes, dtype).copy()
    return LocalFeatures(places, values.reshape(-1, width), scale)


def described_of(
    row: Mapping[str, Any], descriptors: Mapping[str, tuple[Descriptor, ...]], root: Root
) -> DescribedImage:
    """A picture from its entry in `rows` and its descriptors by alias, of any order.

    Raises ValueError, TypeError, KeyError or IndexError for an entry that nobody here has written.
    """
    details = json.loads(row["details"])
    regions = tuple(
        Region(Box(*map(float, place[:4])), str(place[4]), float(place[5]), place[6])
        for place in details["regions"]
    )
    of_alias = {alias: descriptors.get(alias, ()) for alias in details["aliases"]}
    if any(len(parts) not in (0, len(regions)) for parts in of_alias.values()):
        raise ValueError("regions without descriptors")
    size_wh = (row["width"], row["height"])
    if min(size_wh) < 1 and of_alias:  # without either, it is what is remembered of no picture
        raise ValueError("descriptors of a picture without pixels")
    warnings, note = tuple(map(str, details["warnings"])), str(details["note"])
    facts = dict(details.get("facts", {}))
    ref = ref_of(row["ref"], root)
    return DescribedImage(ref, size_wh, regions, of_alias, row["content"], warnings, note, facts)
