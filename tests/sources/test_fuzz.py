"""A few hundred damaged files through every decoder; the benchmark program does many thousands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_damaged_files_come_out_as_a_picture_or_a_reason(tmp_path: Path, root: Path) -> None:
    """In a process of its own: a decoder that crashes must not take the tests with it."""
    program = root / "benchmarks" / "fuzz_inputs.py"
    ran = subprocess.run(
        [sys.executable, str(program), "--inputs", "160", "--seed", "20"],
        capture_output=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout.decode() + ran.stderr.decode()[-2000:]
    assert b"| all | 160 |" in ran.stdout
