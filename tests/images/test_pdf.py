"""PDF pages at `dpi`, embedded images, and what is wrong with a PDF in one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, Part
from objsearch.images.pdf import PdfReader
from tests.images import drawings, files


def written(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "file.pdf"
    path.write_bytes(data)
    return str(path)


def read(path: str, part: Part = Part(), limits: Limits = Limits()) -> np.ndarray:
    return PdfReader().read_part(path, path, part, limits).pixels


def test_pages_by_number(tmp_path: Path) -> None:
    path = written(tmp_path, files.pdf(files.numbered(5)))
    reader = PdfReader()
    for page in (3, 1, 5, 2):
        pixels = reader.read_part(path, path, Part(page=page), Limits()).pixels
        assert files.number_of(pixels) == page - 1
    assert files.number_of(reader.read_part(path, path, Part(), Limits()).pixels) == 0
    for page in (0, 6, -1):
        with pytest.raises(UnreadableImageError, match="no such page: it has 5 pages"):
            reader.read_part(path, path, Part(page=page), Limits())


def test_dpi(tmp_path: Path) -> None:
    path = written(tmp_path, files.pdf([files.pixels()]))  # 400 x 300 points
    assert read(path, limits=Limits(dpi=144)).shape == (600, 800, 3)
    assert read(path, limits=Limits(dpi=36)).shape == (384, 512, 3)


def test_a_huge_page_is_drawn_smaller_and_says_so(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=14400, height=14400)
    path = written(tmp_path, document.tobytes())
    decoded = PdfReader().read_part(path, path, Part(), Limits(max_megapixels=1))
    assert decoded.pixels.shape[0] * decoded.pixels.shape[1] <= 1e6
    assert "smaller" in decoded.warnings[0]


def test_a_rotated_page_stands_upright(tmp_path: Path) -> None:
    document = pymupdf.open(stream=files.pdf([files.pixels()]), filetype="pdf")
    document[0].set_rotation(90)
    path = written(tmp_path, document.tobytes())
    upright = read(path, limits=Limits(dpi=144))
    assert upright.shape == (800, 600, 3)
    straight = read(written(tmp_path, files.pdf([files.pixels()])), limits=Limits(dpi=144))
    assert np.abs(np.rot90(straight, -1).astype(int) - upright).mean() < 3


def test_embedded_images_are_the_originals(tmp_path: Path) -> None:
    logo = drawings.raster(drawings.polygons(seed=9))
    document = pymupdf.open()
    for number in range(3):
        page = document.new_page()
        page.insert_image(pymupdf.Rect(50, 50, 150, 125), stream=drawings.encoded(logo, "PNG"))
        if number == 1:
            picture = drawings.encoded(files.pixels(), "PNG")
            page.insert_image(pymupdf.Rect(50, 200, 450, 500), stream=picture)
    path = written(tmp_path, document.tobytes(garbage=4))
    reader = PdfReader()
    parts = reader.list_parts(path, path, embedded=True, limits=Limits())
    assert [part.page for part in parts if part.frame is None] == [1, 2, 3]
    inside = [part for part in parts if part.frame is not None]
    assert len(inside) == 2  # the logo counts once
    found = [reader.read_part(path, path, part, Limits()).pixels for part in inside]
    assert np.array_equal(found[0], logo)
    assert np.array_equal(found[1], files.pixels())
    with pytest.raises(UnreadableImageError, match="counted from 0"):
        reader.read_part(path, path, Part(page=1, frame=7), Limits())


def test_a_mask_is_transparency(tmp_path: Path) -> None:
    colours = np.zeros((40, 60, 4), np.uint8)
    colours[:, :30] = (200, 0, 0, 255)
    document = pymupdf.open()
    page = document.new_page()
    page.insert_image(page.rect, stream=drawings.encoded(colours, "PNG"))
    path = written(tmp_path, document.tobytes())
    limits = Limits(background=(0, 0, 255))
    picture = PdfReader().read_part(path, path, Part(page=1, frame=0), limits).pixels
    assert picture[20, 10].tolist() == [200, 0, 0]
    assert picture[20, 50].tolist() == [0, 0, 255]


def test_an_embedded_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = drawings.encoded(np.zeros((3000, 3000, 3), np.uint8), "PNG")
    document = pymupdf.open()
    page = document.new_page()
    page.insert_image(page.rect, stream=bomb)
    path = written(tmp_path, document.tobytes())
    with pytest.raises(UnreadableImageError, match="over the limit"):
        read(path, Part(page=1, frame=0), Limits(max_megapixels=1))


def test_encrypted_ones_say_so(tmp_path: Path) -> None:
    path = written(tmp_path, files.pdf([files.pixels()], password="secret"))
    with pytest.raises(UnreadableImageError, match="encrypted"):
        read(path)
    with pytest.raises(UnreadableImageError, match="encrypted"):
        PdfReader().list_parts(path, path, embedded=False, limits=Limits())


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4 garbage" * 100])
def test_broken_ones_say_so(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        read(written(tmp_path, data))


def stencil(tmp_path: Path, **keys: str) -> str:
    """A page of one bit a pixel, painted whole."""
    bits = files.pixels().max(axis=2) > 120
    document = pymupdf.open()
    page = document.new_page(width=bits.shape[1], height=bits.shape[0])
    picture = PillowImage.fromarray(bits).convert("1")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    xref = page.insert_image(page.rect, stream=stream.getvalue())
    document.update_stream(xref, np.packbits(bits, axis=1).tobytes())
    document.xref_set_key(xref, "DecodeParms", "null")
    for key, value in keys.items():
        document.xref_set_key(xref, key, value)
    return written(tmp_path, bytes(document.tobytes()))


@pytest.mark.parametrize("decode", ["null", "[0 1]", "[1 0]"])
@pytest.mark.parametrize("is_stencil", [False, True])
def test_an_embedded_picture_of_bits_comes_as_the_page_shows_it(
    decode: str, is_stencil: bool, tmp_path: Path
) -> None:
    keys = {"Decode": decode}
    if is_stencil:
        keys |= {"ImageMask": "true", "ColorSpace": "null"}
    path = stencil(tmp_path, **keys)
    shown, embedded = read(path, Part(page=1)), read(path, Part(page=1, frame=0))
    size = embedded.shape[1::-1]
    shown = np.asarray(PillowImage.fromarray(shown).resize(size, PillowImage.Resampling.BOX))
    assert np.abs(shown.astype(int) - embedded).mean() < 20


@pytest.mark.parametrize(
    "matrix", ["{w} 0 0 -{h} 0 {h}", "-{w} 0 0 {h} {w} 0", "0 {w} -{h} 0 {h} 0", "0 {w} {h} 0 0 0"]
)
@pytest.mark.parametrize("rotation", [0, 90])
def test_a_stencil_comes_flipped_and_turned_as_the_page_shows_it(
    matrix: str, rotation: int, tmp_path: Path
) -> None:
    document = pymupdf.open(stencil(tmp_path, ImageMask="true", ColorSpace="null", Decode="null"))
    page = document[0]
    width, height = (int(side) for side in (page.rect.width, page.rect.height))
    placed = matrix.format(w=width, h=height)
    name = page.get_images()[0][7]
    if placed.startswith("0"):
        page.set_mediabox(pymupdf.Rect(0, 0, height, width))
    document.update_stream(page.get_contents()[0], f"q {placed} cm /{name} Do Q".encode())
    page.set_rotation(rotation)
    path = written(tmp_path, bytes(document.tobytes()))
    shown, embedded = read(path, Part(page=1)), read(path, Part(page=1, frame=0))
    size = embedded.shape[1::-1]
    shown = np.asarray(PillowImage.fromarray(shown).resize(size, PillowImage.Resampling.BOX))
    assert np.abs(shown.astype(int) - embedded).mean() < 20


@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_a_stencil_painted_light_on_dark_comes_so(rotation: int, tmp_path: Path) -> None:
    document = pymupdf.open(stencil(tmp_path, ImageMask="true", ColorSpace="null", Decode="null"))
    page = document[0]
    width, height = (int(side) for side in (page.rect.width, page.rect.height))
    name = page.get_images()[0][7]
    painted = f"0 0 .4 rg 0 0 {width} {height} re f 1 g q {width} 0 0 {height} 0 0 cm /{name} Do Q"
    document.update_stream(page.get_contents()[0], painted.encode())
    page.set_rotation(rotation)
    path = written(tmp_path, bytes(document.tobytes()))
    shown, embedded = read(path, Part(page=1)), read(path, Part(page=1, frame=0))
    size = embedded.shape[1::-1]
    shown = np.asarray(PillowImage.fromarray(shown).resize(size, PillowImage.Resampling.BOX))
    assert np.corrcoef(shown.mean(axis=2).ravel(), embedded.mean(axis=2).ravel())[0, 1] > 0.8
