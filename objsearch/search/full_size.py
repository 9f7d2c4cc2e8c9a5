"""A picture at its own size: the keypoints that a second comparison takes of it."""

from __future__ import annotations

from functools import partial
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.describe.base import Crop
from objsearch.describe.keypoints import KeypointExtractor
from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.flow import once
from objsearch.types import Image, LocalFeatures, Pixels

SIDE = 2400
"""Longer side, in pixels, that keypoints are taken at; smaller photos as they are."""
N_POINTS = 3000
N_QUERY_POINTS = 1200
N_LEVELS, N_QUERY_LEVELS = 8, 12
"""Each a sixth smaller: to 28 % of the size, and 13 % of a query, which may be small in a photo."""
SIFT_SIDE = 800
"""Longer side, in pixels, that SIFT is given: at 1,024 it takes twice as long for little more."""
N_SIFT_POINTS = 1200
GLANCE_SIDE = 400
"""SIFT costs a third at half of that side. What fits neither a plane there nor two views of a thing
with depth is not looked at any larger: nothing of that was *same* by SIFT
(`benchmarks/results/second_look.md`)."""

Channel = Literal["light", "red", "blue"]
CHANNELS: tuple[Channel, ...] = ("light", "red", "blue")


class FullSize:
    """A picture and its keypoints, of each kind taken when they are first asked for, and once.

    Several views ask for those of one candidate, and two pictures each for the other's.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self.glance = once(partial(_sift, image, GLANCE_SIDE))
        self.surest = once(partial(_sift, image, SIFT_SIDE))
        self._wanted = {
            channel: once(partial(_orb, image, channel, N_QUERY_POINTS, N_QUERY_LEVELS))
            for channel in CHANNELS
        }
        self._searched = {
            channel: once(partial(_orb, image, channel, N_POINTS, N_LEVELS)) for channel in CHANNELS
        }

    def wanted(self, channel: Channel) -> LocalFeatures:
        """ORB of a picture that is looked for."""
        return self._wanted[channel]()

    def searched(self, channel: Channel) -> LocalFeatures:
        """ORB of a picture that is looked in."""
        return self._searched[channel]()


def plane_of(image: Image, channel: Channel) -> NDArray[np.uint8]:
    """(H, W) light, or what red or blue lie above it (ITU-R BT.601)."""
    values = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2YCrCb)[..., CHANNELS.index(channel)]
    return np.ascontiguousarray(values, np.uint8)


def _orb(image: Image, channel: Channel, n_points: int, n_levels: int) -> LocalFeatures:
    pixels = image.pixels
    if channel != "light":
        pixels = np.repeat(plane_of(image, channel)[..., None], 3, axis=2)
    orb = Orb(n_points=n_points, n_levels=n_levels, long_side=_side(image, SIDE))
    return _extracted(orb, image, pixels)


def _sift(image: Image, side: int) -> LocalFeatures:
    sift = Sift(n_points=N_SIFT_POINTS, long_side=_side(image, side))
    return _extracted(sift, image, image.pixels)


def _side(image: Image, most: int) -> int:
    """The longer side that keypoints are taken at."""
    return max(64, min(max(image.size_wh), most))


def _extracted(extractor: KeypointExtractor, image: Image, pixels: Pixels) -> LocalFeatures:
    left, top = image.offset_xy
    crop = Crop(pixels, is_frame=True, corner_xy=(left, top))
    [features] = extractor.extract_batch([crop])
    assert isinstance(features, LocalFeatures)
    return features
