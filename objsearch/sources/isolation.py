"""Readers in a process of their own: PDF, video, drawings and plug-ins, which can hang or crash.

A process is started when it is first needed, serves one request after another, and is ended when it
overruns its time, dies, or has served long. Its answers are a line of JSON each, and pixels.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, Part

ISOLATED_KINDS = ("PDF", "VIDEO", "WMF", "EMF", "SVG", "HEIF", "JXL", "RAW")

# Readers keep caches and leak a little.
_MAX_REQUESTS = 300
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent

Reply = tuple[Part, Decoded | UnreadableImageError | None]
"""A picture or the reason why not; None for a part that is only listed."""


def replies(request: Mapping[str, Any], limits: Limits) -> Generator[Reply, None, None]:
    """What a reader process answers, each answer within `timeout_seconds` of the one before.

    Raises UnreadableImageError when the process dies or overruns its time.
    """
    process = _lease()
    is_fit = False
    try:
        process.ask({**request, "limits": asdict(limits)})
        # A fresh process loads its libraries first.
        seconds = limits.timeout_seconds + (_START_SECONDS if process.n_requests == 1 else 0)
        while (reply := process.next_reply(seconds)) is not None:
            yield reply
        is_fit = not process.is_worn
    finally:
        if is_fit:
            _give_back(process)
        else:
            process.stop()


_START_SECONDS = 20.0


class _ReaderProcess:
    def __init__(self) -> None:
        paths = [str(_PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._popen = subprocess.Popen(
            # -P: the folder of somebody's images is no place to import modules from.
            [sys.executable, "-P", "-m", "objsearch.sources.reader_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._overran = threading.Event()
        self.n_requests = 0
        self._must_end = False

    @property
    def is_worn(self) -> bool:
        return self._must_end or self.n_requests >= _MAX_REQUESTS

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: Mapping[str, Any]) -> None:
        self.n_requests += 1
        with suppress(OSError):  # it may have died; reading will say so
            stdin = _pipe(self._popen.stdin)
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()

    def next_reply(self, seconds: float) -> Reply | None:
        """The next answer; None: that was all. Raises UnreadableImageError when there is none."""
        watch = threading.Timer(seconds, self._overrun)
        watch.daemon = True
        watch.start()
        try:
            return self._read_reply()
        except (ValueError, OSError):  # the line or the pixels broke off
            raise UnreadableImageError(self._cause_of_death(seconds)) from None
        finally:
            watch.cancel()

    def _read_reply(self) -> Reply | None:
        stdout = _pipe(self._popen.stdout)
        header = json.loads(stdout.readline())
        while header.get("tick"):
            header = json.loads(stdout.readline())
        if header.get("end"):
            self._must_end = header.get("worn", False)
            return None
        part = Part(header["page"], header["frame"], header["seconds"])
        if "reason" in header:
            return part, UnreadableImageError(header["reason"])
        if "shape" not in header:
            return part, None
        shape = header["shape"]
        pixels = _filled(shape, stdout)
        alpha = _filled(shape[:2], stdout) if header["has_alpha"] else None
        red, green, blue = header["ground"]
        said = tuple(header["warnings"])
        return part, Decoded(pixels, header["format"], said, alpha, (red, green, blue))

    def _overrun(self) -> None:
        self._overran.set()
        self._kill()

    def _kill(self) -> None:
        if self._popen.returncode is not None:
            return  # its number may be another's by now
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._popen.pid, signal.SIGKILL)  # and the programs it has started
            else:
                self._popen.kill()

    def _cause_of_death(self, seconds: float) -> str:
        self.stop()
        if self._overran.is_set():
            return f"it takes longer than {seconds:g} seconds to decode"
        code = self._popen.returncode
        name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return f"it makes its decoder crash ({name})"

    def stop(self) -> None:
        self._kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):
                _pipe(pipe).close()


def _filled(shape: Sequence[int], stdout: IO[bytes]) -> NDArray[np.uint8]:
    array = np.empty(shape, np.uint8)
    view = array.data.cast("B")
    filled = 0
    while filled < len(view):
        n_read = stdout.readinto(view[filled:])  # type: ignore[attr-defined]
        if not n_read:
            raise OSError("the pixels broke off")
        filled += n_read
    return array


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


_idle: list[_ReaderProcess] = []
_lock = threading.Lock()


def _lease() -> _ReaderProcess:
    while True:
        with _lock:
            process = _idle.pop() if _idle else None
        if process is None:
            return _ReaderProcess()
        if process.is_alive:
            return process
        process.stop()


def _give_back(process: _ReaderProcess) -> None:
    with _lock:
        _idle.append(process)


def stop_all() -> None:
    """End the reader processes that wait for work; the next request starts one anew."""
    with _lock:
        waiting, _idle[:] = list(_idle), []
    for process in waiting:
        process.stop()


atexit.register(stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # the pipes belong to the parent
