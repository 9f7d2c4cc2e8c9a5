"""A made-up answer: two textured photos, one a known movement of the other."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from objsearch.types import Answer, DescribedImage, ImageRef, Pixels, Unreadable
from tests.report.cases import HOSTILE, QUERY_WH, REFERENCE_WH, TRANSFORM, hit, region


@pytest.fixture(scope="session")
def query_pixels() -> Pixels:
    rng = np.random.default_rng(7)
    small = rng.integers(0, 256, (13, 19, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, QUERY_WH, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="session")
def reference_pixels(query_pixels: Pixels) -> Pixels:
    canvas = np.full((REFERENCE_WH[1], REFERENCE_WH[0], 3), 90, np.uint8)
    return np.asarray(
        cv2.warpPerspective(
            query_pixels, TRANSFORM, REFERENCE_WH, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT
        ),
        np.uint8,
    )


@pytest.fixture
def read(query_pixels: Pixels, reference_pixels: Pixels) -> Callable[[ImageRef], Pixels | None]:
    by_uri = {"q/thing.jpg": query_pixels, HOSTILE: reference_pixels}

    def read_one(ref: ImageRef) -> Pixels | None:
        assert ref.xywh is None
        return by_uri.get(ref.uri)

    return read_one


@pytest.fixture
def answer() -> Answer:
    frame = region((0, 0, *QUERY_WH), "frame", "frame")
    query = DescribedImage(
        ImageRef("q/thing.jpg"), QUERY_WH, (region((20, 15, 120, 90)), frame), {}, content="ab"
    )
    return Answer(
        queries=(query,),
        hits=(hit(), hit("gone.jpg", verdict="uncertain", score=0.5)),
        scanned=5,
        compared=4,
        skipped=(Unreadable(ImageRef("broken<b>.jpg"), "the file is <empty>"),),
        settings={"search": {"threshold": 0.2, "top": None, "offset": 0}, "odd": (1, math.nan)},
        elapsed_seconds=1.23456,
        warnings=("odd<i>.png: the name says .png but the content is JPEG",),
        found=2,
    )
