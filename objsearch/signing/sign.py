"""Sign an image with a password: pages in, signed pages out; what survives is measured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError, UsageError
from objsearch.images.codecs import FORMATS
from objsearch.images.decode import Limits
from objsearch.images.kinds import HEAD_BYTES, kind_of
from objsearch.signing.bits import DEFAULT_THRESHOLD
from objsearch.signing.pages import REDUCED, chosen_pages, colours_of, eight_bit, pages_of
from objsearch.signing.password import Password
from objsearch.signing.signatures import (
    MIN_PIXELS,
    PasswordSignature,
    PixelSignature,
    RobustSignature,
)
from objsearch.signing.writing import Target, encoded, fitted, target_of, write_file
from objsearch.types import ImageRef
from objsearch.types.addresses import without_secrets

_MAX_MEGAPIXELS = 1_000  # of all pages together


@dataclass(frozen=True, slots=True)
class SignOptions:
    """How to sign. `lossy` allows a format that loses the signature, whose `quality` can be set.

    `force` replaces a file that is not signed with the same password.
    """

    robust: bool = False
    lossy: bool = False
    force: bool = False
    quality: int | None = None
    threshold: float = DEFAULT_THRESHOLD
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Signed:
    """What was written. `percentage` is read back from the file, the mean of its pages.

    `psnr_db` compares signed with unsigned pixels (higher is closer). `halved_percentage` is what
    is left of a robust signature after halving the file's pictures and JPEG 75; None for the other.
    """

    path: Path
    kind: str
    pages: int
    percentage: float
    psnr_db: float
    halved_percentage: float | None = None
    warnings: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Plain data for programs."""
        halved = self.halved_percentage
        return {
            "path": str(self.path),
            "kind": self.kind,
            "pages": self.pages,
            "percentage": round(self.percentage, 2),
            "halved_percentage": None if halved is None else round(halved, 2),
            "psnr_db": round(self.psnr_db, 2),
            "warnings": list(self.warnings),
        }


def sign_image(
    image: str | Path | bytes,
    out: str | Path,
    password: Password,
    options: SignOptions | None = None,
) -> Signed:
    """Write a signed copy of an image.

    `image` may name a page or frame, `scan.tif#page=2`; else all are signed. Raises UsageError when
    the image cannot carry a signature; when the target is the image itself or, without `force`, a
    file that is not signed with this password; when its format would lose the signature.
    """
    options = options or SignOptions()
    path = Path(out)
    target = target_of(path)
    ref = None if isinstance(image, bytes) else _ref(image)
    is_replaced = _may_replace(path, ref, password, options)
    name, data = _read(image, ref)
    signature = (RobustSignature if options.robust else PixelSignature)(password.key)
    try:
        pages, warnings = _fitted_pages(data, name, target, options, ref)
    except UnreadableImageError as error:
        raise UsageError(f"'{name}': {_why_not(data) or error}") from None
    for page in pages:
        _check_size(page.size, name, signature)
    signed = [signature.sign(page) for page in pages]
    is_converted = any("CMYK" in warning for warning in warnings)
    written = encoded(signed, target, options.quality, not is_converted)
    made = _measured(signature, signed, written, options)
    _check_survival(made, path, options)
    write_file(path, written, is_replaced)
    return Signed(
        path,
        signature.kind,
        len(made.pages),
        made.percentage,
        _mean([_psnr(*pair) for pair in zip(pages, signed, strict=True)]),
        made.halved_percentage,
        (*warnings, *_losses(data, made.least, options.threshold)),
    )


def _why_not(data: bytes) -> str:
    """Of what is read elsewhere, and not signed: what to do instead; else nothing."""
    kind = kind_of(data[:HEAD_BYTES])
    if kind in ("", "MPO", "WEBPAGE", *FORMATS):
        return ""
    return f"{kind} cannot be signed; save the picture as PNG or TIFF, and sign that"


def _ref(image: str | Path) -> ImageRef:
    """A file, or the page or frame of one that its fragment names."""
    if os.path.lexists(image):
        return ImageRef(os.fspath(image))
    try:
        ref = ImageRef.parse(os.fspath(image))
    except ValueError as error:
        raise UsageError(f"not a place in an image: {error}") from None
    if ref.xywh is not None or ref.seconds is not None:
        raise UsageError(f"'{image}': a file, a page or a frame can be signed, not a part of one")
    return ref


def _read(image: str | Path | bytes, ref: ImageRef | None) -> tuple[str, bytes]:
    if isinstance(image, bytes) or ref is None:
        return "<bytes>", bytes(image)  # type: ignore[arg-type]
    try:
        return str(image), Path(ref.uri).read_bytes()
    except OSError as error:
        name = without_secrets(str(image))
        raise UsageError(f"cannot read '{name}': {error.strerror or error}") from None


def _may_replace(
    path: Path, image: ImageRef | None, password: Password, options: SignOptions
) -> bool:
    """Whether there is a file to be replaced; raises UsageError when it must not be."""
    if not path.exists():
        return False
    if image is not None and os.path.exists(image.uri) and os.path.samefile(path, image.uri):
        raise UsageError(f"'{path}' is the image itself, which is never replaced; name another")
    if options.force or path.stat().st_size == 0 or _is_signed(path, password, options):
        return True
    raise UsageError(
        f"'{path}' exists, and is not signed with this password; name another file, or replace "
        "it with --force"
    )


def _is_signed(path: Path, password: Password, options: SignOptions) -> bool:
    """Whether every page carries a signature of one kind: an earlier output."""
    for signature in (PixelSignature(password.key), RobustSignature(password.key)):
        try:
            pages = list(pages_of(path.read_bytes(), options.limits))
        except (UnreadableImageError, OSError):
            return False
        votes = [signature.vote(page) for page in pages if signature.is_readable(page.size)]
        shares = [vote.percentage for vote in votes]
        if len(shares) == len(pages) and min(shares, default=0.0) >= options.threshold:
            return True
    return False


def _fitted_pages(
    data: bytes, name: str, target: Target, options: SignOptions, ref: ImageRef | None
) -> tuple[list[PillowImage.Image], list[str]]:
    pages: list[PillowImage.Image] = []
    warnings: list[str] = []
    megapixels = 0.0
    for page in chosen_pages(pages_of(data, options.limits), ref):
        megapixels += page.width * page.height / 1e6
        if megapixels > _MAX_MEGAPIXELS:
            raise UsageError(f"'{name}' has more than {_MAX_MEGAPIXELS:,} megapixels of pages")
        carrying = eight_bit(page) if options.robust else page
        adapted, warning = fitted(carrying, target)
        pages.append(adapted)
        warnings += [_depth_warning(page, options), warning]
    return pages, [warning for warning in dict.fromkeys(warnings) if warning]


def _depth_warning(page: PillowImage.Image, options: SignOptions) -> str:
    if page.info.get(REDUCED):
        return "16 bits a sample became 8: colours of more cannot be written"
    if options.robust and page.mode == "I;16":
        return "16 bits a sample became 8: the robust signature knows no more"
    if options.robust and page.mode == "CMYK":
        return "CMYK became RGB: the robust signature knows no CMYK"
    return ""


def _check_size(size_wh: tuple[int, int], name: str, signature: PasswordSignature) -> None:
    width, height = size_wh
    side = signature.min_side
    if min(size_wh) < side or width * height < MIN_PIXELS:
        raise UsageError(
            f"'{name}' has {width} x {height} pixels; a {signature.kind} signature needs "
            f"{side} x {side} or more, and {MIN_PIXELS:,} in all"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What reading the encoded file back has shown."""

    pages: Sequence[PillowImage.Image]
    percentage: float
    least: float
    is_exact: bool
    halved_percentage: float | None


def _measured(
    signature: PixelSignature | RobustSignature,
    signed: Sequence[PillowImage.Image],
    written: bytes,
    options: SignOptions,
) -> _Made:
    pages = list(pages_of(written, options.limits))
    halved = None
    if isinstance(signature, RobustSignature):
        halved = _mean([signature.halved(eight_bit(page)) for page in pages])
    read = [signature.vote(page).percentage for page in pages]
    return _Made(pages, _mean(read), min(read), _is_exact(signed, pages), halved)


def _check_survival(made: _Made, path: Path, options: SignOptions) -> None:
    """Raises UsageError when the file would not hold what was signed, and nobody insists."""
    is_lost = made.least < options.threshold or not (made.is_exact or options.robust)
    if options.lossy or not is_lost:
        return
    other = "a higher --quality" if options.robust else "a robust signature (--robust)"
    raise UsageError(
        f"'{path.suffix}' does not keep pixels as they are: {made.percentage:.0f}% of the "
        f"signature would be left; write a .png, .tif or .webp, take {other}, or insist "
        "with --lossy"
    )


def _is_exact(signed: Sequence[PillowImage.Image], read_pages: Sequence[PillowImage.Image]) -> bool:
    """Whether the pages read back have the samples that were written.

    Frames of an animation that are equal may have become one.
    """
    position = 0
    for page in signed:
        if position < len(read_pages) and _has_samples(read_pages[position], page):
            position += 1
        elif position == 0 or not _has_samples(read_pages[position - 1], page):
            return False
    return position == len(read_pages)


def _has_samples(read_page: PillowImage.Image, page: PillowImage.Image) -> bool:
    written, read = colours_of(page), colours_of(read_page)
    return np.array_equal(written, read[..., : written.shape[2]])


def _losses(data: bytes, least: float, threshold: float) -> list[str]:
    losses = []
    if least < threshold:
        losses.append(
            f"{least:.0f}% of the signature is left in the file, under the threshold of "
            f"{threshold:g}%: it will not be found"
        )
    if b"c2pa" in data and b"jumb" in data:
        losses.append("Content Credentials of the original are not in the copy: its pixels differ")
    return losses


def _psnr(page: PillowImage.Image, signed: PillowImage.Image) -> float:
    before, after = colours_of(page).astype(np.float64), colours_of(signed)
    error = float(np.mean((before - after) ** 2))
    peak = 65535.0 if page.mode == "I;16" else 255.0
    return 99.0 if error == 0 else float(10.0 * np.log10(peak**2 / error))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
