"""NudeNet: a detector of exposed parts of the body (Praneeth Bedapudi)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, PrivateAttr, field_validator

from objsearch.classify.base import Classifier, Judgement
from objsearch.classify.packages import weights_or_default
from objsearch.components.telemetry import keep_quiet
from objsearch.errors import WeightsError, nearest
from objsearch.types import Pixels

LABELS = (
    *("ANUS_COVERED", "ANUS_EXPOSED", "ARMPITS_COVERED", "ARMPITS_EXPOSED", "BELLY_COVERED"),
    *("BELLY_EXPOSED", "BUTTOCKS_COVERED", "BUTTOCKS_EXPOSED", "FACE_FEMALE", "FACE_MALE"),
    *("FEET_COVERED", "FEET_EXPOSED", "FEMALE_BREAST_COVERED", "FEMALE_BREAST_EXPOSED"),
    *("FEMALE_GENITALIA_COVERED", "FEMALE_GENITALIA_EXPOSED", "MALE_BREAST_EXPOSED"),
    "MALE_GENITALIA_EXPOSED",
)
EXPLICIT = (
    *("ANUS_EXPOSED", "BUTTOCKS_EXPOSED", "FEMALE_BREAST_EXPOSED"),
    *("FEMALE_GENITALIA_EXPOSED", "MALE_GENITALIA_EXPOSED"),
)


class NudeNet(Classifier):
    """The surest detection with an unwanted label, by the package nudenet (AGPL-3.0)."""

    name = "nudenet"

    labels: tuple[str, ...] = Field(EXPLICIT, description="labels of what is unwanted")
    weights: str | None = Field(
        None, description="another .onnx file of NudeNet; null: the one in the package"
    )
    threshold: float = Field(0.5, gt=0, le=1, description="least score that is unwanted, inclusive")

    _network: Any = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @field_validator("labels")
    @classmethod
    def _are_known(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            if label not in LABELS:
                raise ValueError(f"no label '{label}'{nearest(label, LABELS)}")
        if not labels:
            raise ValueError("name at least one label")
        return labels

    def require(self) -> None:
        self._file()

    def judge_batch(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        network = self._loaded()
        return [self._judged(network, picture) for picture in pictures]

    def _judged(self, network: Any, picture: Pixels) -> Judgement:
        # It takes pixels as OpenCV reads them.
        detections = network.detect(np.ascontiguousarray(picture[..., ::-1]))
        scored = [
            (detection["score"], detection["class"])
            for detection in detections
            if detection["class"] in self.labels
        ]
        return Judgement(*max(scored)) if scored else Judgement(0.0)

    def _file(self) -> Path:
        return weights_or_default(self.weights, "nudenet", "320n.onnx", self.name)

    def _loaded(self) -> Any:
        with self._lock:
            if self._network is None:
                path = self._file()
                keep_quiet()
                from nudenet import NudeDetector

                try:
                    self._network = NudeDetector(str(path))
                except Exception as error:  # ONNX Runtime's own, of many kinds
                    reason = str(error).splitlines()[0]
                    raise WeightsError(f"'{path}' is no network of NudeNet: {reason}") from None
            return self._network
