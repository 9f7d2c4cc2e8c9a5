"""Files appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from objsearch.files import beginning_of, is_below_record, write_own, write_whole
from objsearch.sources.own_files import own_names


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


def test_nobody_elses_file_is_written_through(tmp_path: Path) -> None:
    """Neither what lies at the name of an unfinished file, nor what a link there leads to."""
    own, path = tmp_path / "own.txt", tmp_path / "page.html"
    own.write_text("own")
    before = set(tmp_path.iterdir())

    def parts() -> Iterator[str]:
        (unfinished,) = set(tmp_path.iterdir()) - before
        assert not unfinished.name.endswith(f".{os.getpid()}.part")  # nobody foretells it
        yield "new"

    write_whole(path, parts())
    assert path.read_text() == "new"


def test_a_link_in_a_folder_of_ours_leads_nowhere(tmp_path: Path) -> None:
    own, record = tmp_path / "own.txt", tmp_path / "index.json"
    own.write_text("own")
    record.symlink_to(own)
    write_own(record, "{}")
    assert own.read_text() == "own"
    assert record.read_text() == "{}" and not record.is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_what_is_for_one_reader_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o600)
    write_whole(path, ["new"])
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["settings.json", "index.json", "manifest.json"])
def test_a_pipe_by_the_name_of_a_record_is_not_waited_for(name: str, tmp_path: Path) -> None:
    """Walking a folder looks into files of these names."""
    os.mkfifo(tmp_path / name)
    assert beginning_of(tmp_path / name, 100) == b""
    assert not is_below_record(str(tmp_path), name, "a/1")
    assert own_names(str(tmp_path), {name}) == set()
