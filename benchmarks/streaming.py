"""Does memory stay bounded, however long a PDF or a video is? Prints a Markdown table.

    python benchmarks/streaming.py [--pages 300] [--minutes 10]

Makes a PDF and a video, a short one and one of thrice the length of each, and goes through all
their pages and frames as `ObjectSearch.add` does, each file in a process of its own. Peak memory is
the kernel's (maximum resident set): of the process itself, and of the reader process that decodes
for it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pymupdf

from objsearch.flow import ordered_map
from objsearch.sources import Place, Reading, expand, read_image, unfold
from objsearch.sources.isolation import stop_all
from objsearch.types import Image, Pixels, Unreadable

FRAMES_A_SECOND = 10
FRAME_WH = (160, 120)
PAGE_WH = (400, 300)
N_SHORT_PAGES, N_SHORT_FRAMES = 6, 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--through", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.through:
        print(json.dumps(gone_through(given.through)))
        return 0
    n_frames = round(given.minutes * 60 * FRAMES_A_SECOND)
    print("| file | MB | pictures | MB of pixels | peak MB | of the reader | seconds |")
    print("| --- " * 7 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for make, name, counts in (
            (make_pdf, "pages.pdf", (N_SHORT_PAGES, given.pages, 3 * given.pages)),
            (make_video, "film.avi", (N_SHORT_FRAMES, n_frames, 3 * n_frames)),
        ):
            for n in counts:
                path = Path(folder) / name
                make(path, n)
                print(row(f"{name}, {n:,}", path), flush=True)
    return 0


def row(name: str, path: Path) -> str:
    command = [sys.executable, __file__, "--through", str(path)]
    seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    cells = [name, f"{path.stat().st_size / 1e6:.1f}", str(seen["n"]), f"{seen['pixels']:,.0f}"]
    return f"| {' | '.join(cells)} | {seen['own']:.0f} | {seen['reader']:.0f} | {seen['s']:.0f} |"


def gone_through(path: str) -> dict[str, float]:
    """Every page and frame, read on two threads as a search reads references."""
    started = time.monotonic()
    reading = Reading(frames="all")
    n, n_bytes = 0, 0

    def read(place: Place | Unreadable) -> Image:
        image = read_image(place, reading) if isinstance(place, Place) else place
        assert isinstance(image, Image), image
        return image

    for image in ordered_map(read, unfold(expand(path), reading), workers=2):
        n, n_bytes = n + 1, n_bytes + image.pixels.nbytes
    stop_all()
    own, reader = (
        resource.getrusage(who).ru_maxrss / 1e3
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    seconds = time.monotonic() - started
    return {"n": n, "pixels": n_bytes / 1e6, "own": own, "reader": reader, "s": seconds}


def pictures(n: int, size_wh: tuple[int, int]) -> Iterator[Pixels]:
    """Noise that changes a little from one to the next."""
    rng = np.random.default_rng(1)
    width, height = size_wh
    base = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    large = cv2.resize(base, size_wh)
    for k in range(n):
        yield np.roll(large, k, axis=1)


def make_pdf(path: Path, n_pages: int) -> None:
    with pymupdf.open() as document:
        for pixels in pictures(n_pages, PAGE_WH):
            page = document.new_page(width=PAGE_WH[0], height=PAGE_WH[1])
            encoded = cv2.imencode(".jpg", pixels)[1].tobytes()
            page.insert_image(page.rect, stream=encoded)
        document.save(path)


def make_video(path: Path, n_frames: int) -> None:
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, FRAMES_A_SECOND, FRAME_WH)
    for pixels in pictures(n_frames, FRAME_WH):
        writer.write(np.ascontiguousarray(pixels))
    writer.release()


if __name__ == "__main__":
    sys.exit(main())
