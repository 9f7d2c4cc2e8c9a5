"""ONNX Runtime's sessions: what a GPU needs is loaded before, and nothing of it is printed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest

from objsearch.components.onnx_sessions import open_session
from objsearch.errors import MissingDependencyError


@pytest.fixture
def runtime_for_gpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An ONNX Runtime that says it has a GPU; lists what is asked of it."""
    asked: list[str] = []

    def preload() -> None:
        print("Failed to load libcublas.so: not here")
        asked.append("preload")

    def session(path: str, _options: object, providers: list[str]) -> object:
        asked.append(providers[0])
        return SimpleNamespace(get_providers=lambda: providers)

    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    return asked


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_gpus_libraries_are_loaded_before_its_session(
    runtime_for_gpus: list[str], capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    open_session(Path("things.onnx"), wanted, "the weights")
    assert runtime_for_gpus == ["preload", "CUDAExecutionProvider"]
    assert capsys.readouterr().out == ""


def test_the_cpu_loads_none(runtime_for_gpus: list[str]) -> None:
    open_session(Path("things.onnx"), "cpu", "the weights")
    assert runtime_for_gpus == ["CPUExecutionProvider"]


def test_an_older_runtime_that_cannot_load_them_is_asked_all_the_same(
    runtime_for_gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(onnxruntime, "preload_dlls")
    open_session(Path("things.onnx"), "auto", "the weights")
    assert runtime_for_gpus == ["CUDAExecutionProvider"]


def test_a_runtime_without_gpus_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingDependencyError, match=r"objsearch\[gpu\]"):
        open_session(Path("things.onnx"), "cuda", "the weights")


def test_searches_of_one_process_share_a_session(
    runtime_for_gpus: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "things.onnx"
    path.write_bytes(b"one")
    first = open_session(path, "cpu", "the weights")
    assert open_session(path, "cpu", "the weights") is first
    assert open_session(path, "cuda", "the weights") is not first
    path.write_bytes(b"another")
    assert open_session(path, "cpu", "the weights") is not first
    assert runtime_for_gpus.count("CPUExecutionProvider") == 2
