"""What does describing cost? Processor seconds a photo, beside another checkout, in one run.

    python benchmarks/speed.py EVAL_DIR [--photos 300] [--presets default,fast] [--before CHECKOUT]

EVAL_DIR holds photos, from which as many of 1280 x 960 pixels are made. What is counted is
processor time of all threads and processes, which other work on a machine hardly changes; wall time
is told for two workers. Every figure is of a process of its own. `--before` is a checkout of an
earlier commit; `--peer NAME=COMMAND` runs a shell command with the folder in place of {folder}.
`--stages` tells what each stage takes, here alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage
from PIL import ImageOps

SIZE_WH = (1280, 960)

DESCRIBE = """
import json, resource, sys, time
from objsearch import ObjectSearch
preset, workers, *places = sys.argv[1:]
search = ObjectSearch.open(preset, {"run.workers": int(workers)})
started = time.perf_counter()
search.add(*places)
wall = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall": wall, "peak": peak, "count": len(search.index)}))
"""
FIND = """
import sys
from objsearch import ObjectSearch
preset, query, *places = sys.argv[1:]
ObjectSearch.open(preset).add(*places).find(query, threshold=0.0)
"""


@dataclass(frozen=True)
class Spent:
    """Processor and wall seconds of a process and its children, and what it printed."""

    processor: float
    wall: float
    printed: str


def made_photos(folder: Path, count: int, into: Path) -> list[Path]:
    """JPEG photos of 1280 x 960 out of those in a folder, the same for the same folder."""
    every = sorted(folder.rglob("*.jpg"))
    chosen = random.Random(0).sample(every, min(count, len(every)))
    made = []
    for number, path in enumerate(chosen):
        with PillowImage.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
        made.append(into / f"{number:04d}.jpg")
        ImageOps.fit(upright, SIZE_WH).save(made[-1], quality=90)
    return made


def spent(command: Sequence[str], checkout: Path | None = None) -> Spent:
    """Run a command to its end; raises CalledProcessError where it fails."""
    environment = {**os.environ, **({"PYTHONPATH": str(checkout)} if checkout else {})}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # Not from here: what lies in the working folder would be imported first.
    done = subprocess.run(
        command, env=environment, cwd=checkout, check=True, capture_output=True, text=True
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(processor, wall, done.stdout)


def described(checkout: Path, preset: str, photos: Sequence[Path], workers: int) -> Spent:
    """Photos described by the code of a checkout."""
    places = [str(path) for path in photos]
    return spent([sys.executable, "-c", DESCRIBE, preset, str(workers), *places], checkout)


def row(name: str, checkout: Path, preset: str, photos: Sequence[Path]) -> list[str]:
    """What one checkout takes with one preset: start-up, a photo, a photo waited for, memory."""
    first = described(checkout, preset, photos[:1], 1)
    every = described(checkout, preset, photos, 1)
    n_more = len(photos) - 1
    waited = json.loads(described(checkout, preset, photos, 2).printed)
    query = [sys.executable, "-c", FIND, preset, str(photos[0])]
    among = spent([*query, *map(str, photos[1:31])], checkout)
    return [
        f"{preset}, {name}",
        f"{(every.processor - first.processor) / n_more * 1000:.0f}",
        f"{waited['count'] / waited['wall']:.1f}",
        f"{first.processor:.2f}",
        f"{among.processor:.2f}",
        f"{waited['peak']:.0f}",
    ]


def pillow(photos: Sequence[Path]) -> float:
    """Processor seconds a photo of decoding and resizing alone."""
    started = time.process_time()
    for path in photos:
        with PillowImage.open(path) as picture:
            picture.convert("RGB").resize((640, 480))
    return (time.process_time() - started) / len(photos)


def stages(preset: str, photos: Sequence[Path]) -> dict[str, float]:
    """Processor milliseconds a photo in each stage, on this one thread."""
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.settings import load_settings
    from objsearch.sources import Place, expand
    from objsearch.types import Image

    describer = ObjectSearch(load_settings(preset)).describer
    taken: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        done = work()
        taken[name] = taken.get(name, 0.0) + (time.process_time() - started) / len(photos) * 1000
        return done

    places = [one for one in expand([str(path) for path in photos]) if isinstance(one, Place)]
    first = describer.read_working(places[0])
    assert isinstance(first, Image)
    describer.describe([first])  # models load on first use
    for place in places:
        image = timed("read", lambda place=place: describer.read_working(place))
        found = timed("detect", lambda image=image: describer.detector.propose(image))
        for channel in describer.settings.descriptors:
            timed(
                f"extract {channel.alias}",
                lambda channel=channel, image=image, found=found: describer._descriptors(
                    channel, image, found
                ),
            )
        timed("describe, all", lambda image=image: describer.describe([image]))
    return taken


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table."""
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
    for cells in rows:
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print a table of presets and checkouts, and one of stages where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--presets", default="default,whole-image,fast,copies")
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--stages", action="store_true")
    given = parser.parse_args()
    checkouts = {"now": Path(__file__).resolve().parents[1]}
    if given.before:
        checkouts = {"before": given.before.resolve(), **checkouts}
    with tempfile.TemporaryDirectory() as name:
        photos = made_photos(given.folder, given.photos, Path(name))
        print(f"{len(photos)} photos of {SIZE_WH[0]} x {SIZE_WH[1]}; decoded and resized by Pillow")
        print(f"{pillow(photos) * 1000:.0f} ms of processor time each\n")
        rows = [
            row(name, checkout, preset, photos)
            for preset in filter(None, given.presets.split(","))
            for name, checkout in checkouts.items()
        ]
        for peer in given.peer:
            title, _, command = peer.partition("=")
            folder = str(photos[0].parent)
            done = spent([part.replace("{folder}", folder) for part in shlex.split(command)])
            each = done.processor / len(photos) * 1000
            cells = [f"{each:.0f}, start included", f"{len(photos) / done.wall:.1f}"]
            rows.append([title, *cells, "-", "-", "-"])
        heads = ["what", "CPU ms a photo", "photos/s, 2 workers", "first photo, CPU s"]
        print_table([*heads, "one against 30, CPU s", "peak MB"], rows)
        if given.stages:
            for preset in filter(None, given.presets.split(",")):
                print(f"\n{preset}\n")
                taken = stages(preset, photos)
                print_table(["stage", "CPU ms"], [[k, f"{v:.1f}"] for k, v in taken.items()])


if __name__ == "__main__":
    main()
