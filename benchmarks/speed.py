"""Where does the time go? Photos a second of each stage, beside plainly decoding and resizing them.

    python benchmarks/speed.py examples/photos [--workers 2] [--preset default]

The unit is one photo decoded and resized to 640 pixels with Pillow, on one thread of the same run:
machines differ and are noisy, ratios less. Stages run on one thread; the whole on all workers.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from objsearch.describe.base import crop_of
from objsearch.flow import default_workers
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.sources import Place, expand
from objsearch.types import Image


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def decode_and_resize(places: Sequence[Place]) -> None:
    """The unit of all figures."""
    for place in places:
        with PillowImage.open(place.ref.uri) as picture:
            picture.convert("RGB").resize((640, 480))


def stages(search: ObjectSearch, places: Sequence[Place]) -> dict[str, float]:
    """Seconds that all photos take in each stage, on this one thread."""
    describer = search.describer
    images: list[Image] = []
    taken = {"read (decode, orient)": seconds(lambda: images.extend(_read(search, places)))}
    describer.describe(images[:1])  # models load on first use
    regions: list[Any] = []
    taken["detect"] = seconds(
        lambda: regions.extend(describer.detector.propose(image) for image in images)
    )
    for extractor in describer.extractors:
        taken[f"extract {extractor.name}"] = seconds(
            lambda extractor=extractor: [
                extractor.extract_batch([crop_of(image, one, extractor.margin) for one in found])
                for image, found in zip(images, regions, strict=True)
            ]
        )
    return taken


def _read(search: ObjectSearch, places: Sequence[Place]) -> list[Image]:
    read = [search.describer.read(place) for place in places]
    return [one for one in read if isinstance(one, Image)]


def main() -> None:
    """Print a table of stages, then the whole and a query."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=default_workers())
    parser.add_argument("--preset", default="default")
    given = parser.parse_args()
    places = [place for place in expand(given.folder) if isinstance(place, Place)]
    search = ObjectSearch(load_settings(given.preset, {"run.workers": given.workers}))
    decode_and_resize(places[:1])
    unit = seconds(lambda: decode_and_resize(places))
    rows = {"decode and resize (the unit)": unit, **stages(search, places)}
    whole = seconds(lambda: search.add(given.folder))
    rows[f"describe, all stages, {given.workers} workers"] = whole
    print(f"{len(places)} photos of {given.folder.name}, preset {given.preset}\n")
    print("| stage | photos/s | times the unit |\n| --- | --- | --- |")
    for name, taken in rows.items():
        print(f"| {name} | {len(places) / taken:.1f} | {taken / unit:.1f} |")
    query = seconds(lambda: search.find(places[0], threshold=0.0))
    print(f"\none query against {len(search.index)} described photos: {query:.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()
