"""Where does each millisecond of `find --in` go? Processor time of all threads, by stage.

    python benchmarks/speed_find.py EVAL_DIR [--photos 300] [--preset default]

EVAL_DIR holds photos, from which as many of 1280 x 960 pixels are made; the first is looked for
among the others, of which nothing is described yet. What one stage calls of another counts there;
OpenCV's own threads are off, for theirs would count nowhere.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from speed import made_photos, print_table

from objsearch.describe import embedding
from objsearch.describe.base import Extractor
from objsearch.describe.keypoints import KeypointExtractor
from objsearch.detect.base import Detector
from objsearch.index.base import Index
from objsearch.index.vocabulary import Vocabulary
from objsearch.search import closer_look, describing, retrieval, second_comparison, second_look
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.queries import Viewer

STAGES: list[tuple[Any, str, str]] = [
    (describing.Describer, "read_working", "read: decoded at a reduced scale"),
    (Detector, "propose_batch", "detect"),
    (embedding.Embedding, "extract_batch", "embedding: crops, turns"),
    (embedding, "_run", "embedding: network"),
    (KeypointExtractor, "extract_regions", "keypoints"),
    (describing, "content_hash", "content"),
    (describing, "_note", "flatness"),
    (Extractor, "crops_of", "embedding: crops, turns"),
    (Vocabulary, "words", "words"),
    (Index, "put", "index"),
    (Viewer, "views", "query"),
    (retrieval.Retrieval, "hits", "ranked"),
    (retrieval, "compare_versions", "compared"),
    (closer_look, "raised_by", "second look: matched"),
    (second_look, "looked_at", "second look: laid over each other"),
    (describing.Describer, "read_closely", "second look: read in full"),
    (second_comparison, "_surest", "second look: SIFT"),
    (second_comparison, "_features", "second look: ORB"),
]


class Clock:
    """Seconds of processor time by stage, each without what it calls of others."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._own = threading.local()
        self._lock = threading.Lock()

    def timed(self, work: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """The same work, whose time counts for a stage."""

        @functools.wraps(work)
        def wrapped(*args: Any, **options: Any) -> Any:
            inner = self._own.__dict__.setdefault("inner", [])
            inner.append(0.0)
            started = time.thread_time()
            try:
                return work(*args, **options)
            finally:
                taken = time.thread_time() - started
                within = inner.pop()
                if inner:
                    inner[-1] += taken
                with self._lock:
                    self.spent[stage] += taken - within

        return wrapped


def watched(clock: Clock) -> None:
    """Have the stages' functions, and those of subclasses that replace them, counted."""
    for owner, name, stage in STAGES:
        kinds = [owner, *owner.__subclasses__()] if isinstance(owner, type) else [owner]
        kinds += [one for kind in kinds[1:] for one in kind.__subclasses__()]
        for kind in kinds:
            if name in vars(kind):
                setattr(kind, name, clock.timed(vars(kind)[name], stage))


def main() -> None:
    """Print a table of stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--preset", default="default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        photos = [str(path) for path in made_photos(given.folder, given.photos, Path(name))]
        cv2.setNumThreads(1)
        clock, before = Clock(), time.process_time()
        search = ObjectSearch.open(given.preset, {"run.workers": 1})
        watched(clock)
        search.add(*photos[1:])
        described = time.process_time()
        search.find(photos[0])
        found = time.process_time()
    rest = found - before - sum(clock.spent.values())
    rows = [*clock.spent.most_common(), ("all else: imports, loading, threads", rest)]
    n, total = len(photos) - 1, found - before
    table = [[k, f"{v:.2f}", f"{v / n * 1000:.1f}", f"{v / total:.1%}"] for k, v in rows]
    table.append(["**in all**", f"{total:.2f}", f"{total / n * 1000:.1f}", ""])
    print_table(["stage", "CPU s", "ms a photo", "part"], table)
    print(f"\ndescribed in {described - before:.2f} s, found in {found - described:.2f} s")


if __name__ == "__main__":
    main()
