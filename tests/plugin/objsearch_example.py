"""A detector, an extractor and an index that objsearch does not have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from objsearch.describe.base import Crop, Extractor
from objsearch.detect.base import Detector
from objsearch.index.base import Rankers
from objsearch.index.memory import InMemory, Memory
from objsearch.types import (
    Box,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    Image,
    Recipe,
    Region,
    Row,
)


class Middle(Detector):
    """What is in the middle is a thing."""

    name = "middle"

    part: float = Field(0.5, gt=0, lt=1, description="of each side")

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        return [(self._region(*image.size_wh),) for image in images]

    def _region(self, width: int, height: int) -> Region:
        dx, dy = width * (1 - self.part) / 2, height * (1 - self.part) / 2
        return Region(Box(dx, dy, width - dx, height - dy), "middle", 0.9, "detector")


class Stripes(Extractor):
    """The mean colours of horizontal stripes."""

    name = "stripes"
    produces = "global"

    n: int = Field(12, ge=2, le=64, description="stripes")

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [self._described(crop) for crop in crops]

    def _described(self, crop: Crop) -> GlobalDescriptor:
        stripes = np.array_split(crop.pixels.astype(np.float32), self.n, axis=0)
        means = [stripe.mean(axis=(0, 1)) if stripe.size else np.zeros(3) for stripe in stripes]
        vector = np.concatenate(means).astype(np.float32)
        vector = vector - vector.mean() + np.float32(1e-3)
        return GlobalDescriptor(vector / np.linalg.norm(vector))


class Ledger(Memory):
    """As `memory`, and writes down what is put in."""

    name = "ledger"

    log: str = Field("", description="a file that gets a line a row; empty: none")

    def open(self, recipe: Recipe, rankers: Rankers) -> InLedger:
        index = InLedger(recipe, rankers)
        index.log = self.log
        return index


class InLedger(InMemory):
    """Rows in memory, and a line each in a file."""

    log = ""

    def put(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        super().put(rows)
        if self.log:
            with Path(self.log).open("a", encoding="utf-8") as stream:
                stream.writelines(json.dumps(_line(row)) + "\n" for row in rows)


def _line(row: Row) -> dict[str, object]:
    described = row.image.descriptors if isinstance(row.image, DescribedImage) else {}
    return {"key": row.key, **{alias: len(parts) for alias, parts in described.items()}}
