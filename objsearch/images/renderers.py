"""Second renderers of metafiles: programs on PATH, run with a time limit and without network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, Part, decode
from objsearch.images.pdf import PdfReader
from objsearch.types import Pixels

_NEARLY_WHITE = 250


class TriedInVainError(UnreadableImageError):
    """No program could draw it, and one may not have ended with us."""


def render(data: bytes, kind: str, size_wh: tuple[int, int], limits: Limits) -> Pixels | None:
    """The drawing by the first program that draws it; None when there is none on PATH.

    Raises TriedInVainError when none of those that are there can draw it.
    """
    tried = []
    for name, run in (("inkscape", _by_inkscape), ("soffice", _by_libreoffice)):
        program = shutil.which(name)
        if program is None:
            continue
        with tempfile.TemporaryDirectory(prefix="objsearch-") as folder:
            source = Path(folder) / f"drawing.{kind.lower()}"
            source.write_bytes(data)
            pixels = run(program, source, size_wh, limits)
        if pixels is not None and int(pixels.min()) < int(pixels.max()):
            return pixels
        tried.append(name)
    if tried:
        raise TriedInVainError(f"it cannot be drawn, nor by {' or '.join(tried)}")
    return None


def missing(kind: str) -> str:
    """What to install for a second try."""
    return f"Inkscape or LibreOffice on PATH would be asked to draw this {kind} file"


def _by_inkscape(
    program: str, source: Path, size_wh: tuple[int, int], limits: Limits
) -> Pixels | None:
    target = source.with_suffix(".png")
    size = (f"--export-width={size_wh[0]}", f"--export-height={size_wh[1]}")
    _run([program, f"--export-filename={target}", *size, str(source)], source.parent, limits)
    return decode(target.read_bytes(), limits=limits).pixels if target.is_file() else None


def _by_libreoffice(
    program: str, source: Path, size_wh: tuple[int, int], limits: Limits
) -> Pixels | None:
    profile = f"-env:UserInstallation={(source.parent / 'profile').as_uri()}"
    wanted = ["--headless", "--norestore", "--convert-to", "pdf", "--outdir", str(source.parent)]
    _run([program, profile, *wanted, str(source)], source.parent, limits)
    target = source.with_suffix(".pdf")
    if not target.is_file():
        return None
    page = PdfReader().read_part(str(target), str(target), Part(page=1), limits)
    return _trimmed(page.pixels)


def _run(command: list[str], folder: Path, limits: Limits) -> None:
    """Run a program in a folder of its own; what it says and how it ends is of no interest."""
    kept = {
        key: os.environ[key] for key in ("PATH", "LANG", "LD_LIBRARY_PATH") if key in os.environ
    }
    homes = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    try:
        subprocess.run(
            [*_without_network(), *command],
            cwd=folder,
            env={**kept, **dict.fromkeys(homes, str(folder))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=0.9 * limits.timeout_seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return


@cache
def _without_network() -> tuple[str, ...]:
    """A prefix that takes the network away, where this system lets us."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    prefix = (program, "--map-root-user", "--net")
    fine = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if fine else ()


def _trimmed(pixels: Pixels) -> Pixels | None:
    """Without the white of the page around a drawing."""
    drawn = pixels.min(axis=2) < _NEARLY_WHITE
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if len(rows) == 0:
        return None
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(cut)
