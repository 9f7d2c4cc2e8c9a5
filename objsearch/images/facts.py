"""What a picture tells, as short texts that can be kept and compared: `date=20210504030201`.

A fact without a value (`date=`) says that something is told, not what. Words of people are kept as
hashes: they are compared, and never shown.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

Tell = Literal[
    "date",
    "place",
    "camera",
    "profile",
    "caption",
    "keywords",
    "people",
    "rating",
    "comment",
    "text",
]
Facts = frozenset[str]

_OTHER: dict[str, str] = {
    "date": "another date",
    "place": "another place",
    "camera": "another camera",
    "caption": "another caption",
    "keywords": "other keywords",
    "people": "other people",
    "rating": "another rating",
    "comment": "another comment",
    "text": "another text",
}
_NEAR_M = 100.0
_METRES_A_DEGREE = 111_320.0
_SECONDS = 14
"""Digits of a date up to its seconds: parts of seconds and time zones are often lost."""

# What cameras and tools write of themselves, where people would write something.
_BY_ITSELF = re.compile(
    r"[\w .-]{0,100}\b(digital ?camera|camera pictures|sony dsc|minolta dsc|exif_jpeg_picture)"
    r"|(created|made|edited|saved|converted|optimi[sz]ed|compressed) (with|by|using|in) .*"
    r"|creator: gd-jpeg.*|lead technologies.*|file written by .*|intel\(r\) jpeg.*|lavc[\d.]+"
    r"|(adobe|jpeg|imagemagick|ffmpeg|paint\.net|xv |handmade software)\b[^.!?]{0,60}"
    r"|applemark|screenshot|untitled|default|null|none|\{ ?\"shape\": .*|[\d., ]*"
)


def fact(tell: Tell, value: str = "") -> str:
    """One fact."""
    return f"{tell}={value}"


def tells_in(facts: Facts) -> frozenset[str]:
    """What something is told of."""
    return frozenset(entry.partition("=")[0] for entry in facts)


def date_facts(texts: Iterable[object]) -> Iterator[str]:
    """Of dates on which a picture was taken; none of what is no date."""
    for text in texts:
        digits = re.sub(r"\D", "", str(text or ""))[:_SECONDS]
        if len(digits) >= 8 and digits[:4] != "0000":
            yield fact("date", digits)


def place_fact(latitude: float, longitude: float) -> str:
    """Of degrees; where both are zero, or there are no such, a place without a value."""
    is_one = abs(latitude) <= 90 and abs(longitude) <= 360 and (latitude, longitude) != (0, 0)
    return fact("place", f"{latitude:.5f},{longitude:.5f}" if is_one else "")


def camera_fact(make: object, model: object) -> str:
    """Of a maker and a model, either of which may be missing."""
    words = (
        " ".join(str(part or "").replace("\0", " ").casefold().split()) for part in (make, model)
    )
    return fact("camera", "|".join(word.replace("|", " ") for word in words))


class _Printable(dict[int, int]):
    """Of each character's number the same, or a space for what is not printed; filled as asked.

    `str.translate` goes over megabytes by it, where a loop would take seconds.
    """

    def __missing__(self, code: int) -> int:
        self[code] = code if chr(code).isprintable() else ord(" ")
        return self[code]


_PRINTABLE = _Printable()


def said_facts(tell: Tell, texts: Iterable[str]) -> Iterator[str]:
    """Of what people wrote; none of what is empty, or written by a camera or a tool by itself."""
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).casefold()
        plain = " ".join(plain.translate(_PRINTABLE).split())
        if plain and not _BY_ITSELF.fullmatch(plain) and "\ufffd" not in plain:
            yield fact(tell, hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:16])


def rating_facts(texts: Iterable[object]) -> Iterator[str]:
    """Of numbers of stars; none of no stars."""
    for text in texts:
        match = re.fullmatch(r"\s*([1-9]\d?)(\.0*)?\s*", str(text))
        if match:
            yield fact("rating", match[1])


def others_in(mine: Facts, kept: Facts) -> list[str]:
    """In words, what both tell of, and `mine` tells otherwise; what is missing is not."""
    others = []
    for tell, words in _OTHER.items():
        my_values, its_values = _values(mine, tell), _values(kept, tell)
        if my_values and its_values and _is_other(tell, my_values, its_values):
            others.append(words)
    return others


def _values(facts: Facts, tell: str) -> set[str]:
    every = (entry.partition("=") for entry in facts)
    return {value for name, _, value in every if name == tell and value}


def _is_other(tell: str, mine: set[str], kept: set[str]) -> bool:
    near = {"date": _is_one_date, "place": _is_one_place, "camera": _is_one_camera}.get(tell)
    if near is None:
        return bool(mine - kept)
    return not any(near(first, second) for first in mine for second in kept)


def _is_one_date(first: str, second: str) -> bool:
    """A date without a time is the same on that day."""
    return first.startswith(second) or second.startswith(first)


def _is_one_place(first: str, second: str) -> bool:
    (north, east), (its_north, its_east) = (map(float, text.split(",")) for text in (first, second))
    turned = math.remainder(east - its_east, 360) * math.cos(math.radians(north))
    return math.hypot(north - its_north, turned) * _METRES_A_DEGREE <= _NEAR_M


def _is_one_camera(first: str, second: str) -> bool:
    """Makers go by longer and shorter names (`NIKON`, `NIKON CORPORATION`), models by theirs."""
    (make, model), (its_make, its_model) = (text.split("|") for text in (first, second))
    if make and its_make and make.split()[0] != its_make.split()[0]:
        return False
    return not (model and its_model) or model.endswith(its_model) or its_model.endswith(model)
