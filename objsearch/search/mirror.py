"""Mirror images: the query is compared as seen in a mirror, and the evidence turned back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from objsearch.images.mapping import mirroring
from objsearch.types import Box, DescribedImage, Hit, Image, Region, RegionPair


def mirrored(image: Image) -> Image:
    """The image with left and right swapped; a part that counts stays where it was."""
    pixels = np.ascontiguousarray(image.pixels[:, ::-1])
    alpha = None if image.alpha is None else np.ascontiguousarray(image.alpha[:, ::-1])
    image = replace(image, alpha=alpha)
    part = image.within_xyxy
    if part is None:
        return replace(image, pixels=pixels)
    width = image.size_wh[0]
    return replace(
        image,
        pixels=pixels,
        within_xyxy=Box(width - part.x2, part.y1, width - part.x1, part.y2),
        offset_xy=(round(part.x1 + part.x2) - width, 0),
        full_size_wh=image.size_wh,
    )


def compare_mirrored(
    compare: Callable[[DescribedImage, DescribedImage], Hit],
    query: DescribedImage,
    reference: DescribedImage,
) -> Hit:
    """Compare a mirrored query; the hit's boxes, points and transforms are those of the upright."""
    hit = compare(query, reference)
    frame = query.regions[-1].box_xyxy
    return replace(hit, pairs=tuple(_turned_back(pair, frame) for pair in hit.pairs))


def _turned_back(pair: RegionPair, frame: Box) -> RegionPair:
    # x -> total - x maps the mirrored frame onto itself, wherever a region of interest begins.
    total = frame.x1 + frame.x2
    box = pair.query.box_xyxy
    query: Region = replace(
        pair.query, box_xyxy=Box(total - box.x2, box.y1, total - box.x1, box.y2)
    )
    verification = pair.verification
    if verification is None:
        return replace(pair, query=query)
    flip = mirroring(total)
    inliers = verification.inliers_xyxy.copy()
    inliers[:, 0] = total - 1 - inliers[:, 0]
    turned = replace(
        verification, transform=verification.transform @ flip, inliers_xyxy=inliers, mirrored=True
    )
    return replace(pair, query=query, verification=turned)
