"""Where files keep what they tell: the fields of EXIF, IPTC, XMP and of texts in PNGs, by tell.

What one program writes into one of them, another writes into the next: all that name one thing are
one tell, so that a file that tells it elsewhere lacks nothing.
"""

from __future__ import annotations

import re

from PIL import ExifTags

from objsearch.images.facts import Tell

XMP_MARKS: dict[Tell, re.Pattern[bytes]] = {
    "date": re.compile(rb"exif:DateTime(Original|Digitized)|photoshop:DateCreated|xmp:CreateDate"),
    "place": re.compile(rb"exif:GPSLatitude\b"),
    "camera": re.compile(rb"tiff:(Make|Model)\b"),
}
XMP_SAID: dict[Tell, tuple[str, ...]] = {
    "caption": ("dc:description", "dc:title", "photoshop:Headline"),
    "keywords": (
        "dc:subject",
        "lr:hierarchicalSubject",
        "digiKam:TagsList",
        "MicrosoftPhoto:LastKeywordXMP",
    ),
    "people": ("mwg-rs:Name", "MPReg:PersonDisplayName", "Iptc4xmpExt:PersonInImage"),
    "comment": ("exif:UserComment",),
    "author": ("dc:creator", "dc:rights", "photoshop:Credit", "xmpRights:Owner"),
    "named place": (
        "photoshop:City",
        "photoshop:State",
        "photoshop:Country",
        "Iptc4xmpCore:Location",
    ),
    "label": ("xmp:Label",),
}
EXIF_SAID: tuple[tuple[int, Tell], ...] = (
    (ExifTags.Base.ImageDescription, "caption"),
    (ExifTags.Base.XPTitle, "caption"),
    (ExifTags.Base.XPSubject, "caption"),
    (ExifTags.Base.XPComment, "comment"),
    (ExifTags.Base.Artist, "author"),
    (ExifTags.Base.Copyright, "author"),
    (ExifTags.Base.XPAuthor, "author"),
)
IPTC_SAID: tuple[tuple[int, Tell], ...] = (
    (5, "caption"),
    (105, "caption"),
    (120, "caption"),
    (25, "keywords"),
    (80, "author"),
    (110, "author"),
    (116, "author"),
    (90, "named place"),
    (92, "named place"),
    (95, "named place"),
    (101, "named place"),
)
PNG_SAID: dict[str, Tell] = {
    "title": "caption",
    "description": "caption",
    "comment": "comment",
    "keywords": "keywords",
    "author": "author",
    "copyright": "author",
}
# Written by tools, of themselves or of what is told elsewhere.
PNG_OF_TOOLS = re.compile(
    r"(software|creation time|signature|modify-date|exif_data|xml:com\.adobe\.xmp)"
    r"|(date|thumb|exif|jpeg|png|icc|dpi|xmp|photoshop|tiff|raw profile type .*)\b[: ].*"
    r"|raw profile type .*"
)
