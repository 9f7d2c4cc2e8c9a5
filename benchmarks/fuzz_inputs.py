"""What becomes of damaged files? Mutates one file a format and prints a Markdown table.

    python benchmarks/fuzz_inputs.py [--inputs 20000] [--seed 1] [--kinds png,pdf]

Each input goes through `read_image`, the door of every image, and every third one through `unfold`,
page by page and frame by frame. It must come out as a picture or as a reason, in good time; a dead
process, another exception or a picture over the limit is a failure, and its input is written to
`fuzz-failures/`. The inputs are decoded by a process of their own, which is started anew after the
one that kills it. What took longer than its time is read once more: the machine may have had
other work.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image as PillowImage  # noqa: E402

from objsearch.images.decode import Limits  # noqa: E402
from objsearch.sources import Place, Reading, read_image, unfold  # noqa: E402
from objsearch.types import Image, ImageRef, Unreadable  # noqa: E402
from tests.images import files  # noqa: E402

LIMITS = Limits(max_megapixels=20)
LOCK = threading.Lock()
SLOW_SECONDS = 2 * LIMITS.timeout_seconds
REDUCED = 64
"""Pixels of the longer side that every other input is asked for: a codec may leave out the rest."""
MAX_PARTS = 10
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass
class Row:
    """One line of the table."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def seeds() -> dict[str, bytes]:
    """One file a format, and animations."""
    made = dict(files.every_format())
    for kind in ("GIF", "WEBP", "PNG"):
        made[f"animated.{kind.lower()}"] = files.animation(files.numbered(3, (60, 40)), kind)
    gray = files.pixels()[:96, :128, 1]
    made["lossless.jpg"] = files.lossless_jpeg(gray)
    for name, mode, options in (
        ("cmyk.jpg", "CMYK", {}),
        ("restarts.jpg", "RGB", {"restart_marker_rows": 1}),
        ("gray.jpg", "L", {"progressive": True}),
    ):
        stream = io.BytesIO()
        PillowImage.fromarray(files.pixels()).convert(mode).save(stream, "JPEG", **options)
        made[name] = stream.getvalue()
    return made


def mutated(name: str, number: int, seed: int, made: dict[str, bytes]) -> bytes:
    """Input `number` of a format: the same for the same seed."""
    rng = random.Random(f"{seed}:{name}:{number}")
    data = bytearray(made[name])
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        if data:
            rng.choice(MUTATIONS)(data, rng, made)
    return _summed_anew(bytes(data)) if rng.random() < 0.5 else bytes(data)


def _summed_anew(data: bytes) -> bytes:
    """A PNG with right checksums, so that its decoder looks further than those."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        stop = place + 8 + int.from_bytes(data[place : place + 4], "big")
        if stop + 4 > len(data):
            break
        checksum = zlib.crc32(data[place + 4 : stop])
        parts += [data[place:stop], checksum.to_bytes(4, "big")]
        place = stop + 4
    return b"".join([*parts, data[place:]])


def _place(data: bytearray, rng: random.Random) -> int:
    """Anywhere, and every other time near the beginning, where headers are."""
    return rng.randrange(min(len(data), 512) if rng.random() < 0.5 else len(data))


def _flip(data: bytearray, rng: random.Random, _: object) -> None:
    data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _set_number(data: bytearray, rng: random.Random, _: object) -> None:
    size = rng.choice((1, 2, 4))
    value = rng.choice(INTERESTING) & ((1 << 8 * size) - 1)
    start = _place(data, rng)
    data[start : start + size] = value.to_bytes(size, rng.choice(("big", "little")))


def _cut(data: bytearray, rng: random.Random, _: object) -> None:
    del data[_place(data, rng) :]


def _cut_in_a_marker(data: bytearray, rng: random.Random, _: object) -> None:
    """Behind one of the last bytes that begin a marker of a JPEG, or half of one."""
    places = [place for place, value in enumerate(data) if value == 0xFF][-40:]
    if places:
        del data[rng.choice(places) + rng.randrange(1, 3) :]


def _take_out(data: bytearray, rng: random.Random, _: object) -> None:
    start = _place(data, rng)
    del data[start : start + rng.randrange(1, 300)]


def _double(data: bytearray, rng: random.Random, _: object) -> None:
    start = _place(data, rng)
    data[start:start] = data[start : start + rng.randrange(1, 3000)]


def _noise(data: bytearray, rng: random.Random, _: object) -> None:
    start = _place(data, rng)
    data[start : start + 8] = rng.randbytes(rng.randrange(1, 64))


def _graft(data: bytearray, rng: random.Random, made: dict[str, bytes]) -> None:
    other = made[rng.choice(sorted(made))]
    start = rng.randrange(len(other))
    place = _place(data, rng)
    data[place : place + 200] = other[start : start + rng.randrange(1, 2000)]


MUTATIONS = (
    *(_flip, _flip, _set_number, _set_number, _cut, _cut_in_a_marker),
    *(_take_out, _double, _noise, _graft),
)


def work(seed: int) -> None:
    """Read `name number` lines, decode those inputs, answer with a line each."""
    os.environ["PATH"] = ""  # the renderers of this system are not ours to test
    made = seeds()
    print("ready", flush=True)
    for line in sys.stdin:
        name, number = line.split()
        data = mutated(name, int(number), seed, made)
        place = Place(ImageRef("<bytes:1>"), data)
        long_side = REDUCED if int(number) % 2 else None
        outcome, seconds = timed(place, long_side)
        if seconds > LIMITS.timeout_seconds:
            outcome, seconds = timed(place, long_side)
        if int(number) % 3 == 0 and outcome in ("picture", "reason"):
            outcome = outcome_of_parts(place) or outcome
        print(json.dumps([outcome, seconds]), flush=True)


def timed(place: Place, long_side: int | None) -> tuple[str, float]:
    """What comes out of reading, and after how many seconds."""
    started = time.monotonic()
    outcome = judged(read_image(place, Reading(LIMITS), long_side=long_side))
    return outcome, time.monotonic() - started


def judged(result: Image | Unreadable) -> str:
    """A word for what came out; failures are in capitals."""
    if isinstance(result, Image):
        wide = result.pixels.shape[0] * result.pixels.shape[1] > LIMITS.max_megapixels * 1.1e6
        return "OVER THE LIMIT" if wide else "picture"
    if "\n" in result.reason or not result.reason:
        return "NO SENTENCE"
    if "crash" in result.reason:
        return "reader crashed"
    return "reader overran" if "longer than" in result.reason else "reason"


def outcome_of_parts(place: Place) -> str:
    """What is worse than a reason among its pages, embedded images and frames."""
    reading = Reading(LIMITS, frames="all", embedded_images=True)
    for one in islice(unfold([place], reading), MAX_PARTS):
        outcome = judged(one if isinstance(one, Unreadable) else read_image(one, reading))
        if outcome not in ("picture", "reason"):
            return outcome
    return ""


class Worker:
    """The decoding process, and the next one when it dies."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._start()

    def _start(self) -> None:
        command = [sys.executable, __file__, "--work", "--seed", str(self._seed)]
        self._popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._popen.stdout is not None
        self._popen.stdout.readline()

    def outcome(self, name: str, number: int) -> tuple[str, float]:
        assert self._popen.stdin is not None and self._popen.stdout is not None
        started = time.monotonic()
        self._popen.stdin.write(f"{name} {number}\n".encode())
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        if line:
            outcome, seconds = json.loads(line)
            return ("TOO SLOW" if seconds > SLOW_SECONDS else outcome), seconds
        code = self.close()
        self._start()
        return f"DIED ({code})", time.monotonic() - started

    def close(self) -> int:
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.stdout.close()
        return self._popen.wait()


def run(n_inputs: int, seed: int, kinds: list[str], n_workers: int) -> dict[str, Row]:
    """Spread the inputs evenly over the formats."""
    made = {name: data for name, data in seeds().items() if not kinds or name in kinds}
    rows = {name: Row() for name in made}

    def work_through(first: int) -> None:
        worker = Worker(seed)
        for number in range(first, n_inputs, n_workers):
            name = sorted(made)[number % len(made)]
            outcome, seconds = worker.outcome(name, number)
            with LOCK:
                count(rows[name], outcome, seconds)
            if outcome.split()[0].isupper():
                keep(f"{number}-{name}", outcome, mutated(name, number, seed, seeds()))
        worker.close()

    with ThreadPoolExecutor(n_workers) as pool:
        list(pool.map(work_through, range(n_workers)))
    return rows


def count(row: Row, outcome: str, seconds: float) -> None:
    row.inputs += 1
    row.outcomes[outcome] += 1
    row.slowest = max(row.slowest, seconds)


def keep(name: str, outcome: str, data: bytes) -> None:
    print(f"{name}: {outcome}", file=sys.stderr, flush=True)
    folder = Path("fuzz-failures")
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def table(rows: dict[str, Row]) -> str:
    """Markdown, a row a format and one for all; failures are in capitals."""
    total = Row()
    for row in rows.values():
        total.inputs += row.inputs
        total.outcomes += row.outcomes
        total.slowest = max(total.slowest, row.slowest)
    columns = ["picture", "reason", "reader crashed", "reader overran"]
    columns += sorted(set(total.outcomes) - set(columns))
    lines = [
        "| format | inputs | " + " | ".join(columns) + " | slowest, s |",
        "| --- " * (len(columns) + 3) + "|",
    ]
    for name, row in [*sorted(rows.items()), ("all", total)]:
        counts = " | ".join(str(row.outcomes[column]) for column in columns)
        lines.append(f"| {name} | {row.inputs} | {counts} | {row.slowest:.2f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="", help="names of seed files, separated by commas")
    parser.add_argument("--workers", type=int, default=1, help="inputs decoded at a time")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.seed)
        return 0
    kinds = [kind for kind in options.kinds.split(",") if kind]
    rows = run(options.inputs, options.seed, kinds, options.workers)
    print(table(rows))
    failed = [name for row in rows.values() for name in row.outcomes if name.split()[0].isupper()]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
