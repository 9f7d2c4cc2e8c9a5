"""Objects by a YOLO network: weights of models/ directly, any other through Ultralytics.

Ultralytics is kept from the network (`components.telemetry`); the one thing that may be fetched is
an official model that the user names and does not have.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from objsearch.components import weights
from objsearch.components.telemetry import keep_quiet
from objsearch.detect.base import Detector
from objsearch.detect.onnx_yolo import OnnxYolo
from objsearch.detect.regions import thinned
from objsearch.errors import MissingDependencyError, WeightsError
from objsearch.types import Box, Image, Region


class Yolo(Detector):
    """Any YOLO detection model: class-agnostic, thinned out, most confident first."""

    name = "yolo"

    weights: str = Field(
        "things-v4-int8",
        description="a name in models/, a .pt or .onnx file, an export folder, or an official "
        "Ultralytics name (which is then downloaded)",
    )
    image_size: int = Field(320, ge=32, le=2048, multiple_of=32, description="pixels a side")
    confidence: float = Field(0.05, ge=0, le=1, description="least confident detection kept")
    max_objects: int = Field(12, ge=1, le=300, description="most objects an image")
    min_area: float = Field(0.004, ge=0, lt=1, description="smallest box, as a part of the frame")
    max_iou: float = Field(0.6, gt=0, le=1, description="boxes that overlap more are one object")
    prefer_large: float = Field(
        0.3,
        ge=0,
        le=2,
        description="how much larger things come first: the power of their area, up to a tenth of "
        "the frame; 0: the most confident first",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="where the network runs; auto takes the fastest there is"
    )

    _model: Any = PrivateAttr(default=None)
    _direct: OnnxYolo | None = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def made_with(self) -> tuple[str, ...]:
        is_direct = weights.is_named(self.weights)
        return () if is_direct else ("torch", "ultralytics-opencv-headless")

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        network = self._network()
        if network is None:
            return self._by_ultralytics(images)
        every = network.detect(images, self.image_size, self.confidence, self.max_iou)
        return [self._thinned(regions, i) for regions, i in zip(every, images, strict=True)]

    def _network(self) -> OnnxYolo | None:
        """Weights of models/; None for others, whose outputs Ultralytics knows to read."""
        if not weights.is_named(self.weights):
            return None
        with self._lock:
            if self._direct is None:
                card = weights.card(self.weights)
                self._direct = OnnxYolo(card.file, card.facts["classes"], self.device)
            return self._direct

    def _by_ultralytics(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        # One image a call on the CPU: batches gain nothing there, and the last bits of a result
        # would depend on the neighbours.
        step = 1 if self.device_in_use() == "cpu" else max(1, len(images))
        every: list[tuple[Region, ...]] = []
        for start in range(0, len(images), step):
            batch = images[start : start + step]
            results = self._predict(batch)
            every += [self._regions(i, r) for i, r in zip(batch, results, strict=True)]
        return every

    def _predict(self, batch: Sequence[Image]) -> list[Any]:
        pictures = [np.ascontiguousarray(image.pixels[..., ::-1]) for image in batch]
        options = {
            "imgsz": self.image_size,
            "conf": self.confidence,
            "iou": self.max_iou,
            "max_det": 300,
            "agnostic_nms": True,
            "rect": False,  # otherwise an image's boxes depend on the others in the batch
            "device": self.device_in_use(),
            "verbose": False,
        }
        with self._lock:
            if self._model is None:
                self._model = _load(self.weights, options)
            return list(self._model.predict(pictures, **options))

    def _regions(self, image: Image, result: Any) -> tuple[Region, ...]:
        boxes = result.boxes.cpu().numpy()
        regions = (
            Region(Box(*map(float, xyxy)), result.names[int(kind)], float(confidence), "detector")
            for xyxy, confidence, kind in zip(boxes.xyxy, boxes.conf, boxes.cls, strict=True)
        )
        return self._thinned(regions, image)

    def _thinned(self, regions: Iterable[Region], image: Image) -> tuple[Region, ...]:
        return thinned(
            regions,
            image.size_wh,
            max_objects=self.max_objects,
            min_area=self.min_area,
            max_iou=self.max_iou,
            prefer_large=self.prefer_large,
        )

    def device_in_use(self) -> str:
        """Where the network runs: what is set, or the best that this machine has."""
        network = self._network()
        if network is not None:
            return network.device_in_use()
        if self.device != "auto":
            return self.device
        with _told_what_is_missing():
            import torch
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"


@contextmanager
def _told_what_is_missing() -> Iterator[None]:
    keep_quiet()
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            "the yolo detector needs Ultralytics for weights from elsewhere: pip install "
            f"ultralytics-opencv-headless (or take 'things-v4', or --mode whole) [{error}]"
        ) from error


def _load(name: str, options: Mapping[str, Any]) -> Any:
    """The model, run once: some backends load their weights only then."""
    with _told_what_is_missing():
        from ultralytics import YOLO  # type: ignore[attr-defined]  # resolved lazily there
    path = _resolved(name)
    try:
        model = YOLO(path, task="detect")
        model.predict(np.zeros((32, 32, 3), np.uint8), **options)
        _run_on_one_thread(model)
    except Exception as error:  # Ultralytics raises what its backends raise
        first = str(error).strip().splitlines()[:1]
        raise WeightsError(
            f"cannot load the detector's weights '{name}': {''.join(first)}"
        ) from error
    return model


def _run_on_one_thread(model: Any) -> None:
    """Give an ONNX model on the CPU a session without a thread pool of its own.

    Ultralytics' session spins on all cores between calls, and takes them from the other workers:
    more than twice the processor time for the same boxes.
    """
    backend = getattr(model.predictor.model, "backend", None)
    session = getattr(backend, "session", None)
    if backend is None or session is None or session.get_providers() != ["CPUExecutionProvider"]:
        return
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    backend.session = onnxruntime.InferenceSession(
        str(model.predictor.args.model), options, providers=["CPUExecutionProvider"]
    )


def _resolved(name: str) -> str:
    """A local path for the weights; downloads only an official model that the user named."""
    path = Path(name).expanduser()
    if path.exists():
        return str(path)
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES, attempt_download_asset

    if name not in GITHUB_ASSETS_NAMES:
        weights.card(name)  # says what is known, and the nearest name
    try:
        return str(attempt_download_asset(name, retry=0))
    except Exception as error:
        raise WeightsError(
            f"'{name}' is an official Ultralytics model that is not on this machine and could not "
            f"be downloaded; give the path of a local file, or 'things-v4' ({error})"
        ) from error
