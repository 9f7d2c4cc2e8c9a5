"""What a file holds is told from its bytes; its name is only compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.images.kinds import HEAD_BYTES, kind_of, mismatch
from tests.images import files

KINDS = {
    "png": "PNG",
    "jpg": "JPEG",
    "bmp": "BMP",
    "gif": "GIF",
    "tiff": "TIFF",
    "webp": "WEBP",
    "avif": "AVIF",
    "heic": "HEIF",
    "jxl": "JXL",
    "pdf": "PDF",
    "svg": "SVG",
    "svgz": "SVG",
    "wmf": "WMF",
    "emf": "EMF",
    "mp4": "VIDEO",
    "avi": "VIDEO",
    "webm": "VIDEO",
    "jp2": "",
    "ppm": "",
}


@pytest.mark.parametrize("name", sorted(files.every_format()))
def test_every_format_is_known_by_its_first_bytes(name: str) -> None:
    data = files.every_format()[name]
    assert kind_of(data[:HEAD_BYTES]) == KINDS[name.rpartition(".")[2]]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", ""),
        (b"plain text", ""),
        (b"\n  <?xml version='1.0'?><!-- a -->\n<svg width='1'/>", "SVG"),
        ("﻿<svg/>".encode(), "SVG"),
        ("<svg/>".encode("utf-16"), "SVG"),
        (b"<!DOCTYPE HTML><html><svg></svg>", "WEBPAGE"),
        (b"<rss/>", ""),
        (b"junk before\n%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "VIDEO"),
        (b"\0\0\x20\0moov", "VIDEO"),
        (b"G" + b"\0" * 187 + b"G" + b"\0" * 187 + b"G" + b"\0" * 187 + b"G", "VIDEO"),
        (b"\x1f\x8b\x08\0garbage", ""),
        (b"RIFF\0\0\0\0WAVE", ""),
    ],
)
def test_odd_beginnings(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


@given(st.binary(max_size=300))
def test_no_bytes_upset_it(head: bytes) -> None:
    assert isinstance(kind_of(head), str)


def test_a_wrong_extension_is_told() -> None:
    assert mismatch("a.png", "JPEG") == ("the name says .png but the content is JPEG",)
    assert mismatch("a.jpg", "VIDEO") == ("the name says .jpg but the content is a video",)
    assert mismatch("A.JPEG", "JPEG") == ()
    assert mismatch("a.txt", "JPEG") == ()
    assert mismatch("", "JPEG") == ()
