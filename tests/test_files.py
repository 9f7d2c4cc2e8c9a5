"""Files appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from objsearch.files import write_whole


def test_parts_are_put_together_and_lines_end_alike_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_whole(path, ["eins\n", "zwei ü\n"])
    assert path.read_bytes() == "eins\nzwei ü\n".encode()
    write_whole(str(path), iter(["new"]))
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def parts() -> Iterator[str]:
        yield "half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_whole(path, parts())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", ["new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_whole(pipe, ["one ", "two"])
    reader.join(10)
    assert read == ["one two"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no such device here")
@pytest.mark.parametrize("redirected", [True, False])
def test_standard_output_gets_the_page_and_keeps_what_others_print(
    tmp_path: Path, redirected: bool
) -> None:
    program = (
        "from objsearch.files import write_whole\n"
        "print('before', flush=True)\n"
        "write_whole('/dev/stdout', ['page\\n'])\n"
    )
    path = tmp_path / "printed"
    with path.open("w") as stream:
        where = stream if redirected else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", program], stdout=where, check=True, text=True)
    assert (path.read_text() if redirected else done.stdout) == "before\npage\n"
