"""What `make check` says of modules and functions that are too long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def sizes(root: Path, package: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / ".ci" / "sizes.py"), str(package)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def function(n_lines: int, signature: str = "def f():") -> str:
    return "\n".join([signature, *["    pass"] * (n_lines - 1)]) + "\n"


def test_the_package_keeps_to_its_sizes(root: Path) -> None:
    result = sizes(root, root / "objsearch")
    assert result.returncode == 0, result.stdout


def test_what_is_too_long_is_named(root: Path, tmp_path: Path) -> None:
    package = tmp_path / "objsearch"
    (package / "apps" / "cli").mkdir(parents=True)
    (package / "long.py").write_text("x = 1\n" * 301)
    (package / "fits.py").write_text("x = 1\n" * 260 + function(40))
    (package / "function.py").write_text(function(41))
    declared = "def f(\n" + "    a=1,\n" * 60 + "):"
    (package / "apps" / "cli" / "command.py").write_text(declared + "\n" + "    pass\n" * 40)
    (package / "apps" / "cli" / "body.py").write_text(declared + "\n" + "    pass\n" * 41)
    result = sizes(root, package)
    assert result.returncode == 1
    named = [line for line in result.stdout.splitlines() if "over" in line]
    assert named == [
        "objsearch/apps/cli/body.py: f: 41 lines, over 40",
        "objsearch/function.py: f: 41 lines, over 40",
        "objsearch/long.py: 301 lines, over 300",
    ]
