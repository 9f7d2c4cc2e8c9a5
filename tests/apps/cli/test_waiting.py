"""Waiting: something to see at once, the seconds really waited, and Ctrl-C heard."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from objsearch.apps.cli.waiting import Stopwatch
from objsearch.search.pipeline import ObjectSearch
from tests.apps.cli.conftest import Cli

pty = pytest.importorskip("pty", reason="a terminal of our own")

# A shell without job control starts what it puts in the background deaf to Ctrl-C, and so would be
# all that tests start from there. A terminal hears it.
COMMAND = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from objsearch.apps.cli import main; main()",
)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, words: tuple[object, ...], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "COLUMNS": "100", "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""

    def until(self, is_enough: Callable[[str], bool], seconds: float = 120) -> None:
        """Read on until enough is shown, or the command has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not is_enough(self.text):
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self._master, 65536).decode("utf-8", "replace")
                except OSError:  # the other side is closed
                    return
            elif self.process.poll() is not None:
                return

    def close(self) -> None:
        self.process.wait(60)
        os.close(self._master)


def test_something_is_shown_before_anything_is_loaded(
    photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    words = ("find", queries / "palace.jpg", "--in", photos / "coins.png", "--preset", "fast")
    started = time.monotonic()
    terminal = Terminal(words, clean_environment)
    terminal.until(lambda text: "starting" in text)
    assert time.monotonic() - started < 2  # 0.3 s on an idle machine
    assert "describing" not in terminal.text
    terminal.until(lambda text: "skipped" in text)
    terminal.close()
    assert re.search(r"describ\w+ .*\d s", terminal.text)


def test_a_bar_tells_what_is_done_how_fast_and_what_is_left(
    photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    words = (
        "find",
        queries / "palace.jpg",
        "--in",
        photos,
        "--forget",
        "--preset",
        "fast",
        "--workers",
        1,
    )
    terminal = Terminal(words, clean_environment)
    terminal.until(lambda text: "palace_copy" in text)
    terminal.close()
    assert re.search(r"describe .* 0/32 ", plain(terminal.text))
    assert re.search(r"describe .* \d+/32 +[\d.]+/s +\d+ s +\d:\d\d:\d\d", plain(terminal.text))


def plain(text: str) -> str:
    """Without colours and movements of the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_is_heard_in_the_middle_of_the_work(
    workers: int, photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    words = ("find", queries / "palace.jpg", "--in", photos, "--forget", "--workers", workers)
    # 0.1 s on an idle machine, where all pictures take longer. Other work may hold up any one try.
    assert any(seconds_to_stop(words, clean_environment) < 2 for _ in range(3))


def seconds_to_stop(words: tuple[object, ...], environment: dict[str, str]) -> float:
    """How long a command goes on after Ctrl-C, that comes while it describes."""
    terminal = Terminal(words, environment)
    terminal.until(lambda text: "describe " in text or "describing" in text)
    time.sleep(0.3)
    started = time.monotonic()
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.until(lambda text: "stopped" in text)
    terminal.close()
    waited = time.monotonic() - started
    assert terminal.process.returncode == 130
    assert "Traceback" not in terminal.text
    assert terminal.text.rstrip().endswith("error: stopped; no file is left half written")
    return waited


def test_seconds_shown_are_seconds_waited(
    cli: Cli, config: Path, photos: Path, queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ObjectSearch.add

    def slow(self: ObjectSearch, *sources: object, **options: object) -> ObjectSearch:
        time.sleep(0.3)  # describing counts as much as searching
        return real(self, *sources, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ObjectSearch, "add", slow)
    base = ("find", queries / "palace.jpg", "--in", photos / "coins.png", "--config", config)
    assert cli(*base, "--json").data["elapsed_seconds"] >= 0.3
    shown = re.search(r"([0-9.]+) s\s*$", cli(*base).out)
    assert shown and float(shown[1]) >= 0.3


def test_laps_add_up() -> None:
    watch = Stopwatch()
    time.sleep(0.05)
    first = watch.lap()
    time.sleep(0.05)
    second = watch.lap()
    assert first >= 0.05 and second >= 0.05
    assert first + second <= watch.seconds + 1e-9
