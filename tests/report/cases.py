"""Parts of a made-up answer, with a known movement from query to reference."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from objsearch.types import (
    Box,
    Hit,
    ImageRef,
    Region,
    RegionPair,
    Verdict,
    Verification,
)

HOSTILE = "photos/<script>alert(1)</script>\"'&\u202egpj.\x1b[31m\udce9.jpg"
QUERY_WH = (150, 101)
REFERENCE_WH = (203, 157)
# Turned by 20 degrees, shrunk to 0.8 and moved.
TRANSFORM = np.array(
    [
        [0.8 * math.cos(0.35), -0.8 * math.sin(0.35), 62.0],
        [0.8 * math.sin(0.35), 0.8 * math.cos(0.35), 25.0],
        [0.0, 0.0, 1.0],
    ]
)


def region(box: tuple[float, ...], label: str = "cup", proposal: str = "detector") -> Region:
    return Region(Box(*box), label, 0.0 if proposal == "frame" else 0.875, proposal)  # type: ignore[arg-type]


def verification(model: str = "homography") -> Verification:
    points = np.array([(x, y) for x in range(10, 140, 12) for y in range(10, 95, 12)], float)
    moved = np.hstack([points, np.ones((len(points), 1))]) @ TRANSFORM.T
    return Verification(model, TRANSFORM, np.hstack([points, moved[:, :2]]).astype(np.float32))


def pair(verdict: Verdict = "same", found: Verification | None = None) -> RegionPair:
    return RegionPair(
        region((20, 15, 120, 90)),
        region((60, 40, 160, 130), "vase"),
        0.97312345678,
        verdict,
        {"embedding": 0.5, "orb": 0.75},
        verification=found,
        overlap_query=0.5 if found else None,
        overlap_reference=0.25 if found else None,
    )


def hit(uri: str = HOSTILE, **changes: object) -> Hit:
    made = Hit(
        ImageRef(uri),
        0.97312345678,
        "same",
        REFERENCE_WH,
        (pair(found=verification()), pair("different")),
        ImageRef("q/thing.jpg"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
