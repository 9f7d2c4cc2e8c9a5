"""One process for many commands: to start one for each takes longer than what they do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Self

TIMEOUT = 280
LOOP = """
import contextlib, io, json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # what is printed past Python is no answer
from objsearch.apps.cli import main
for line in sys.stdin:
    asked = json.loads(line)
    os.chdir(asked["cwd"])
    sys.argv = ["objsearch", *asked["words"]]
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


class Commands:
    """A process that runs `objsearch ...` again and again; `first` is code that it begins with.

    What it says past Python's own streams goes to the error output of the tests.
    """

    def __init__(self, environment: Mapping[str, str], first: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", first + LOOP],
            env={**environment, "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A command that hangs would keep its process from seeing that nobody asks any more.
        self._process.kill()
        self._process.communicate()

    def run(self, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """What a command left behind, as of a process of its own."""
        asked = [*map(str, words)]
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        hangs = Timer(TIMEOUT, self._process.kill)
        hangs.start()
        stdin.write(json.dumps({"words": asked, "cwd": str(cwd)}) + "\n")
        stdin.flush()
        line = stdout.readline()
        hangs.cancel()
        assert line, f"the process ended at {asked}, or did not within {TIMEOUT} seconds"
        code, out, err = json.loads(line)
        return subprocess.CompletedProcess(asked, code, out, err)
