"""ONNX files through ONNX Runtime: on which device, on how many threads."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from objsearch.components.telemetry import keep_quiet
from objsearch.errors import MissingDependencyError, WeightsError

Device = Literal["cpu", "cuda"]

PROVIDERS: Mapping[Device, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
}

MOST_KEPT = 4
"""Sessions; that of the default detector takes 25 MB."""


def device_for(wanted: str) -> Device:
    """The device that `auto`, `cpu` or `cuda` stands for on this machine.

    Raises MissingDependencyError for a GPU that the installed ONNX Runtime cannot use, and
    WeightsError for a device that it does not know.
    """
    keep_quiet()
    import onnxruntime

    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if wanted == "auto":
        return "cuda" if has_cuda else "cpu"
    if wanted == "cpu":
        return "cpu"
    if wanted != "cuda":
        raise WeightsError(f"these weights run on cpu or cuda, not on '{wanted}'")
    if not has_cuda:
        raise MissingDependencyError(
            "device: cuda needs an ONNX Runtime for GPUs: pip uninstall onnxruntime, then "
            "pip install 'objsearch[gpu]'; or take device: auto"
        )
    return "cuda"


def open_session(path: Path, wanted: str, what: str) -> Any:
    """An InferenceSession on the wanted device; `what` names the file in errors.

    The last few are kept: searches of one process by the same weights share one, and load it once.
    A GPU that is not there after all leaves it on the CPU where `auto` was wanted. Raises
    WeightsError, MissingDependencyError.
    """
    device = device_for(wanted)
    try:
        status = path.stat()
    except OSError:
        session = _opened(path, device, what)  # which says why
    else:
        stamp = status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
        session = _kept(path, stamp, device, what)
    if wanted == "cuda" and device_of(session) != "cuda":
        raise WeightsError(f"device: cuda: ONNX Runtime finds no usable GPU to run '{path}' on")
    return session


@lru_cache(MOST_KEPT)
def _kept(path: Path, _: tuple[int, ...], device: Device, what: str) -> Any:
    """By a file's stamp as well: another may take its place."""
    return _opened(path, device, what)


def _opened(path: Path, device: Device, what: str) -> Any:
    import onnxruntime

    if device == "cuda":
        load_cuda(onnxruntime)
    options = onnxruntime.SessionOptions()
    # One thread a call: pictures run side by side on `flow`'s workers, and sums come out the same.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=list(PROVIDERS[device]))
    except Exception as error:  # ONNX Runtime has no exception tree of its own
        raise WeightsError(f"cannot load {what} '{path}': {error}") from error


def load_cuda(runtime: Any) -> None:
    """Load the CUDA libraries that came as packages beside torch, where the system has none.

    ONNX Runtime prints what it does not find; whether a session has a GPU is asked for afterwards.
    """
    preload = getattr(runtime, "preload_dlls", None)  # from 1.21 on
    if preload:
        with redirect_stdout(StringIO()):
            preload()


def device_of(session: Any) -> Device:
    """Where a session runs."""
    return "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"
