"""What a picture holds at its own depth, and what becomes of it in 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

ROWS = 512
"""A picture is gone over in strips of so many rows, so that no second copy of it is held."""

_WIDE_GRAY = ("I;16", "I;16L", "I;16B", "I;16N")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A strip of a picture: `values` (H, W, C) of any type, C 1 (gray), 3 (RGB) or 4 (CMYK).

    `alpha` (H, W), of the same type or uint8; None: all of it is opaque. `model` names what the
    values mean: `shown` for gray and RGB, or Pillow's name of another colour model.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None = None
    model: str = "shown"

    def cleaned(self) -> Samples:
        """Without the colours hidden under what is wholly transparent."""
        if self.alpha is None:
            return self
        shown = (self.alpha > 0)[..., None]
        return Samples(np.where(shown, self.values, 0), self.alpha, self.model)


def samples_of_array(values: NDArray[Any]) -> Samples:
    """(H, W) or (H, W, 1, 2, 3 or 4) as gray or RGB, with the last of 2 or 4 as alpha."""
    if values.ndim == 2:
        return Samples(values[..., None])
    if values.shape[2] in (2, 4):
        return Samples(values[..., :-1], values[..., -1])
    return Samples(values)


def strips_of(picture: PillowImage.Image) -> Iterator[Samples]:
    """A loaded picture of any mode, strip by strip, each sample as the picture holds it."""
    for top in range(0, picture.height, ROWS):
        bottom = min(top + ROWS, picture.height)
        yield _strip(picture.crop((0, top, picture.width, bottom)), picture.info)


def strips_of_array(values: NDArray[Any]) -> Iterator[Samples]:
    """The same of an array, as `samples_of_array` takes it."""
    for top in range(0, values.shape[0], ROWS):
        yield samples_of_array(values[top : top + ROWS])


def _strip(strip: PillowImage.Image, info: dict[Any, Any]) -> Samples:
    mode = strip.mode
    if mode in _WIDE_GRAY or mode in ("I", "F"):
        values = np.asarray(strip)
        clear = info.get("transparency")
        alpha = (
            np.where(values == clear, 0, 255).astype(np.uint8) if isinstance(clear, int) else None
        )
        return Samples(values[..., None], alpha)
    if mode in _WITH_ALPHA or "transparency" in info:
        strip.info = {**strip.info, **{k: v for k, v in info.items() if k == "transparency"}}
        return samples_of_array(np.asarray(strip.convert("RGBA")))
    if mode in ("CMYK", "LAB", "HSV"):
        return Samples(np.asarray(strip), model=mode)
    return samples_of_array(np.asarray(strip.convert("L" if mode in ("1", "L") else "RGB")))


def luminance(samples: Samples) -> NDArray[np.float64]:
    """(H, W) the mean of the colours; of CMYK how little ink there is."""
    light = samples.values.astype(np.float64).mean(axis=2)
    return np.asarray(-light if samples.model == "CMYK" else light)


def on_ground(samples: Samples, ground: float) -> NDArray[np.float64]:
    """(H, W) luminance of 8-bit samples with alpha, laid on a gray ground of 0 to 255."""
    light = luminance(samples)
    if samples.alpha is None:
        return light
    part = samples.alpha.astype(np.float64) / float(np.iinfo(samples.alpha.dtype).max)
    return np.asarray(light * part + ground * (1 - part))


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any type in 8 bits: of 16 the upper 8; of other types, stretched as a whole."""
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.dtype == np.uint16:
        return (values >> 8).astype(np.uint8)
    return stretched(values)


def opacity(alpha: NDArray[Any]) -> NDArray[np.uint8]:
    """Alpha of any type in 8 bits: never stretched, since 1, or the type's greatest, is opaque."""
    if alpha.dtype in (np.uint8, np.uint16):
        return eight_bits(alpha)
    most = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    part = np.nan_to_num(alpha.astype(np.float64) / most).clip(0, 1)
    return np.round(255 * part).astype(np.uint8)


def is_flat_but_for_a_few(values: NDArray[Any]) -> bool:
    """Whether of numbers that are stretched all are equal but less than a thousandth of them."""
    if values.dtype in (np.uint8, np.uint16):
        return False
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size or finite.min() == finite.max():
        return False
    low, high = np.quantile(finite, (0.001, 0.999))
    return bool(low == high)


_FEW_LEVELS, _SOME_LEVELS = 24, 64
_FLAT_SPREAD = 3.0


def is_lost_in_8_bits(values: NDArray[Any]) -> bool:
    """Whether next to nothing is left of samples (H, W) or (H, W, C) by keeping the upper 8 of 16.

    So it is for numbers that lie close together, as those under 256, and differ all the same.
    """
    if values.dtype != np.uint16:
        return False
    low, high = (float(v) for v in np.quantile(values, (0.005, 0.995)))
    is_some = float(values.max()) - float(values.min()) >= _SOME_LEVELS
    return is_some and (high - low) / 256 < _FEW_LEVELS


def is_lost_on(samples: Samples, ground: float) -> bool:
    """Whether 8-bit samples with alpha cannot be seen on a gray ground, but on white or black."""
    cleaned = samples.cleaned()
    here = spread(on_ground(cleaned, ground))
    others = max(spread(on_ground(cleaned, other)) for other in (0.0, 255.0))
    return here < _FLAT_SPREAD and others > max(2 * here, 1.0)


def stretched(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers from their least to their greatest as 0 to 255; what is no number is black.

    A few that stand far off all others (a hot pixel) do not make the rest black: those that lie
    beyond what all but a thousandth do, several times over, are clipped. So is a number far off
    that stands for none, as maps and models of terrain have it, however often.
    """
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = _range(values[finite].astype(np.float64))
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    plain = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.round((plain.clip(low, high) - low) * (255.0 / (high - low))).astype(np.uint8)


_FAR_OFF = 4.0


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    values = _without_filler(values)
    least, greatest = float(values.min()), float(values.max())
    low, high = (float(v) for v in np.quantile(values, (0.001, 0.999)))
    width = high - low
    if width <= 0 or greatest - least <= _FAR_OFF * width:
        return least, greatest
    near = np.abs(values - (low + high) / 2) <= (0.5 + _FAR_OFF) * width
    return float(values[near].min()), float(values[near].max())


def _without_filler(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers without the least or the greatest where that lies far off all others."""
    for extreme in (values.min(), values.max()):
        others = values[values != extreme]
        if not others.size:
            continue
        low, high = np.quantile(others, (0.001, 0.999))
        if low < high and np.abs(others - extreme).min() > _FAR_OFF * (high - low):
            values = others
    return values


def spread(light: NDArray[Any]) -> float:
    """Standard deviation of gray levels (H, W) at 64 x 64: that of shapes, not of grain."""
    small = cv2.resize(light.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA)
    return float(small.std())
