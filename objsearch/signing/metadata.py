"""What a signed file keeps of its original: camera and author, place, colour profile, resolution.

The orientation is not kept: pixels are written upright. Of a TIFF's tags only those that describe
the picture are kept, not those that say how it was stored.
"""

from __future__ import annotations

from typing import Any

from PIL import Image as PillowImage
from PIL import PngImagePlugin

_DESCRIBING = (
    *(0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B),  # description, make, model, software, …
    *(0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),  # copyright; Windows' title, author, …
)
_FOLDERS = (0x8769, 0x8825)  # the Exif and GPS directories
_STORED_SIZE = (0xA002, 0xA003)  # no longer true of a picture that was turned
_XMP_TAG = 700
_XMP_TEXT = "XML:com.adobe.xmp"

_TAKES = {
    "JPEG": ("exif", "icc_profile", "dpi", "xmp", "comment"),
    "PNG": ("exif", "icc_profile", "dpi", "pnginfo"),
    "TIFF": ("exif", "icc_profile", "dpi", "compression"),
    "WEBP": ("exif", "icc_profile", "xmp"),
    "AVIF": ("exif", "icc_profile", "xmp"),
    "BMP": ("dpi",),
    "GIF": ("comment",),
}
"""Pillow's formats and the options with which they store what was found."""


def exif_of(picture: PillowImage.Image) -> bytes | None:
    """The tags of an opened picture that are kept."""
    old, new = picture.getexif(), PillowImage.Exif()
    for tag in _DESCRIBING:
        if tag in old:
            new[tag] = old[tag]
    for folder in _FOLDERS:
        entries = {k: v for k, v in old.get_ifd(folder).items() if k not in _STORED_SIZE}
        if entries:
            new.get_ifd(folder).update(entries)
            new[folder] = entries
    return new.tobytes() if len(new) else None


def metadata_of(page: PillowImage.Image, format_name: str, same_colours: bool) -> dict[str, Any]:
    """Options for Pillow's `save`. A colour profile is left out where colours were converted.

    The page's `exif` note is what `exif_of` found in its file.
    """
    exif = page.info.get("exif")
    options = {
        "exif": _with_xmp(exif, _xmp(page)) if format_name == "TIFF" else exif,
        "icc_profile": page.info.get("icc_profile") if same_colours else None,
        "dpi": page.info.get("dpi"),
        "xmp": _xmp(page),
        "comment": page.info.get("comment"),
        "pnginfo": _texts(page),
        # libtiff, which compresses, writes no directories within directories; Pillow does.
        "compression": "raw" if _has_folders(exif) else None,
    }
    return {name: options[name] for name in _TAKES.get(format_name, ()) if options[name]}


def _has_folders(exif: bytes | None) -> bool:
    tags = PillowImage.Exif()
    if exif:
        tags.load(exif)
    return any(folder in tags for folder in _FOLDERS)


def _with_xmp(exif: bytes | None, xmp: bytes | None) -> bytes | None:
    """A TIFF holds XMP among its tags."""
    if not xmp:
        return exif
    tags = PillowImage.Exif()
    if exif:
        tags.load(exif)
    tags[_XMP_TAG] = xmp
    return tags.tobytes()


def _xmp(page: PillowImage.Image) -> bytes | None:
    xmp = page.info.get("xmp") or page.info.get(_XMP_TEXT)
    return xmp.encode() if isinstance(xmp, str) else xmp


def _texts(page: PillowImage.Image) -> PngImagePlugin.PngInfo | None:
    """A PNG's own texts, and XMP, which a PNG holds as one."""
    texts = PngImagePlugin.PngInfo()
    if page.format == "PNG":
        for name, value in page.info.items():
            if isinstance(value, str) and name != _XMP_TEXT:
                texts.add_text(str(name), value)
    xmp = _xmp(page)
    if xmp:
        texts.add_itxt(_XMP_TEXT, xmp.decode("utf-8", "replace"))
    return texts if texts.chunks else None
