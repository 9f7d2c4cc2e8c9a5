"""A network's view of a crop as one unit vector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from objsearch.components import weights
from objsearch.components.telemetry import keep_quiet
from objsearch.describe.base import Crop, Extractor
from objsearch.errors import MissingDependencyError, WeightsError
from objsearch.images.transform import resize
from objsearch.types import Descriptor, GlobalDescriptor

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(N, 3, S, S) normalised float32 -> (N, D) float32, not yet of unit length."""

Flips = Literal["none", "mirrored", "all"]
Side = Annotated[int, Field(ge=16, le=1024)]

_AS_IS, _TURNED = slice(None), slice(None, None, -1)
_FLIPS: dict[Flips, list[tuple[slice, slice]]] = {
    "none": [(_AS_IS, _AS_IS)],
    "mirrored": [(_AS_IS, _AS_IS), (_AS_IS, _TURNED)],
    "all": [(_AS_IS, _AS_IS), (_AS_IS, _TURNED), (_TURNED, _AS_IS), (_TURNED, _TURNED)],
}
"""Rows and columns of each view."""

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


class Embedding(Extractor):
    """Any ONNX network, or any timm or torchvision model when that package is installed."""

    name = "embedding"
    produces = "global"

    weights: str = Field(
        "efficientnet-lite0-instances",
        description="a name in models/, a path to a .onnx file, or timm:NAME, torchvision:NAME",
    )
    checkpoint: str | None = Field(
        None, description="a .safetensors file for a timm or torchvision model"
    )
    image_size: Side | None = Field(None, description="pixels a side; null: as made")
    frame_size: Side | tuple[Side, ...] | None = Field(
        None,
        description="pixels a side for a full frame; of several, as [288, 416], the vectors are "
        "averaged, which finds more at the price of each; null: as made",
    )
    mean: tuple[float, float, float] | None = Field(None, description="RGB mean, 0-255")
    std: tuple[float, float, float] | None = Field(None, description="RGB deviation, 0-255")
    margin: float = Field(0.0, ge=0, le=1, description="context around a crop, a part of its size")
    turns: int = Field(
        2,
        ge=1,
        le=4,
        description="quarter turns of a crop whose vectors are averaged; 1: upright only",
    )
    flips: Flips = Field(
        "none",
        description="flipped views pooled with the picture: none, mirrored, or all (also upside "
        "down), for copies that somebody flipped; each view costs as much as the picture",
    )
    output: str | None = Field(
        None, description="the output of a .onnx file that is taken; null: the first"
    )

    _network: Network | None = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [GlobalDescriptor(self._vector(crop)) for crop in crops]

    def _vector(self, crop: Crop) -> NDArray[np.float32]:
        network = self._loaded()
        sizes, mean, std = self._preprocessing(crop.is_frame)
        # Photos have an up and a down; a thing lying on a table has none.
        turns = 1 if crop.is_frame else self.turns
        views = []
        for size in sizes:
            square = (resize(crop.pixels, (size, size)).astype(np.float32) - mean) / std
            # One picture a call: on a CPU a batch gains next to nothing, and the last bits of a
            # vector would depend on its size.
            views += [_unit(self._pooled(network, np.rot90(square, k))) for k in range(turns)]
        return _unit(np.sum(views, axis=0))

    def _pooled(self, network: Network, square: NDArray[np.float32]) -> NDArray[np.float32]:
        """One vector of a picture (S, S, 3) and its flips: the power mean, as GeM's of places."""
        views = [square[ys, xs].transpose(2, 0, 1)[None] for ys, xs in _FLIPS[self.flips]]
        vectors = np.stack([network(np.ascontiguousarray(view))[0] for view in views])
        if len(vectors) == 1:
            return np.asarray(vectors[0])
        return np.asarray(np.cbrt(np.mean(vectors.astype(np.float64) ** 3, axis=0)), np.float32)

    def _preprocessing(
        self, is_frame: bool
    ) -> tuple[tuple[int, ...], NDArray[np.float32], NDArray[np.float32]]:
        made: dict[str, Any] = {"size": 224, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
        if weights.is_named(self.weights):
            made |= weights.manifest()[self.weights].facts["input"]
        size = self.image_size or made["size"]
        if is_frame:
            # A frame holds more than a crop, and a few more pixels help it most; at two sizes, half
            # an octave apart, often more still (Radenovic, Tolias and Chum, TPAMI 2018).
            size = self.frame_size or self.image_size or made.get("frame_size", size)
        return (
            (size,) if isinstance(size, int) else tuple(size),
            np.asarray(self.mean or made["mean"], np.float32),
            np.asarray(self.std or made["std"], np.float32),
        )

    def _loaded(self) -> Network:
        with self._lock:
            if self._network is None:
                self._network = _load(self.weights, self.checkpoint, self.output)
            return self._network


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector / norm if norm > 0 else vector, dtype=np.float32)


def _load(name: str, checkpoint: str | None, output: str | None) -> Network:
    family, _, model = name.partition(":")
    if family in ("timm", "torchvision") and model:
        if output is not None:
            raise WeightsError(f"'{name}' has one output without a name; leave out 'output'")
        return _load_torch(family, model, checkpoint)
    if weights.is_named(name):
        return _load_onnx(weights.card(name).file, output)
    path = Path(name).expanduser()
    if path.suffix != ".onnx" or not path.is_file():
        weights.card(name)  # says what is known, and the nearest name
    return _load_onnx(path, output)


def _load_onnx(path: Path, output: str | None = None) -> Network:
    keep_quiet()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call: crops run side by side on `flow`'s workers, and the sums come out the same.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has no exception tree of its own
        raise WeightsError(f"cannot load the embedding's weights '{path}': {error}") from error
    entry = session.get_inputs()[0].name
    outputs = [one.name for one in session.get_outputs()]
    if output is not None and output not in outputs:
        raise WeightsError(f"'{path}' has no output '{output}', it has {', '.join(outputs)}")
    wanted = [output or outputs[0]]

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = np.asarray(session.run(wanted, {entry: batch})[0], dtype=np.float32)
        return vectors.reshape(len(batch), -1)

    return network


def _load_torch(family: str, model: str, checkpoint: str | None) -> Network:
    keep_quiet()
    try:
        import torch

        if family == "timm":
            import timm

            module = timm.create_model(model, pretrained=checkpoint is None, num_classes=0)
        else:
            import torchvision

            module = torchvision.models.get_model(
                model, weights="DEFAULT" if checkpoint is None else None
            )
            _drop_classifier(module)
        if checkpoint is not None:
            from safetensors.torch import load_file

            missing = module.load_state_dict(load_file(checkpoint), strict=False).missing_keys
            if missing:
                raise WeightsError(f"'{checkpoint}' lacks {len(missing)} tensors of '{model}'")
    except ImportError as error:
        raise MissingDependencyError(
            f"'{family}:{model}' needs the package '{error.name}': pip install {error.name}"
        ) from error
    except WeightsError:
        raise
    except Exception as error:  # both hubs raise what their parts raise
        raise WeightsError(f"cannot load '{family}:{model}': {error}") from error
    module.eval()

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            output = module(torch.from_numpy(batch))
        return np.asarray(output.float().numpy(), dtype=np.float32).reshape(len(batch), -1)

    return network


def _drop_classifier(module: Any) -> None:
    """Torchvision's models end in one of a few names; take the features before it."""
    import torch

    for name in ("fc", "classifier", "head", "heads"):
        if hasattr(module, name):
            setattr(module, name, torch.nn.Identity())
            return
    raise WeightsError(f"cannot find the classifier of {type(module).__name__} to leave out")
