from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import PngImagePlugin

from objsearch.errors import UsageError
from objsearch.images.decode import Limits
from objsearch.signing import Finding, Password, SignOptions, Wanted, check_signatures
from objsearch.signing.pages import pages_of
from objsearch.signing.sign import Signed, sign_image
from objsearch.types import Pixels
from tests.pictures import drawing, encoded, noise

LOSSLESS = (".png", ".tif", ".webp", ".bmp", ".ppm", ".jp2", ".qoi")


def sign(source: Any, out: Path, password: Password, **options: Any) -> Signed:
    return sign_image(source, out, password, SignOptions(**options))


def found(path: Path, password: Password, kind: str = "pixel", **options: Any) -> Finding:
    wanted = Wanted(password=password, kinds=(kind,), workers=1, **options)
    listing = check_signatures([path], wanted)
    assert not listing.skipped
    return listing.findings[0]


def as_bytes(picture: PillowImage.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encoded(drawing(180, 240), "PNG")


@pytest.mark.parametrize("extension", LOSSLESS)
def test_every_lossless_format_keeps_the_signature_whole(
    extension: str,
    photo: bytes,
    tmp_path: Path,
    password: Password,
    wrong_password: Password,
) -> None:
    path = tmp_path / f"signed{extension}"
    made = sign(photo, path, password)
    assert (made.kind, made.pages, made.percentage, made.warnings) == ("pixel", 1, 100.0, ())
    assert made.psnr_db > 50.0
    finding = found(path, password)
    assert (finding.verdict, finding.state, finding.percentage) == ("signed", "intact", 100.0)
    missed = found(path, wrong_password)
    assert missed.verdict == "unsigned"
    assert missed.percentage is not None and missed.percentage < 30.0


def make(mode: str, size: tuple[int, int]) -> PillowImage.Image:
    pixels = drawing(size[1], size[0])
    if mode == "I;16":
        return PillowImage.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    picture = PillowImage.fromarray(pixels)
    if mode in ("LA", "RGBA"):
        picture.putalpha(PillowImage.fromarray(noise(size[1], size[0])[..., 0]))
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_is_signed_as_it_is(mode: str, tmp_path: Path, password: Password) -> None:
    picture = make(mode, (200, 150))
    path = tmp_path / "signed.tif"
    sign(as_bytes(picture, "TIFF"), path, password)
    assert found(path, password).state == "intact"
    with PillowImage.open(path) as written:
        assert written.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
        difference = np.asarray(written, int) - np.asarray(picture.convert(written.mode), int)
    assert np.abs(difference).max() <= 1
    if mode in ("LA", "RGBA"):
        assert not difference[..., -1].any()


def test_a_gray_picture_stays_signed_when_saved_as_rgb(tmp_path: Path, password: Password) -> None:
    path = tmp_path / "gray.png"
    sign(as_bytes(make("L", (200, 150)), "PNG"), path, password)
    PillowImage.open(path).convert("RGB").save(tmp_path / "rgb.png")
    assert found(tmp_path / "rgb.png", password).verdict == "signed"


@pytest.mark.parametrize("size", [(7, 4000), (4000, 7), (127, 129), (128, 127)])
def test_too_small_pictures_are_refused(
    size: tuple[int, int], tmp_path: Path, password: Password
) -> None:
    data = encoded(noise(size[1], size[0]), "PNG")
    with pytest.raises(UsageError, match="16,384"):
        sign(data, tmp_path / "out.png", password)
    assert not list(tmp_path.iterdir())
    (tmp_path / "small.png").write_bytes(data)
    assert found(tmp_path / "small.png", password).state == "too small for one"


@pytest.mark.parametrize("size", [(8, 2048), (128, 128)])
def test_the_smallest_pictures(size: tuple[int, int], tmp_path: Path, password: Password) -> None:
    path = tmp_path / "out.png"
    sign(encoded(noise(size[1], size[0]), "PNG"), path, password)
    assert found(path, password).state == "intact"


def test_a_robust_signature_needs_128_pixels_a_side(tmp_path: Path, password: Password) -> None:
    with pytest.raises(UsageError, match="128 x 128"):
        sign(encoded(noise(100, 400), "PNG"), tmp_path / "out.png", password, robust=True)


def frames(n: int, size: tuple[int, int] = (160, 120)) -> list[PillowImage.Image]:
    return [PillowImage.fromarray(drawing(size[1], size[0], seed)) for seed in range(n)]


@pytest.mark.parametrize("extension", [".tif", ".png", ".webp"])
@pytest.mark.parametrize("robust", [False, True])
def test_every_page_is_signed(
    extension: str, robust: bool, tmp_path: Path, password: Password
) -> None:
    first, *others = frames(3, (160, 140))
    source = as_bytes(first, "TIFF", save_all=True, append_images=others)
    path = tmp_path / f"pages{extension}"
    made = sign(source, path, password, robust=robust)
    assert (made.pages, made.percentage) == (3, 100.0)
    finding = found(path, password, "robust" if robust else "pixel")
    assert (finding.verdict, finding.pages, finding.percentage) == ("signed", 3, 100.0)


def test_one_unsigned_page_makes_the_file_unsigned(tmp_path: Path, password: Password) -> None:
    first, *others = frames(4)
    path = tmp_path / "pages.tif"
    sign(as_bytes(first, "TIFF", save_all=True, append_images=others), path, password)
    pages = [page.copy() for page in pages_of(path.read_bytes(), Limits())]
    pages[2] = others[1]
    pages[0].save(tmp_path / "mixed.tif", save_all=True, append_images=pages[1:])
    finding = found(tmp_path / "mixed.tif", password)
    assert finding.verdict == "unsigned"
    assert finding.percentage is not None and 75.0 <= finding.percentage < 85.0
    assert finding.notes == ("3 of 4 pages signed",)
    shares = finding.details["page_percentages"]
    assert isinstance(shares, list)
    assert sum(shares) / 4 == pytest.approx(finding.percentage, abs=0.01)
    assert found(tmp_path / "mixed.tif", password, quick=True).verdict == "unsigned"


def test_several_pages_do_not_fit_one(tmp_path: Path, password: Password) -> None:
    first, *others = frames(2)
    source = as_bytes(first, "TIFF", save_all=True, append_images=others)
    with pytest.raises(UsageError, match="holds one page, not 2"):
        sign(source, tmp_path / "out.bmp", password)


def test_an_animation_keeps_its_times(tmp_path: Path, password: Password) -> None:
    first, *others = frames(3)
    gif = as_bytes(first, "GIF", save_all=True, append_images=others, duration=[70, 80, 90], loop=2)
    sign(gif, tmp_path / "out.png", password)
    assert found(tmp_path / "out.png", password).pages == 3
    with PillowImage.open(tmp_path / "out.png") as written:
        assert written.info["loop"] == 2
        times = []
        for number in range(3):
            written.seek(number)
            times.append(written.info["duration"])
    assert times == [70, 80, 90]


def test_frames_that_are_equal_may_become_one(tmp_path: Path, password: Password) -> None:
    first, second = frames(2)
    source = as_bytes(first, "TIFF", save_all=True, append_images=[first, second, second])
    made = sign(source, tmp_path / "out.png", password)
    assert (made.percentage, made.warnings) == (100.0, ())
    assert found(tmp_path / "out.png", password).verdict == "signed"


@pytest.mark.parametrize("extension", [".jpg", ".avif", ".gif"])
def test_lossy_targets_are_refused_unless_forced(
    extension: str, photo: bytes, tmp_path: Path, password: Password
) -> None:
    path = tmp_path / f"out{extension}"
    with pytest.raises(UsageError, match=r"does not keep pixels .*% of the signature .* --lossy"):
        sign(photo, path, password)
    assert not list(tmp_path.iterdir())
    made = sign(photo, path, password, lossy=True)
    finding = found(path, password)
    assert finding.percentage == pytest.approx(made.percentage)
    is_lost = made.percentage < 75.0
    assert (finding.verdict == "unsigned") == is_lost
    assert any("it will not be found" in warning for warning in made.warnings) == is_lost


def test_webp_is_lossy_when_a_quality_is_asked_for(
    photo: bytes, tmp_path: Path, password: Password
) -> None:
    with pytest.raises(UsageError, match="does not keep pixels"):
        sign(photo, tmp_path / "out.webp", password, quality=80)
    with pytest.raises(UsageError, match="no quality"):
        sign(photo, tmp_path / "out.png", password, quality=80)


@pytest.mark.parametrize("extension", [".jpg", ".avif", ".png"])
def test_the_robust_kind_may_be_lossy(
    extension: str, photo: bytes, tmp_path: Path, password: Password, wrong_password: Password
) -> None:
    path = tmp_path / f"out{extension}"
    made = sign(photo, path, password, robust=True)
    assert made.percentage == 100.0
    assert made.halved_percentage is not None and made.halved_percentage >= 75.0
    assert found(path, password, "robust").verdict == "signed"
    assert found(path, wrong_password, "robust").verdict == "unsigned"
    assert made.as_data()["kind"] == "robust"


def test_nothing_is_overwritten_unless_asked(
    photo: bytes, tmp_path: Path, password: Password
) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(UsageError, match=r"exists, and is not signed .* --force"):
        sign(photo, path, password)
    assert path.read_bytes() == b"precious"
    sign(photo, path, password, force=True)
    assert found(path, password).verdict == "signed"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_signature_leaves_what_was_there(tmp_path: Path, password: Password) -> None:
    path = tmp_path / "out.jpg"
    path.write_bytes(b"precious")
    with pytest.raises(UsageError):
        sign(encoded(drawing(150, 150), "PNG"), path, password, force=True)
    assert path.read_bytes() == b"precious"
    with pytest.raises(UsageError, match="cannot write"):
        sign(encoded(drawing(150, 150), "PNG"), tmp_path / "none" / "out.png", password)


def test_what_cannot_be_signed(tmp_path: Path, password: Password) -> None:
    for data, why in ((b"", "empty"), (b"no image", "known format"), (b"%PDF-1.7", "PDF cannot")):
        with pytest.raises(UsageError, match=why):
            sign(data, tmp_path / "out.png", password)
    with pytest.raises(UsageError, match=r"cannot write '.docx' files.*known: .png"):
        sign(b"", tmp_path / "out.docx", password)
    with pytest.raises(UsageError, match="cannot read"):
        sign(tmp_path / "none.png", tmp_path / "out.png", password)
    wide = PillowImage.fromarray(np.zeros((150, 150), np.float32))
    with pytest.raises(UsageError, match="32 bits"):
        sign(as_bytes(wide, "TIFF"), tmp_path / "out.png", password)
    deep = PillowImage.fromarray(np.zeros((150, 150), np.uint16))
    with pytest.raises(UsageError, match="no 16 bits a sample"):
        sign(as_bytes(deep, "PNG"), tmp_path / "out.webp", password)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
    ],
)
def test_what_is_read_elsewhere_and_not_signed_is_told_by_its_kind(
    data: bytes, kind: str, tmp_path: Path, password: Password
) -> None:
    with pytest.raises(UsageError, match=f"{kind} cannot be signed; save the picture as PNG or TI"):
        sign_image(data, tmp_path / "out.png", password)


def test_what_is_lost_is_told(tmp_path: Path, password: Password) -> None:
    see_through = as_bytes(make("RGBA", (150, 150)), "PNG")
    made = sign(see_through, tmp_path / "out.bmp", password)
    assert made.warnings == ("laid on white: BMP has no transparency",)
    four = as_bytes(make("CMYK", (150, 150)), "TIFF")
    assert "CMYK became RGB" in sign(four, tmp_path / "out.png", password).warnings[0]
    deep = as_bytes(make("I;16", (150, 150)), "PNG")
    made = sign(deep, tmp_path / "deep.png", password, robust=True)
    assert "16 bits a sample became 8" in made.warnings[0]


def test_metadata_is_kept_and_the_orientation_applied(
    toys: Pixels, tmp_path: Path, password: Password
) -> None:
    exif = PillowImage.Exif()
    exif[0x0112], exif[0x010F], exif[0x8298] = 6, "A camera", "An author"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:02 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    profile = PillowImage.Image().info.get("icc_profile") or b"a profile of colours"
    source = as_bytes(
        PillowImage.fromarray(toys),
        "JPEG",
        exif=exif,
        dpi=(300, 300),
        icc_profile=profile,
        xmp=b"<x:xmpmeta/>",
    )
    for extension in (".png", ".tif", ".webp"):
        path = tmp_path / f"out{extension}"
        sign(source, path, password)
        assert found(path, password).state == "intact"
        with PillowImage.open(path) as written:
            written.load()
            assert written.size == (toys.shape[0], toys.shape[1])  # upright now
            kept = written.getexif()
            assert kept.get(0x0112, 1) == 1
            assert (kept[0x010F], kept[0x8298]) == ("A camera", "An author")
            assert kept.get_ifd(0x8769)[0x9003] == "2020:02:02 10:00:00"
            assert kept.get_ifd(0x8825)[1] == "N"
            assert written.info["icc_profile"] == profile
            assert b"xmpmeta" in path.read_bytes()
            if extension != ".webp":
                assert written.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_a_png_keeps_its_texts(tmp_path: Path, password: Password) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "A drawing")
    source = as_bytes(PillowImage.fromarray(drawing(150, 150)), "PNG", pnginfo=texts)
    sign(source, tmp_path / "out.png", password)
    with PillowImage.open(tmp_path / "out.png") as written:
        assert written.info["Title"] == "A drawing"


def test_the_source_stays_as_it_is_and_results_repeat(
    photo: bytes, tmp_path: Path, password: Password
) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(photo)
    for name in ("one.png", "two.png"):
        sign(source, tmp_path / name, password)
    assert source.read_bytes() == photo
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
