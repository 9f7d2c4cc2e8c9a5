"""Colours of more than 8 bits: read at their own depth, and never folded over at white."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, decode
from objsearch.images.deep import jpeg2000_bits
from objsearch.images.holdings import holdings_of
from tests.pictures import drawing, encoded

RAMP = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 64, axis=0)
COLOURS = np.dstack([RAMP, RAMP[:, ::-1], RAMP.T])


def jpeg2000(values: np.ndarray) -> bytes:
    """RGB or RGBA of 16 bits."""
    values = values[..., [2, 1, 0, 3][: values.shape[2]]]
    return bytes(np.asarray(cv2.imencode(".jp2", values)[1]))


def said_to_have(data: bytes, n_bits: int) -> bytes:
    """The same codes under another depth: what they stand for moves with its middle."""
    changed = bytearray(data)
    n_colours = len(jpeg2000_bits(data))
    start = data.index(b"\xff\x4f\xff\x51") + 42
    changed[start : start + 3 * n_colours : 3] = bytes([n_bits - 1]) * n_colours
    return bytes(changed)


def test_white_of_16_bits_is_white_in_jpeg_2000() -> None:
    decoded = decode(jpeg2000(COLOURS))
    assert decoded.alpha is None
    assert np.array_equal(decoded.pixels, (COLOURS >> 8).astype(np.uint8))
    assert holdings_of(jpeg2000(COLOURS), Limits()).bits == 16


def test_white_of_12_bits_is_white_in_jpeg_2000() -> None:
    twelve = COLOURS >> 4
    decoded = decode(said_to_have(jpeg2000(twelve + (1 << 15) - (1 << 11)), 12))
    assert np.array_equal(decoded.pixels, (twelve >> 4).astype(np.uint8))


def test_what_is_opaque_in_16_bits_is_not_clear() -> None:
    opaque = np.dstack([COLOURS, np.full_like(RAMP, 65535)])
    assert decode(jpeg2000(opaque)).alpha is None
    held = holdings_of(jpeg2000(opaque), Limits())
    assert (held.has_alpha, held.is_clear) == (False, False)
    assert held.samples == holdings_of(jpeg2000(COLOURS), Limits()).samples
    half = np.dstack([COLOURS, np.full_like(RAMP, 32768)])
    alpha = decode(jpeg2000(half)).alpha
    assert alpha is not None
    assert set(np.unique(alpha)) == {128}


def test_deep_colours_that_no_codec_reads_right_are_refused() -> None:
    data = said_to_have(jpeg2000(COLOURS), 20)
    with pytest.raises(UnreadableImageError, match="20 bits are of a kind of JPEG 2000"):
        decode(data)


@pytest.mark.parametrize("space", [12, 14, 18])  # inks, Lab, and brightness with two differences
def test_deep_colours_that_are_not_rgb_are_refused(space: int) -> None:
    data = jpeg2000(COLOURS)
    at = data.index(b"colr") + 7
    assert data[at : at + 4] == b"\0\0\0\x10"
    with pytest.raises(UnreadableImageError, match="of a kind of JPEG 2000"):
        decode(data[:at] + space.to_bytes(4, "big") + data[at + 4 :])


def test_jpeg_2000_of_8_bits_and_of_gray_is_as_ever() -> None:
    picture = drawing(40, 50)
    assert np.array_equal(decode(encoded(picture, "JPEG2000")).pixels, picture)
    gray = bytes(np.asarray(cv2.imencode(".jp2", RAMP)[1]))
    assert np.array_equal(decode(gray).pixels[..., 0], (RAMP >> 8).astype(np.uint8))


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_codecs_say_nothing_of_a_profile(capfd: pytest.CaptureFixture[str]) -> None:
    png = bytes(np.asarray(cv2.imencode(".png", COLOURS)[1]))
    odd = chunk(b"iCCP", b"odd\0\0" + zlib.compress(bytes(132)))
    assert holdings_of(png[:33] + odd + png[33:], Limits()).bits == 16
    assert capfd.readouterr() == ("", "")


def test_codecs_say_nothing_of_a_damaged_png(capfd: pytest.CaptureFixture[str]) -> None:
    png = bytes(np.asarray(cv2.imencode(".png", COLOURS)[1]))
    rows = zlib.compress(64 * (b"\x09" + bytes(6 * 64)))  # there is no ninth filter
    damaged = png[:33] + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError):
        holdings_of(damaged, Limits())
    assert capfd.readouterr() == ("", "")
