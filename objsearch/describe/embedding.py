"""A network's view of a crop as one unit vector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from objsearch.components import weights
from objsearch.components.onnx_sessions import Device, device_for, device_of, open_session
from objsearch.components.telemetry import keep_quiet
from objsearch.describe.base import Crop, Extractor
from objsearch.errors import MissingDependencyError, WeightsError
from objsearch.flow import batches
from objsearch.images.transform import resize_quickly
from objsearch.types import Descriptor, GlobalDescriptor

Vectors = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(N, 3, S, S) normalised float32 -> (N, D) float32, not yet of unit length."""


@dataclass(frozen=True, slots=True)
class Network:
    """What makes vectors, how many at a time, and where."""

    run: Vectors
    at_once: int = 1
    device: Device = "cpu"


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

GPU_BATCH = 64


class Embedding(Extractor):
    """Any ONNX network, or any timm or torchvision model when that package is installed."""

    name = "embedding"
    produces = "global"

    weights: str = Field(
        "efficientnet-lite0-instances-int8",
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

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where a .onnx file runs; auto takes a GPU where there is one"
    )

    _network: Network | None = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        network = self._loaded()
        seen = [self._views(crop) for crop in crops]
        vectors = iter(_run(network, [view for views in seen for view in views], self._scale()))
        return [GlobalDescriptor(self._pooled(list(islice(vectors, len(v))))) for v in seen]

    def _views(self, crop: Crop) -> list[NDArray[np.uint8]]:
        """What the network sees of a crop: (3, S, S) at each size, turned, and flipped."""
        # Photos have an up and a down; a thing lying on a table has none.
        turns = 1 if crop.is_frame else self.turns
        views: list[NDArray[np.uint8]] = []
        for size in self._sizes(crop.is_frame):
            # In planes of bytes they are turned and copied in no time.
            planes = cv2.split(resize_quickly(crop.pixels, (size, size)))
            square = np.asarray(np.stack(planes), np.uint8)
            for k in range(turns):
                turned = np.rot90(square, k, axes=(1, 2))
                views += [turned[:, ys, xs] for ys, xs in _FLIPS[self.flips]]
        return views

    def _pooled(self, vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """One unit vector: the mean over sizes and turns of the power mean, as GeM's, of flips."""
        n_flips = len(_FLIPS[self.flips])
        groups = [vectors[k : k + n_flips] for k in range(0, len(vectors), n_flips)]
        return _unit(np.sum([_unit(_power_mean(group)) for group in groups], axis=0))

    def _input(self) -> dict[str, Any]:
        made: dict[str, Any] = {"size": 224, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
        if weights.is_named(self.weights):
            made |= weights.manifest()[self.weights].facts["input"]
        return made

    def _sizes(self, is_frame: bool) -> tuple[int, ...]:
        made = self._input()
        size = self.image_size or made["size"]
        if is_frame:
            # A frame holds more than a crop, and a few more pixels help it most; at two sizes, half
            # an octave apart, often more still (Radenovic, Tolias and Chum, TPAMI 2018).
            size = self.frame_size or self.image_size or made.get("frame_size", size)
        return (size,) if isinstance(size, int) else tuple(size)

    def _scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and deviation, (3, 1, 1) each."""
        made = self._input()
        mean, std = self.mean or made["mean"], self.std or made["std"]
        return tuple(np.asarray(values, np.float32)[:, None, None] for values in (mean, std))  # type: ignore[return-value]

    def _loaded(self) -> Network:
        with self._lock:
            if self._network is None:
                self._network = self._load()
            return self._network

    def made_with(self) -> tuple[str, ...]:
        known = self._torch_model()
        return ("torch", known[0]) if known else ()

    def _torch_model(self) -> tuple[str, str] | None:
        """The package that knows the model, and its name there; None for a file or in models/."""
        family, _, model = self.weights.partition(":")
        return (family, model) if family in ("timm", "torchvision") and model else None

    def crops_wanted(self) -> int:
        """A GPU is filled. On a CPU batches gain little, and images run side by side."""
        if self.device == "cpu" or device_for(self.device) == "cpu":  # loads nothing
            return 1
        return GPU_BATCH if self._loaded().device == "cuda" else 1

    def device_in_use(self) -> str:
        """Where the network runs, loaded for that."""
        return self._loaded().device

    def _load(self) -> Network:
        name, output = self.weights, self.output
        if known := self._torch_model():
            if output is not None:
                raise WeightsError(f"'{name}' has one output without a name; leave out 'output'")
            return Network(_load_torch(*known, self.checkpoint))
        if weights.is_named(name):
            card = weights.card(name)
            at_once = card.facts["input"].get("batch", 1)
            return _load_onnx(card.file, output, self.device, at_once)
        path = Path(name).expanduser()
        if path.suffix != ".onnx" or not path.is_file():
            weights.card(name)  # says what is known, and the nearest name
        return _load_onnx(path, output, self.device)


def _run(
    network: Network,
    views: Sequence[NDArray[np.uint8]],
    scale: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> list[NDArray[np.float32]]:
    """A vector a view (3, S, S), in order; `scale` is what is taken off and divided by.

    One picture a call where the last bits of a vector would depend on its neighbours: on a CPU,
    but for networks that are known to be exact.
    """
    vectors: dict[int, NDArray[np.float32]] = {}
    for shape in dict.fromkeys(view.shape for view in views):
        of_shape = [k for k, view in enumerate(views) if view.shape == shape]
        for batch in batches(of_shape, network.at_once):
            made = network.run(_scaled([views[k] for k in batch], scale))
            vectors |= dict(zip(batch, made, strict=True))
    return [vectors[k] for k in range(len(views))]


def _scaled(
    views: Sequence[NDArray[np.uint8]], scale: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """(N, 3, S, S): view by view, each of which stays in a processor's cache meanwhile."""
    pixels = np.empty((len(views), *views[0].shape), np.float32)
    for k, view in enumerate(views):
        pixels[k] = view
        pixels[k] -= scale[0]
        pixels[k] /= scale[1]
    return pixels


def _power_mean(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(vectors) == 1:
        return vectors[0]
    cubes = np.stack(vectors).astype(np.float64) ** 3
    return np.asarray(np.cbrt(np.mean(cubes, axis=0)), np.float32)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector / norm if norm > 0 else vector, dtype=np.float32)


def _load_onnx(path: Path, output: str | None, device: str, at_once: int = 1) -> Network:
    session = open_session(path, device, "the embedding's weights")
    entry = session.get_inputs()[0].name
    outputs = [node.name for node in session.get_outputs()]
    if output is not None and output not in outputs:
        raise WeightsError(f"'{path}' has no output '{output}', it has {', '.join(outputs)}")
    wanted = [output or outputs[0]]

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = np.asarray(session.run(wanted, {entry: batch})[0], dtype=np.float32)
        return vectors.reshape(len(batch), -1)

    used = device_of(session)
    return Network(run, at_once if used == "cpu" else GPU_BATCH, used)


def _load_torch(family: str, model: str, checkpoint: str | None) -> Vectors:
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
