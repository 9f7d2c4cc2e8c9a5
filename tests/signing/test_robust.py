from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.signing.password import Key
from objsearch.signing.signatures import RobustSignature
from objsearch.types import Pixels

Edit = Callable[[PillowImage.Image], PillowImage.Image]


def saved(kind: str, quality: int) -> Edit:
    def edit(picture: PillowImage.Image) -> PillowImage.Image:
        stream = io.BytesIO()
        picture.save(stream, kind, quality=quality)
        return PillowImage.open(stream).convert("RGB")

    return edit


def scaled(factor: float, how: int = PillowImage.Resampling.LANCZOS) -> Edit:
    def edit(picture: PillowImage.Image) -> PillowImage.Image:
        size = round(picture.width * factor), round(picture.height * factor)
        return picture.resize(size, how)

    return edit


def blurred(picture: PillowImage.Image) -> PillowImage.Image:
    return PillowImage.fromarray(cv2.GaussianBlur(np.asarray(picture), (0, 0), 1.0))


def captioned(picture: PillowImage.Image) -> PillowImage.Image:
    pixels = np.array(picture)
    height, width = pixels.shape[:2]
    place = (width // 12, height - height // 12)
    cv2.putText(pixels, "a caption in white", place, 0, width / 420, (255, 255, 255), 2)
    return PillowImage.fromarray(pixels)


def covered(picture: PillowImage.Image) -> PillowImage.Image:
    pixels = np.array(picture)
    height, width = pixels.shape[:2]
    pixels[height // 3 : height // 3 + height // 5, width // 2 : width // 2 + width // 4] = 0
    return PillowImage.fromarray(pixels)


def darkened(picture: PillowImage.Image) -> PillowImage.Image:
    return picture.point(lambda value: round(value * 0.86))


EDITS = {
    "JPEG 75": saved("JPEG", 75),
    "JPEG 50": saved("JPEG", 50),
    "WebP 75": saved("WEBP", 75),
    "halved": scaled(0.5),
    "halved by triangles": scaled(0.5, PillowImage.Resampling.BILINEAR),
    "JPEG 75 and halved": lambda picture: scaled(0.5)(saved("JPEG", 75)(picture)),
    "halved and JPEG 75": lambda picture: saved("JPEG", 75)(scaled(0.5)(picture)),
    "70 %": scaled(0.7),
    "150 %": scaled(1.5),
    "blurred": blurred,
    "darker": darkened,
    "with a caption": captioned,
    "covered in part": covered,
    "turned": lambda picture: picture.transpose(PillowImage.Transpose.ROTATE_90),
    "mirrored": lambda picture: picture.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT),
    "upside down, mirrored": lambda picture: picture.transpose(PillowImage.Transpose.TRANSVERSE),
    "gray": lambda picture: picture.convert("L"),
}


@pytest.fixture(scope="module")
def signature(key: Key) -> RobustSignature:
    return RobustSignature(key)


@pytest.fixture(scope="module")
def signed_photos(
    signature: RobustSignature, pixels_of: Callable[[str], Pixels]
) -> list[PillowImage.Image]:
    """Photos of about 400 x 300 pixels."""
    photos = [PillowImage.fromarray(pixels_of(name)) for name in ("toys.jpg", "cell.jpg")]
    for photo in photos:
        photo.thumbnail((400, 300))
    return [signature.sign(photo) for photo in photos]


def difference_db(one: PillowImage.Image, other: PillowImage.Image) -> float:
    error = np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)
    return float(10 * np.log10(255**2 / error))


def test_signed_pictures_read_100_and_look_the_same(
    signature: RobustSignature, hard_pictures: dict[str, Pixels]
) -> None:
    for name, pixels in hard_pictures.items():
        picture = PillowImage.fromarray(pixels)
        signed = signature.sign(picture)
        assert signature.vote(signed).percentage == 100.0, name
        assert difference_db(picture, signed) > 33.0, name


@pytest.mark.parametrize("name", EDITS)
def test_it_survives(
    name: str, signature: RobustSignature, signed_photos: list[PillowImage.Image]
) -> None:
    for photo in signed_photos:
        assert signature.vote(EDITS[name](photo)).percentage >= 75.0


def test_it_does_not_survive_cropping(
    signature: RobustSignature, signed_photos: list[PillowImage.Image]
) -> None:
    photo = signed_photos[0]
    cropped = photo.crop((photo.width // 10, photo.height // 10, photo.width, photo.height))
    assert signature.vote(cropped).percentage < 40.0


def test_wrong_keys_and_unsigned_pictures_read_about_0(
    signature: RobustSignature,
    signed_photos: list[PillowImage.Image],
    hard_pictures: dict[str, Pixels],
    wrong_keys: list[Key],
) -> None:
    read = [RobustSignature(wrong).vote(signed_photos[0]).percentage for wrong in wrong_keys]
    pictures = [PillowImage.fromarray(pixels) for pixels in hard_pictures.values()]
    read += [signature.vote(picture).percentage for picture in pictures]
    assert np.mean(read) < 6.0
    assert max(read) < 30.0


def test_transparent_and_gray_pictures(signature: RobustSignature, toys: Pixels) -> None:
    opacity = np.full(toys.shape[:2], 255, np.uint8)
    opacity[:90, :120] = 0
    picture = PillowImage.fromarray(np.dstack([toys, opacity]))
    signed = signature.sign(picture)
    assert signed.mode == "RGBA"
    assert (np.asarray(signed)[..., 3] == opacity).all()
    assert signature.vote(signed).percentage >= 90.0  # bits that lie where nothing is seen
    on_white = PillowImage.alpha_composite(PillowImage.new("RGBA", signed.size, "white"), signed)
    assert signature.vote(saved("JPEG", 75)(on_white.convert("RGB"))).percentage >= 75.0
    gray = signature.sign(PillowImage.fromarray(toys).convert("L"))
    assert signature.vote(saved("JPEG", 75)(gray)).percentage >= 75.0


def test_both_kinds_live_together(
    signature: RobustSignature, key: Key, signed_photos: list[PillowImage.Image]
) -> None:
    from objsearch.signing.signatures import PixelSignature

    both = PixelSignature(key).sign(signed_photos[0])
    assert PixelSignature(key).vote(both).percentage == 100.0
    assert signature.vote(both).percentage == 100.0
