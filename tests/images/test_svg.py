"""SVG: sizes in all units, nothing from outside the file, limits."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images import svg
from objsearch.images.decode import Limits
from tests.images import drawings, files

RECTANGLE = '<rect width="9999" height="9999" fill="#ff0000"/>'


def drawn(attributes: str, inside: str = RECTANGLE, limits: Limits = Limits()) -> np.ndarray:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'
    return svg.render(text.encode(), limits).pixels


@pytest.mark.parametrize(
    ("attributes", "size_wh"),
    [
        ('width="960" height="480"', (1500, 750)),
        ('width="10in" height="5in"', (1500, 750)),
        ('width="254mm" height="12.7cm"', (1500, 750)),
        ('width="720pt" height="30pc"', (1500, 750)),
        ('viewBox="0 0 960 480"', (1500, 750)),
        ('width="960px" viewBox="0 0 2 1"', (1500, 750)),
        ('height="480" viewBox="0 0 2 1"', (1500, 750)),
        ('width="100%" height="100%" viewBox="0,0,960,480"', (1500, 750)),
        ('width="24" height="24"', (512, 512)),
    ],
)
def test_size(attributes: str, size_wh: tuple[int, int]) -> None:
    pixels = drawn(attributes)
    assert (pixels.shape[1], pixels.shape[0]) == size_wh
    assert pixels[5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    "attributes",
    [
        'width="1000000" height="1000000"',
        'width="1e30" height="1e30"',
        'width="1e9" height="1"',
        'viewBox="0 0 1 1e9"',
        'width="nan" height="-5"',
        'width="0" height="0"',
    ],
)
def test_mad_sizes_are_bounded_or_refused(attributes: str) -> None:
    try:
        pixels = drawn(attributes, limits=Limits(max_megapixels=1))
    except UnreadableImageError:
        return
    assert pixels.shape[0] * pixels.shape[1] <= 1.05e6


def test_background() -> None:
    assert drawn('width="99" height="99"', "").max() == 255
    dark = drawn('width="99" height="99"', "", Limits(background=(1, 2, 3)))
    assert dark[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("reference", ["{}", "file://{}", " {}", "data.png"])
@pytest.mark.parametrize("attribute", ["href", "xlink:href", "HREF"])
def test_other_files_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, attribute: str
) -> None:
    secret = tmp_path / "data.png"
    secret.write_bytes(drawings.encoded(np.zeros((50, 50, 3), np.uint8), "PNG"))
    monkeypatch.chdir(tmp_path)
    image = f'<image width="100" height="100" {attribute}="{reference.format(secret)}"/>'
    xlink = 'width="100" height="100" xmlns:xlink="http://www.w3.org/1999/xlink"'
    assert drawn(xlink, image).min() == 255


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quote_in_a_name_leads_to_no_file(quote: str, tmp_path: Path) -> None:
    other = {"'": '"', '"': "'"}[quote]
    secret = tmp_path / f"somebody{quote}s.png"
    secret.write_bytes(drawings.encoded(np.zeros((50, 50, 3), np.uint8), "PNG"))
    image = f'<image width="100" height="100" href={other}{secret}{other}/>'
    assert drawn('width="100" height="100"', image).min() == 255


def test_references_into_the_file_stay() -> None:
    inside = '<defs><rect id="a" width="100" height="100" fill="#0000ff"/></defs><use href="#a"/>'
    assert drawn('width="100" height="100"', inside)[5, 5].tolist() == [0, 0, 255]
    pixels = svg.render(files.every_format()["pixels.svg"], Limits()).pixels
    assert pixels.std() > 20


def test_packed_ones_are_bounded() -> None:
    bomb = gzip.compress(b"<svg>" + b" " * (65 * 1024 * 1024))
    with pytest.raises(UnreadableImageError, match="larger than an SVG may be"):
        svg.render(bomb, Limits())
    cut = files.every_format()["shapes.svgz"][:-20]
    with pytest.raises(UnreadableImageError, match="cut short"):
        svg.render(cut, Limits())


def test_entities_do_not_explode() -> None:
    names = "abcdefghij"
    entities = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names)
    )
    text = (
        f'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">{entities}]><svg width="9"><text>&j;</text></svg>'
    )
    with pytest.raises(UnreadableImageError):
        svg.render(text.encode(), Limits())
