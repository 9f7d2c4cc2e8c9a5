"""What a picture tells beside its pixels: when, where, by which camera, and what people wrote."""

from __future__ import annotations

import html
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from PIL import ExifTags, ImageCms, ImageFile, IptcImagePlugin
from PIL import Image as PillowImage

from objsearch.images.behind import png_chunks
from objsearch.images.facts import (
    Facts,
    camera_fact,
    date_facts,
    exposure_facts,
    fact,
    place_fact,
    rating_facts,
    said_facts,
)
from objsearch.images.fields import (
    EXIF_SAID,
    IPTC_SAID,
    PNG_OF_TOOLS,
    PNG_SAID,
    XMP_MARKS,
    XMP_SAID,
)
from objsearch.images.quiet import quiet

_XMP_PLACE = re.compile(r"\s*(\d+)[,;]\s*([\d.]+)(?:[,;]\s*([\d.]+))?\s*([NSEW])\s*", re.I)
_XMP_EDIT = re.compile(r"crs:(?!Version|ProcessVersion|RawFileName)(\w{1,64})=\"([^\"]{0,200})\"")
_MOST_VALUES = 1000
_MOST_TEXT = 4 * 1024 * 1024
_S_RGB = (b"sRGB", "sRGB".encode("utf-16-be"))


def facts_of(picture: PillowImage.Image) -> Facts:
    """Read from an opened picture; what is damaged says nothing."""
    facts: set[str] = set()
    with suppress(Exception):  # metadata of strangers: whatever is wrong with it, it says nothing
        facts |= of_exif(picture.getexif())
    facts |= of_xmp(picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b"")
    with suppress(Exception):
        if isinstance(picture, ImageFile.ImageFile):
            facts |= set(_of_iptc(IptcImagePlugin.getiptcinfo(picture) or {}))
    with suppress(Exception):
        facts |= set(said_facts("comment", [_text(picture.info.get("comment") or b"")]))
    if odd_profile(picture):
        facts.add(fact("profile"))
    return frozenset(facts)


def facts_of_tiff(data: bytes) -> Facts:
    """What a TIFF's own directory tells, that of camera raw as well; its colours are no profile."""
    exif = PillowImage.Exif()
    with quiet, suppress(Exception):
        exif.load(b"Exif\0\0" + data)
        xmp = exif.get(ExifTags.Base.XMLPacket) or b""
        return frozenset(of_exif(exif)) | of_xmp(xmp if isinstance(xmp, bytes | str) else b"")
    return frozenset()


def facts_of_png(data: bytes) -> Facts:
    """Of the texts of a PNG, the large ones as well, that codecs leave out."""
    facts: set[str] = set()
    for kind, start, size in png_chunks(data):
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        with suppress(Exception):
            key, text = _png_text(kind, data[start : start + size])
            if key == "XML:com.adobe.xmp":
                facts |= of_xmp(text)
            elif not PNG_OF_TOOLS.fullmatch(key.casefold()):
                facts |= set(said_facts(PNG_SAID.get(key.casefold(), "text"), [text]))
    return frozenset(facts)


def _png_text(kind: bytes, body: bytes) -> tuple[str, str]:
    key, _, rest = body.partition(b"\0")
    is_packed = kind == b"zTXt"
    if kind == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[2]
    elif is_packed:
        rest = rest[1:]
    if is_packed:
        rest = zlib.decompressobj().decompress(rest, _MOST_TEXT)
    return key.decode("latin-1"), rest.decode("utf-8" if kind == b"iTXt" else "latin-1")


def odd_profile(picture: PillowImage.Image) -> bytes:
    """The colour profile where it is another than plain sRGB, and can be read; else nothing."""
    profile = bytes(picture.info.get("icc_profile") or b"")
    if not profile or any(mark in profile for mark in _S_RGB):
        return b""
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except Exception:  # whatever it is, no program shows other colours for it
        return b""
    return profile


def of_exif(exif: PillowImage.Exif) -> set[str]:
    """What EXIF tells. Damaged blocks may raise nearly anything."""
    facts: set[str] = set()
    make, model = exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)
    if make or model:
        facts.add(camera_fact(make, model))
    with suppress(Exception):
        facts |= set(_said_in(exif))
    details = exif.get_ifd(ExifTags.IFD.Exif)
    with suppress(Exception):
        comment = details.get(ExifTags.Base.UserComment) or b""
        facts |= set(said_facts("comment", [_user_comment(comment)]))
    # The plain date is that of the last change; a camera's own file has no other.
    plain = exif.get(ExifTags.Base.DateTime) if make or model else None
    if details.get(ExifTags.Base.DateTimeDigitized) or plain:
        facts.add(fact("date"))
    with suppress(Exception):
        facts |= set(_shot_in(details))
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    if place.get(ExifTags.GPS.GPSLatitude) and place.get(ExifTags.GPS.GPSLongitude):
        facts.add(fact("place"))
        with suppress(Exception):
            facts.add(place_fact(_degrees(place, 2, "S"), _degrees(place, 4, "W")))
    return facts


def _shot_in(details: Any) -> Iterator[str]:
    """When, and how it was exposed."""
    date, part = (
        str(details.get(tag) or "").strip()
        for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.SubsecTimeOriginal)
    )
    yield from date_facts([f"{date}.{part}" if part else date])
    yield from exposure_facts(
        details.get(ExifTags.Base.ExposureTime),
        details.get(ExifTags.Base.FNumber),
        details.get(ExifTags.Base.ISOSpeedRatings),
        details.get(ExifTags.Base.ExposureBiasValue),
    )


def _said_in(exif: PillowImage.Exif) -> Iterator[str]:
    for tag, tell in EXIF_SAID:
        yield from said_facts(tell, [_text(exif.get(tag) or b"", "utf-16-le")])
    keywords = _text(exif.get(ExifTags.Base.XPKeywords) or b"", "utf-16-le")
    yield from said_facts("keywords", keywords.split(";"))
    yield from rating_facts([exif.get(ExifTags.Base.Rating)])


def _degrees(place: Any, tag: int, negative: str) -> float:
    degrees, minutes, seconds = (*map(float, place[tag]), 0.0, 0.0)[:3]
    value = degrees + minutes / 60 + seconds / 3600
    return -value if str(place.get(tag - 1, ""))[:1].upper() == negative else value


def _user_comment(comment: object) -> str:
    """Eight bytes name its characters, which many writers get wrong."""
    if not isinstance(comment, bytes):
        return str(comment)
    head, body = comment[:8], comment[8:]
    if head.startswith(b"UNICODE"):
        big = body[:2] == b"\xfe\xff" or body[:2:2] == b"\0"
        return body.decode("utf-16-be" if big else "utf-16-le", "ignore").lstrip("\ufeff")
    return _text(body if head.rstrip(b"\0 ") in (b"ASCII", b"JIS", b"") else comment)


def of_xmp(xmp: bytes | str) -> Facts:
    """What XMP tells, by its usual prefixes; it need not be sound."""
    text = xmp if isinstance(xmp, str) else bytes(xmp).decode("utf-8", "replace")
    text = text[:_MOST_TEXT]
    raw = text.encode("utf-8", "ignore")
    marked = {tell for tell, mark in XMP_MARKS.items() if mark.search(raw)}
    facts = {fact(tell) for tell in marked}
    if "date" in marked:
        taken = ("exif:DateTimeOriginal", "photoshop:DateCreated")
        facts |= set(date_facts(value for name in taken for value in _xmp_values(text, name)))
    if "camera" in marked:
        make, model = (
            next(iter(_xmp_values(text, f"tiff:{field}")), "") for field in ("Make", "Model")
        )
        facts.add(camera_fact(make, model))
    if "place" in marked:
        facts |= _xmp_place(text)
    for tell, names in XMP_SAID.items():
        for name in names:
            facts |= set(said_facts(tell, _xmp_values(text, name)))
    facts |= set(_edits_in(text))
    return frozenset(facts | set(rating_facts(_xmp_values(text, "xmp:Rating"))))


def _edits_in(text: str) -> Iterator[str]:
    """What was set in a developer of raws and is yet to be applied: the work lies in no pixel."""
    settings = dict(_XMP_EDIT.findall(text))
    if settings.pop("HasSettings", "") == "True" and settings.pop("AlreadyApplied", "") != "True":
        yield from said_facts("edits", [" ".join(map(" ".join, sorted(settings.items())))])


def _xmp_place(text: str) -> set[str]:
    degrees = []
    for name in ("exif:GPSLatitude", "exif:GPSLongitude"):
        match = _XMP_PLACE.fullmatch(next(iter(_xmp_values(text, name)), ""))
        if match is None:
            return set()
        value = float(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        degrees.append(-value if match[4].upper() in "SW" else value)
    return {place_fact(*degrees)}


def _xmp_values(text: str, name: str) -> list[str]:
    """Values of an attribute, or of the elements of that name, those of its list one by one."""
    values: list[str] = []
    at = text.find(name)
    while at >= 0 and len(values) < _MOST_VALUES:
        before, rest = text[at - 1 : at], text[at + len(name) : at + len(name) + 64]
        end = at + len(name)
        if before == "<" and rest[:1] in (">", " "):
            start, end = text.find(">", at) + 1, text.find(f"</{name}>", at)
            if end < 0:
                break
            values += _items(text[start:end])
        elif quote := re.match(r"\s*=\s*([\"'])", rest):
            start = at + len(name) + quote.end()
            end = text.find(quote[1], start)
            if end < 0:
                break
            values.append(html.unescape(text[start:end]))
        at = text.find(name, end)
    return values


def _items(body: str) -> Iterable[str]:
    items = [part.partition(">")[2].partition("</rdf:li")[0] for part in body.split("<rdf:li")[1:]]
    return [html.unescape(item) for item in items or ([] if "<" in body else [body])]


def _of_iptc(records: dict[tuple[int, int], bytes | list[bytes]]) -> Iterator[str]:
    for number, tell in IPTC_SAID:
        values = records.get((2, number)) or []
        yield from said_facts(tell, map(_text, values if isinstance(values, list) else [values]))


def _text(value: object, encoding: str = "utf-8") -> str:
    """Text of bytes, or of their numbers; nothing of anything else."""
    if isinstance(value, str):
        return value
    data = bytes(value) if isinstance(value, bytes | tuple | list) else b""
    with suppress(UnicodeDecodeError):
        return data.decode(encoding)
    return data.decode("latin-1")
