"""Cut things out, draw views of them and of photos, and keep what a network pools of each view.

    python training/descriptor/pool_views.py RAW.onnx build/views.npz \\
        --things YOLO_DIR... --photos PHOTOS... --backgrounds PHOTOS...

The views of one thing, or of one photo, are a group; a quarter of the groups is marked as held out,
and has backgrounds and neighbours of its own. YOLO_DIR has `images/` and `labels/`; a photo there
with one large thing gives a cut-out (detector/scenes.py). The same files, names and seed give the
same views; a group's random numbers come from its name.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray
from thing_views import CROP, FRAME, Cut, Picture, Random, edited, in_scene, tight, within

from objsearch.describe.base import Crop
from objsearch.describe.embedding import Embedding
from objsearch.types import GlobalDescriptor

sys.path.append(str(Path(__file__).resolve().parents[1] / "detector"))
from scenes import cut_out

HELD_OUT = 4  # one group of so many
SMALLEST = 70  # pixels, the shorter side of a cut-out that still shows what it is
SCENES, EDITS = 5, 3  # views of each thing in a scene, of each photo
ORDER = 5  # with the seed 0, the order of files in the study in benchmarks/results/descriptor.md


@dataclass(frozen=True)
class Thing:
    photo: Path
    cut: Cut

    @property
    def name(self) -> str:
        return self.photo.stem


@dataclass(frozen=True)
class View:
    kind: str  # scene, source, tight, turned: of a thing; plain, edit: of a photo
    name: str  # of the group
    pixels: Picture


def held_out(name: str) -> bool:
    """By the name alone, so that a group stays on its side whatever else is there."""
    return crc32(name.encode()) % HELD_OUT == 0


def generator(name: str, seed: int) -> Random:
    """Random numbers of a group's own."""
    return np.random.default_rng(crc32(name.encode(), seed))


def read(photo: Path) -> Picture | None:
    """A photo as RGB; one that cannot be read is told."""
    picture = cv2.imread(str(photo))
    if picture is None:
        print(f"{photo}: cannot be read, left out", flush=True)
        return None
    return picture[..., ::-1]


def files_in(folders: list[Path]) -> list[Path]:
    """Their files in order; of files of one name the first, for a name is a group."""
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            files.setdefault(path.stem, path)
    return list(files.values())


def thing_in(photo: Path) -> Thing | None:
    """The one large thing of a photo with a label, if it can be cut out."""
    cv2.setRNGSeed(0)  # GrabCut starts from random clusters: the same whatever came before
    cut = cut_out(photo)
    if cut is None or min(cut.shape[:2]) < SMALLEST:
        return None
    return Thing(photo, within(cv2.cvtColor(cut, cv2.COLOR_BGRA2RGBA), 320))


@lru_cache(maxsize=2000)
def background(photo: Path) -> Picture:
    """Kept in memory: each is used many times."""
    picture = read(photo)
    if picture is None:
        raise SystemExit(f"{photo}: a background has to be a photo; take it out of the folder")
    return np.ascontiguousarray(within(picture, 480))


def views_of_thing(
    thing: Thing, things: list[Thing], backgrounds: list[Path], seed: int
) -> Iterator[View]:
    """Scenes, the photo it comes from, and two crops: upright and turned at will."""
    r, name, held = generator(thing.name, seed), thing.name, held_out(thing.name)

    def behind() -> Picture:
        return background(backgrounds[int(r.integers(len(backgrounds)))])

    seen: list[tuple[str, Picture | None]] = []
    for _ in range(SCENES):
        drawn = [things[int(r.integers(len(things)))] for _ in range(int(r.integers(0, 4)))]
        others = [one.cut for one in drawn if one.name != name and held_out(one.name) == held]
        seen.append(("scene", in_scene(thing.cut, behind(), others, r)))
    source = read(thing.photo)
    if source is not None:
        seen.append(("source", edited(source, r, least=0.7, askew=0.05, turn=6)))
    seen.append(("tight", tight(thing.cut, behind(), r.uniform(-12, 12), r)))
    seen.append(("turned", tight(thing.cut, behind(), r.uniform(-180, 180), r)))
    for kind, pixels in seen:
        if pixels is not None:
            yield View(kind, name, pixels)


def views_of_photo(photo: Path, seed: int) -> Iterator[View]:
    """As it is, and edited."""
    picture = read(photo)
    if picture is None:
        return
    r, name = generator(photo.stem, seed), photo.stem
    picture = np.ascontiguousarray(picture)
    plain = cv2.resize(picture, (FRAME, FRAME), interpolation=cv2.INTER_AREA)
    yield View("plain", name, plain)
    for _ in range(EDITS):
        yield View("edit", name, edited(picture, r))


def all_views(given: argparse.Namespace) -> Iterator[View]:
    """Of every thing, then of photos that none was cut out of."""
    photos = files_in([folder / "images" for folder in given.things])
    things = [thing for thing in map(thing_in, photos) if thing is not None]
    print(f"{len(things)} things cut out of {len(photos)} photos", flush=True)
    if not things:
        raise SystemExit("no things: --things wants folders with images/ and labels/ beside it")
    random.Random(ORDER + given.seed).shuffle(things)
    backs = files_in(given.backgrounds)
    pools = {held: [b for b in backs if held_out(b.stem) == held] for held in (False, True)}
    if not (pools[False] and pools[True]):
        raise SystemExit("too few backgrounds: some are needed for the held out things, too")
    for thing in things:
        yield from views_of_thing(thing, things, pools[held_out(thing.name)], given.seed)
    cut = {thing.name for thing in things}
    left = [photo for photo in files_in(given.photos) if photo.stem not in cut]
    random.Random(ORDER + given.seed).shuffle(left)
    for photo in left[: given.most_photos]:
        yield from views_of_photo(photo, given.seed)


def pooled(view: View, network: Embedding) -> NDArray[np.float32]:
    """(D,) what the network says of the view, of unit length."""
    is_frame = view.pixels.shape[0] == FRAME
    found = network.extract_batch([Crop(np.ascontiguousarray(view.pixels), is_frame=is_frame)])[0]
    assert isinstance(found, GlobalDescriptor)
    return found.vector


def main() -> None:
    """Draw all views, pool them, write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="the network without a whitening")
    parser.add_argument("output", type=Path, help="the .npz file to write")
    parser.add_argument("--things", type=Path, nargs="+", required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--backgrounds", type=Path, nargs="+", required=True)
    parser.add_argument("--most-photos", type=int, default=1700)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    # Turned crops are views of their own, so none is turned here.
    network = Embedding(
        weights=str(given.raw),
        image_size=CROP,
        frame_size=FRAME,
        mean=(127, 127, 127),
        std=(128, 128, 128),
        turns=1,
    )
    kinds, names, vectors = [], [], []
    for view in all_views(given):
        kinds.append(view.kind)
        names.append(view.name)
        vectors.append(pooled(view, network))
        if len(kinds) % 1000 == 0:
            print(f"{len(kinds)} views", flush=True)
    if not vectors:
        raise SystemExit("no views: no thing could be cut out and no photo read")
    given.output.parent.mkdir(parents=True, exist_ok=True)
    held = np.array([held_out(name) for name in names])
    np.savez(given.output, kind=kinds, name=names, held=held, pooled=np.stack(vectors))
    print(f"{given.output}: {len(kinds)} views of {len(set(names))} groups, {held.sum()} held out")


if __name__ == "__main__":
    main()
