"""What a picture tells, as short texts that can be kept and compared: `date=20210504030201`.

A fact without a value (`date=`) says that something is told, not what. Words of people are kept as
hashes: they are compared, and never shown.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    "author",
    "named place",
    "label",
    "edits",
    "exposure",
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
    "author": "another author",
    "named place": "another named place",
    "label": "another label",
    "edits": "other edits",
    "exposure": "another exposure",
}
_NEAR_M = 100.0
_METRES_A_DEGREE = 111_320.0
_SECONDS = 14
"""Digits of a date up to its seconds; time zones are often lost."""
_PART_OF_SECOND = re.compile(r"(?:\D*\d){14}[.,](\d{1,9})")
_NEAR_EXPOSURE = 0.1
"""Part by which two exposures differ that are one, written otherwise: cameras go by thirds of a
stop, a quarter more each, and fractions are rounded as they are written anew."""

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
    """Of dates on which a picture was taken; none of what is no date.

    Parts of a second tell the shots of a burst apart; where they are all zeros, nobody knew them.
    """
    for text in texts:
        digits = re.sub(r"\D", "", str(text or ""))[:_SECONDS]
        if len(digits) >= 8 and digits[:4] != "0000":
            part = _PART_OF_SECOND.match(str(text))
            yield fact("date", digits + (part[1] if part and part[1].strip("0") else ""))


def exposure_facts(seconds: object, aperture: object, speed: object, bias: object) -> Iterator[str]:
    """Of how long, how wide, at what speed of film and how far off the meter a shot was exposed.

    None where neither of the first two is told. The shots of a bracket differ by nothing else.
    """
    told = [_number(value) for value in (seconds, aperture, speed)]
    if any(told[:2]):
        yield fact("exposure", "|".join((*told, _number(bias, may_be_zero=True))))


def _number(value: object, *, may_be_zero: bool = False) -> str:
    """As text, of what is one and tells something; else nothing."""
    one = value[0] if isinstance(value, tuple) and value else value
    try:
        number = float(one)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return ""
    is_told = math.isfinite(number) and (number > 0 or may_be_zero)
    return f"{number:.6g}" if is_told else ""


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
    values = {value for name, _, value in every if name == tell and value}
    if tell == "date":  # the same one told with fewer digits, elsewhere in the file
        values = {
            value
            for value in values
            if not any(other != value and other.startswith(value) for other in values)
        }
    return values


def _is_other(tell: str, mine: set[str], kept: set[str]) -> bool:
    near = _NEAR.get(tell)
    if near is None:
        return bool(mine - kept)
    return not any(near(first, second) for first in mine for second in kept)


def _is_one_date(first: str, second: str) -> bool:
    """A date without a time is the same on that day, one without parts of a second in that."""
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


def _is_one_exposure(first: str, second: str) -> bool:
    """All that both tell is the same, but for rounding."""
    *pairs, biases = zip(first.split("|"), second.split("|"), strict=True)
    of_both = [(float(mine), float(its)) for mine, its in pairs if mine and its]
    if any(abs(mine - its) > _NEAR_EXPOSURE * max(mine, its) for mine, its in of_both):
        return False
    return not all(biases) or abs(float(biases[0]) - float(biases[1])) <= _NEAR_EXPOSURE


_NEAR: Mapping[str, Callable[[str, str], bool]] = {
    "date": _is_one_date,
    "place": _is_one_place,
    "camera": _is_one_camera,
    "exposure": _is_one_exposure,
}
