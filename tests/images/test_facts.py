"""What pictures tell can be compared: what is another value, and what is only told otherwise."""

from __future__ import annotations

import io
import warnings

import pytest
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from objsearch.images.decode import Limits
from objsearch.images.facts import (
    Facts,
    camera_fact,
    date_facts,
    exposure_facts,
    others_in,
    place_fact,
    rating_facts,
    said_facts,
)
from objsearch.images.holdings import Holdings, holdings_of
from objsearch.images.tells import facts_of_tiff, of_xmp
from tests.pictures import drawing


def saved(form: str, **how: object) -> Holdings:
    stream = io.BytesIO()
    PillowImage.fromarray(drawing(48, 64, seed=1)).save(stream, form, **how)
    return holdings_of(stream.getvalue(), LIMITS)


def exif_of(tags: dict[int, object], details: dict[int, object] | None = None) -> bytes:
    exif = PillowImage.Exif()
    exif.update(tags)
    exif.get_ifd(0x8769).update(details or {})
    return exif.tobytes()


def date(text: str) -> Facts:
    return frozenset(date_facts([text]))


def camera(make: str, model: str) -> Facts:
    return frozenset([camera_fact(make, model)])


def exposure(seconds: float, aperture: float | None, bias: float | None = None) -> Facts:
    return frozenset(exposure_facts(seconds, aperture, 100, bias))


def place(north: float, east: float) -> Facts:
    return frozenset([place_fact(north, east)])


@pytest.mark.parametrize(
    "one, other, words",
    [
        (date("2020:05:04 10:11:12"), date("2021:05:04 10:11:12"), ["another date"]),
        (date("2020:05:04 10:11:12"), date("2020-05-04T10:11:12.37+02:00"), []),
        (date("2020:05:04 10:11:12"), date("2020-05-04"), []),
        (date("2020:05:04 10:11:12.37"), date("2020-05-04T10:11:12.62"), ["another date"]),
        (date("2020:05:04 10:11:12.37"), date("2020-05-04T10:11:12.370+02:00"), []),
        (date("2020:05:04 10:11:12.37"), date("2020-05-04T10:11:12.000Z"), []),
        (exposure(1 / 60, 4.0), exposure(0.017, 4.0), []),
        (exposure(1 / 60, 4.0), exposure(1 / 80, 4.0), ["another exposure"]),
        (exposure(1 / 60, 4.0, bias=0.0), exposure(1 / 60, 4.0, bias=1 / 3), ["another exposure"]),
        (exposure(1 / 60, 4.0, bias=0.0), exposure(1 / 60, None), []),
        (date("2020:05:04 10:11:12"), date("0000:00:00 00:00:00"), []),
        (date("2020:05:04 10:11:12"), frozenset(), []),
        (date("2020:05:04 10:11:12"), frozenset(["date="]), []),
        (place(48.0, 11.0), place(48.0005, 11.0005), []),
        (place(48.0, 11.0), place(48.0, 11.002), ["another place"]),
        (place(0.0, 179.9999), place(0.0, -179.9999), []),
        (place(48.0, 11.0), place(0.0, 0.0), []),
        (camera("NIKON CORPORATION", "NIKON D70"), camera("Nikon", "D70"), []),
        (camera("Canon", "EOS 5D"), camera("Fuji", "EOS 5D"), ["another camera"]),
        (camera("Canon", "EOS 5D"), camera("Canon", "EOS 6D"), ["another camera"]),
        (camera("Canon", ""), camera("Canon", "EOS 6D"), []),
    ],
)
def test_another_value_is_told_from_one_written_otherwise(
    one: Facts, other: Facts, words: list[str]
) -> None:
    assert others_in(one, other) == words == others_in(other, one)


def test_what_is_missing_is_not_told_otherwise() -> None:
    both = frozenset(said_facts("keywords", ["boat", "sea"]))
    one = frozenset(said_facts("keywords", ["Sea "]))
    assert others_in(one, both) == []
    assert others_in(both, one) == ["other keywords"]


def test_what_tools_write_of_themselves_is_not_said() -> None:
    by_themselves = (
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "Created with GIMP",
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",
        '{"shape": [480, 640]}',
        "Screenshot",
        "\0\0 ",
    )
    assert list(said_facts("caption", by_themselves)) == []
    assert (
        len(list(said_facts("caption", ["Grandma in the garden", "adobe houses. Peru 1978"]))) == 2
    )
    assert list(rating_facts(["0", "-1", None, "many"])) == []


def test_a_date_that_is_told_twice_counts_as_it_is_told_best() -> None:
    shots = [date("2020:05:04 10:11:12") | date(f"2020:05:04 10:11:12.{part}") for part in (37, 62)]
    assert others_in(*shots) == ["another date"]


def test_exif_tells_when_and_how_long_a_shot_was_exposed() -> None:
    details: dict[int, object] = {0x9003: "2020:05:04 10:11:12", 0x9291: "37 ", 0x829A: 1 / 60}
    found = saved("JPEG", exif=exif_of({}, {**details, 0x9204: 0.0}))
    assert found.facts == {"date=2020050410111237", "exposure=0.0166667|||0"}
    unknown = exif_of({}, {0x829A: 0.0, 0x829D: 0.0, 0x8827: 100})
    assert saved("JPEG", exif=unknown).facts == set()


LIMITS = Limits()
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description xmp:Rating="5"
 exif:DateTimeOriginal="2020-01-02T03:04:05.67+01:00" exif:GPSLatitude="48,30.0N"
 exif:GPSLongitude="11,15,36W"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the lake
 </rdf:li></rdf:Alt></dc:description><dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>sea</rdf:li>
 </rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_xmp_tells_words_stars_date_and_place() -> None:
    found = saved("JPEG", xmp=XMP)
    assert found.tells == {"date", "place", "caption", "keywords", "rating"}
    assert {"date=2020010203040567", "place=48.50000,-11.26000", "rating=5"} <= found.facts
    assert set(said_facts("caption", ["at the lake"])) <= found.facts
    assert set(said_facts("keywords", ["boat", "sea"])) <= found.facts
    assert found.facts == saved("WEBP", xmp=XMP).facts


@pytest.mark.parametrize(
    "tell, field",
    [
        ("author", "<dc:rights><rdf:Alt><rdf:li>Ada Lind</rdf:li></rdf:Alt></dc:rights>"),
        ("author", "<dc:creator><rdf:Seq><rdf:li>Ada Lind</rdf:li></rdf:Seq></dc:creator>"),
        ("named place", "<photoshop:City>Lisbon</photoshop:City>"),
        ("label", "<xmp:Label>Red</xmp:Label>"),
        ("keywords", "<lr:hierarchicalSubject><rdf:li>a|b</rdf:li></lr:hierarchicalSubject>"),
        ("keywords", "<digiKam:TagsList><rdf:li>a/b</rdf:li></digiKam:TagsList>"),
    ],
)
def test_what_people_sorted_and_signed_is_told(tell: str, field: str) -> None:
    body = f"<rdf:Description>{field}</rdf:Description>".encode()
    assert saved("JPEG", xmp=b"<x:xmpmeta>" + body + b"</x:xmpmeta>").tells == {tell}


def test_edits_that_are_yet_to_be_applied_are_told() -> None:
    def settings(more: str) -> Facts:
        return of_xmp(f'<rdf:Description crs:HasSettings="True" {more}/>')

    brighter, darker = (settings(f'crs:Exposure2012="{by}"') for by in ("+0.5", "-0.5"))
    assert others_in(brighter, darker) == ["other edits"]
    assert others_in(brighter, settings('crs:Exposure2012="+0.5" crs:Version="9.1"')) == []
    assert settings('crs:Exposure2012="+0.5" crs:AlreadyApplied="True"') == set()


def test_hostile_xmp_is_gone_over_once() -> None:
    of_xmp(b"<dc:description>" * 100_000)
    of_xmp(b"\xff\xfe<dc:subject><rdf:li>" + b"<rdf:li" * 100_000)


def test_exif_iptc_and_comments_are_words() -> None:
    assert saved("JPEG", exif=exif_of({0x010E: "A garden"})).tells == {"caption"}
    assert saved("JPEG", exif=exif_of({0x9C9B: "A garden".encode("utf-16-le")})).tells == {
        "caption"
    }
    assert saved("JPEG", exif=exif_of({0x4746: 4})).tells == {"rating"}
    assert saved("JPEG", exif=exif_of({0x013B: "Ada Lind"})).tells == {"author"}
    assert saved("JPEG", exif=exif_of({0x8298: "(c) Ada Lind"})).tells == {"author"}
    asked = exif_of({}, {0x9286: b"ASCII\0\0\0my comment"})
    assert saved("JPEG", exif=asked).tells == {"comment"}
    wide = exif_of({}, {0x9286: b"UNICODE\0" + "my comment".encode("utf-16-be")})
    assert saved("JPEG", exif=wide).facts == saved("JPEG", exif=asked).facts
    assert saved("JPEG", comment="negative no. 12").tells == {"comment"}
    assert saved("GIF", comment="negative no. 12").tells == {"comment"}
    assert saved("JPEG").tells == set()


IPTC = (
    (120, b"A garden"),
    (25, b"boat"),
    (25, b"sea"),
    (80, b"Ada Lind"),
    (90, b"Lisbon"),
)


def test_iptc_tells_caption_and_keywords() -> None:
    said = b"".join(b"\x1c\x02" + bytes([number, 0, len(text)]) + text for number, text in IPTC)
    block = b"8BIM\x04\x04\0\0" + len(said).to_bytes(4, "big") + said + b"\0" * (len(said) % 2)
    body = b"Photoshop 3.0\0" + block
    stream = io.BytesIO()
    PillowImage.fromarray(drawing(48, 64, seed=1)).save(stream, "JPEG")
    data = stream.getvalue()
    data = data[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]
    found = holdings_of(data, LIMITS)
    assert found.facts == {
        *said_facts("caption", ["A garden"]),
        *said_facts("keywords", ["boat", "sea"]),
        *said_facts("author", ["Ada Lind"]),
        *said_facts("named place", ["Lisbon"]),
    }


def test_texts_of_a_png_count_the_large_ones_too() -> None:
    texts = PngInfo()
    texts.add_text("Software", "painter")
    texts.add_text("date:create", "2020-01-01")
    assert saved("PNG", pnginfo=texts).tells == set()
    texts.add_text("parameters", "a castle on a hill " * 5000, zip=True)
    texts.add_itxt("Description", "Ein Garten")
    found = saved("PNG", pnginfo=texts)
    assert found.tells == {"text", "caption"}
    assert set(said_facts("caption", ["ein garten"])) <= found.facts


def test_nothing_is_written_of_damaged_metadata() -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0\x40\0\x0f\x01\x02\0\xff\0\0\0"  # 64 entries, and no more
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + block
    raw = block[6:] + b"\0" * 4
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert holdings_of(heic, LIMITS).facts == holdings_of(heic[:24], LIMITS).facts
        assert facts_of_tiff(raw) == frozenset()
    assert said == []
