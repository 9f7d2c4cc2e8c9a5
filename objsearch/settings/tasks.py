"""The sections of a settings file that belong to tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from objsearch.settings.base import Part

KeepRule = Literal[
    "reference",
    "pixels",
    "lossless",
    "bytes",
    "format",
    "oldest",
    "path",
    "newest",
    "fewest-bytes",
    "shortest-path",
]
KEEP_RULES: tuple[KeepRule, ...] = (
    "reference",
    "pixels",
    "lossless",
    "bytes",
    "format",
    "oldest",
    "path",
)


class Duplicates(Part):
    """What counts as a copy, and which of several is kept."""

    keep: tuple[KeepRule, ...] = Field(
        KEEP_RULES,
        description="what is better, most important first; those left out come after, in order",
    )
    n_kept: int = Field(1, ge=1, description="copies kept of each group")
    references: tuple[str, ...] = Field(
        (), description="protected folders: looked at, nothing in them is ever removed"
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="least score of a copy; null: that of the section search"
    )
    exact_only: bool = Field(
        False, description="only the same bytes and the same pixels: nothing is compared further"
    )
    candidates: int = Field(
        10,
        ge=1,
        description="nearest others compared with each picture, by each descriptor",
    )
    turned: bool = Field(
        False,
        description="also look for quarter turns by networks, which takes four times as long; "
        "hashes look for them anyway",
    )
    long_side: int | None = Field(
        None,
        ge=64,
        description="larger pictures are reduced to this, in pixels, before anything is made of "
        "them; null: as they are",
    )
    min_overlap: float = Field(
        0.5, ge=0, le=1, description="the part of one picture that must lie inside the other"
    )
    min_agreement: float = Field(
        0.8,
        ge=0,
        le=1,
        description="correlation of the detail of two pictures, laid upon each other, that proves "
        "a copy; half of it is asked for where keypoints prove one",
    )
    remove: tuple[Literal["part", "edited"], ...] = Field(
        (),
        description="what goes besides the same pictures: parts and edited copies of which the "
        "kept file shows all; they are to be reviewed otherwise",
    )
    related: bool = Field(
        False, description="also list what shows the same view and is no copy: another moment"
    )
    decisions: str = Field(
        "", description="file of pairs told not to be duplicates; empty: the user's own"
    )


class Larger(Part):
    """What counts as a larger copy that shows no more: see `objsearch larger --help`."""

    least_detail: float = Field(
        0.034,
        ge=0,
        description="detail that a larger copy must show beyond the query not to be suspected of "
        "being an enlargement; 0: none is suspected, about 1: only photos as sharp as can be pass",
    )


SignatureKind = Literal["pixel", "robust", "c2pa", "pdf"]


class Signing(Part):
    """Which signatures are looked for, and where the password lies; never the password itself."""

    kinds: tuple[SignatureKind, ...] = Field((), description="kinds to look for; none: all")
    threshold: float = Field(
        75.0, gt=0, le=100, description="least percentage of a password signature that counts"
    )
    quick: bool = Field(False, description="stop reading pixels when the answer is beyond doubt")
    robust: bool = Field(False, description="sign with the kind that survives JPEG and halving")
    password_env: str = Field(
        "OBJSEARCH_PASSWORD",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="name of the environment variable that holds the password",
    )
    password_file: str | None = Field(
        None, description="a file whose one line is the password; goes before the environment"
    )
    trust: tuple[str, ...] = Field(
        (), description="PEM files with the certificates of authorities that are trusted"
    )
