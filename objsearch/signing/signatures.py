"""The two password signatures, on pages: what each needs, how it signs, how it is read."""

from __future__ import annotations

import io
from typing import Literal, Protocol

from PIL import Image as PillowImage

from objsearch.signing.bits import Vote
from objsearch.signing.pages import colours_of, eight_bit, samples_of, with_samples
from objsearch.signing.password import Key
from objsearch.signing.pixel import full_vote, quick_vote, sign_samples
from objsearch.signing.robust import MIN_SIDE, STEPS, Layout, sign_with_step
from objsearch.signing.robust_reading import robust_vote

PasswordKind = Literal["pixel", "robust"]
MIN_WIDTH = 8
MIN_PIXELS = 16_384
SURVIVING = 90.0
"""Percent of a robust signature that must be left after halving and JPEG 75, or it is made
stronger."""


class PasswordSignature(Protocol):
    """One kind of signature under one key."""

    kind: PasswordKind
    min_side: int
    """Pixels that width and height need for signing."""

    def sign(self, page: PillowImage.Image) -> PillowImage.Image:
        """The page with the signature in it."""

    def vote(self, page: PillowImage.Image, quick: float | None = None) -> Vote:
        """How much of the signature a page carries; `quick` is the threshold of a quick test."""

    def is_readable(self, size_wh: tuple[int, int]) -> bool:
        """Whether a page of that size can carry one."""


class PixelSignature:
    """The signature in the lowest bits."""

    kind: PasswordKind = "pixel"
    min_side = MIN_WIDTH

    def __init__(self, key: Key) -> None:
        self._key = key

    def sign(self, page: PillowImage.Image) -> PillowImage.Image:
        samples = samples_of(page).copy()
        colours = colours_of(page)
        samples[..., : colours.shape[2]] = sign_samples(colours, self._key)
        return with_samples(page, samples)

    def vote(self, page: PillowImage.Image, quick: float | None = None) -> Vote:
        colours = colours_of(page)
        if quick is None:
            return full_vote(colours, self._key)
        return quick_vote(colours, self._key, quick)

    def is_readable(self, size_wh: tuple[int, int]) -> bool:
        return min(size_wh) >= MIN_WIDTH and size_wh[0] * size_wh[1] >= MIN_PIXELS


class RobustSignature:
    """The signature in the low frequencies. Its quick test is the full one: it takes no longer."""

    kind: PasswordKind = "robust"
    min_side = MIN_SIDE

    def __init__(self, key: Key) -> None:
        self._layout = Layout.of(key)

    def sign(self, page: PillowImage.Image) -> PillowImage.Image:
        """With the smallest step that survives halving and JPEG 75, or else the largest."""
        for step in STEPS:
            signed = with_samples(page, sign_with_step(samples_of(page), self._layout, step))
            if self.halved(signed) >= SURVIVING:
                break
        return signed

    def vote(self, page: PillowImage.Image, quick: float | None = None) -> Vote:
        return robust_vote(samples_of(eight_bit(page)), self._layout)

    def is_readable(self, size_wh: tuple[int, int]) -> bool:
        return min(size_wh) >= MIN_SIDE // 2

    def halved(self, page: PillowImage.Image) -> float:
        """Percent of the signature that is left in a page halved and saved as JPEG 75."""
        return self.vote(_halved_and_compressed(page)).percentage


def _halved_and_compressed(page: PillowImage.Image) -> PillowImage.Image:
    """What a photo goes through on its way into a message."""
    size_wh = (max(1, page.width // 2), max(1, page.height // 2))
    small = page.convert("RGBA").resize(size_wh, PillowImage.Resampling.LANCZOS)
    canvas = PillowImage.new("RGBA", size_wh, "white")
    stream = io.BytesIO()
    PillowImage.alpha_composite(canvas, small).convert("RGB").save(stream, "JPEG", quality=75)
    with PillowImage.open(stream) as compressed:
        return compressed.convert("RGB")
