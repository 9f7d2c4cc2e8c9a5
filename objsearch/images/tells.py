"""What a picture tells beside its pixels: when, where, by which camera, in which colours."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Literal

from PIL import ExifTags
from PIL import Image as PillowImage

Tell = Literal["date", "place", "camera", "profile"]

_XMP_MARKS: dict[Tell, re.Pattern[bytes]] = {
    "date": re.compile(rb"exif:DateTime(Original|Digitized)|photoshop:DateCreated|xmp:CreateDate"),
    "place": re.compile(rb"exif:GPSLatitude\b"),
    "camera": re.compile(rb"tiff:(Make|Model)\b"),
}
_S_RGB = (b"sRGB", "sRGB".encode("utf-16-be"))


def tells_of(picture: PillowImage.Image) -> frozenset[Tell]:
    """Read from EXIF, XMP and the colour profile of an opened picture; damaged ones say nothing."""
    tells: set[Tell] = set()
    with suppress(Exception):  # metadata of strangers: whatever is wrong with it, it says nothing
        tells |= of_exif(picture.getexif())
    xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    xmp = xmp.encode("utf-8", "ignore") if isinstance(xmp, str) else bytes(xmp)
    tells |= {tell for tell, mark in _XMP_MARKS.items() if mark.search(xmp)}
    if odd_profile(picture):
        tells.add("profile")
    return frozenset(tells)


def tells_of_tiff(data: bytes) -> frozenset[Tell]:
    """What a TIFF's own directory tells, that of camera raw as well; its colours are no profile."""
    exif = PillowImage.Exif()
    with suppress(Exception):
        exif.load(b"Exif\0\0" + data)
        return frozenset(of_exif(exif))
    return frozenset()


def odd_profile(picture: PillowImage.Image) -> bytes:
    """The colour profile where it is another than plain sRGB; else nothing."""
    profile = picture.info.get("icc_profile") or b""
    return b"" if any(mark in profile for mark in _S_RGB) else bytes(profile)


def of_exif(exif: PillowImage.Exif) -> set[Tell]:
    """What EXIF tells. Damaged blocks may raise nearly anything."""
    tells: set[Tell] = set()
    if exif.get(ExifTags.Base.Make) or exif.get(ExifTags.Base.Model):
        tells.add("camera")
    details = exif.get_ifd(ExifTags.IFD.Exif)
    taken = (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized)
    # The plain date is that of the last change; a camera's own file has no other.
    if any(details.get(tag) for tag in taken) or (
        "camera" in tells and exif.get(ExifTags.Base.DateTime)
    ):
        tells.add("date")
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    if place.get(ExifTags.GPS.GPSLatitude) and place.get(ExifTags.GPS.GPSLongitude):
        tells.add("place")
    return tells
