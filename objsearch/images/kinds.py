"""What a file holds, told from its first bytes alone; its name decides nothing."""

from __future__ import annotations

import zlib
from pathlib import PurePath
from typing import BinaryIO

HEAD_BYTES = 16 * 1024
"""How much of a file `kind_of` wants to see: long comments may stand before the `<svg`."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\x01\0\x09\0\0\x03", "WMF"),
    (b"\x01\0\x09\0\0\x01", "WMF"),
    (b"\x02\0\x09\0\0\x03", "WMF"),
    (b"\0\0\1\0", "ICO"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    (b"\x1aE\xdf\xa3", "VIDEO"),  # Matroska, WebM
    (b"FLV\x01", "VIDEO"),
    (b"OggS", "VIDEO"),
    (b"0&\xb2u\x8ef\xcf\x11", "VIDEO"),  # ASF, WMV
    (b"\0\0\x01\xba", "VIDEO"),  # MPEG program stream
    (b"\0\0\x01\xb3", "VIDEO"),  # MPEG elementary stream
)
_RIFF = {b"WEBP": "WEBP", b"AVI ": "VIDEO"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_TS_PACKETS = ((0, 188), (4, 192))

_VIDEO = {"mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "flv", "mpg", "mpeg", "ts", "m2ts"}
_RAW = (
    "3fr ari arw cap cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf "
    "pef ptx r3d raf raw rw2 rwl sr2 srf srw x3f"
)
_EXTENSIONS = {
    "JPEG": {"jpg", "jpeg", "jpe", "jfif", "mpo"},
    "MPO": {"jpg", "jpeg", "jpe", "mpo"},
    "PNG": {"png", "apng"},
    "GIF": {"gif"},
    "BMP": {"bmp", "dib"},
    "DIB": {"bmp", "dib"},
    "TIFF": {"tif", "tiff"},
    "WEBP": {"webp"},
    "AVIF": {"avif", "avifs"},
    "HEIF": {"heic", "heif", "hif", "heics"},
    "JXL": {"jxl"},
    "PDF": {"pdf", "ai"},
    "SVG": {"svg", "svgz"},
    "WMF": {"wmf"},
    "EMF": {"emf"},
    "RAW": set(_RAW.split()),
    "VIDEO": {*_VIDEO, "3gp", "ogv", "ogg", "asf", "vob", "qt"},
}
_KNOWN_EXTENSIONS = set().union(*_EXTENSIONS.values())


RAW_EXTENSIONS = frozenset(_EXTENSIONS["RAW"])
"""Of file names of camera raw, in small letters."""


def kind_of(head: bytes) -> str:
    """A format's name in capitals, `VIDEO`, `WEBPAGE`, or nothing when the bytes say nothing."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[40:44] == b" EMF" and head.startswith(b"\x01\0\0\0"):
        return "EMF"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "")
    return _of_boxes(head) or _of_packets(head) or _of_text(head)


def is_tiff(stream: BinaryIO) -> bool:
    """Whether the bytes begin as those of a TIFF do; the stream stands at its beginning then."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    return kind_of(head) == "TIFF"


def _of_boxes(head: bytes) -> str:
    """The kinds made of ISO base media or QuickTime boxes."""
    if head[4:8] != b"ftyp":
        return "VIDEO" if head[4:8] in _QUICKTIME_ATOMS else ""
    listed = head[8 : min(int.from_bytes(head[:4], "big"), 256)]
    brands = {listed[i : i + 4] for i in range(0, len(listed), 4) if i != 4}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else "VIDEO"


def _of_packets(head: bytes) -> str:
    """MPEG transport streams: a sync byte a packet."""
    for start, step in _TS_PACKETS:
        if head[start : start + 4 * step : step] == b"GGGG":
            return "VIDEO"
    return ""


def _of_text(head: bytes) -> str:
    if b"%PDF-" in head[:1024]:
        return "PDF"
    if head.startswith(b"\x1f\x8b"):
        head = _gunzipped(head)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return ""
    if text.startswith((b"<!doctype html", b"<html")):
        return "WEBPAGE"
    return "SVG" if b"<svg" in text or b":svg" in text else ""


def _gunzipped(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def mismatch(name: str, kind: str) -> tuple[str, ...]:
    """A warning when a name's extension is that of another kind than the content's."""
    extension = PurePath(name).suffix.lower().lstrip(".")
    if extension not in _KNOWN_EXTENSIONS or kind not in _EXTENSIONS:
        return ()
    if extension in _EXTENSIONS[kind]:
        return ()
    called = "a video" if kind == "VIDEO" else kind
    return (f"the name says .{extension} but the content is {called}",)
