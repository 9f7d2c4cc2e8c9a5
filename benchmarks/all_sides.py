"""Things seen from all sides: does an embedding know another side of a thing? Prints one table.

    python benchmarks/all_sides.py VIEWS GROUNDS WEIGHTS...

VIEWS holds a folder a thing with pictures of it from all sides, as `render_turned.py` (`training`)
makes them of 3D models. Cut-outs (WebP or PNG with transparency) are laid on grounds, half of them
bare and half of them photos of GROUNDS, at 0.55 to 0.95 of the side; other pictures are taken as
they are. WEIGHTS as for `descriptor.py`. Ten views of each thing; each asks for the others: mAP and
top 1 with all others as references, and with four of each thing. Intervals: things drawn again.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
from descriptor import Vectors, extractor_of, mean_average_precision, opened, vectors_of
from numpy.typing import NDArray
from PIL import Image

VIEWS, REFERENCES, SIDE = 10, 4, 256
BARE = (0, 30, 128, 200, 255)
DRAWS = 500


def laid(path: Path, grounds: list[Path], rng: random.Random) -> Image.Image:
    """A picture, or a cut-out on a ground of its own."""
    with Image.open(path) as file:
        if not file.has_transparency_data:
            return file.convert("RGB")
        view = file.convert("RGBA")
    if rng.random() < 0.5:
        level = rng.choice(BARE)
        ground = Image.new("RGB", (SIDE, SIDE), (level, level, level))
    else:
        ground = opened(rng.choice(grounds)).resize((SIDE, SIDE))
    scale = rng.uniform(0.55, 0.95) * SIDE / max(view.size)
    view = view.resize((max(1, int(view.width * scale)), max(1, int(view.height * scale))))
    corner = (rng.randint(0, SIDE - view.width), rng.randint(0, SIDE - view.height))
    ground.paste(view, corner, view)
    return ground


def judged(
    vectors: Vectors, things: NDArray[np.int64], references: NDArray[np.bool_] | None
) -> tuple[float, float]:
    """mAP and top 1: of all views among all, or of those that are no references among these."""
    similar, right = vectors @ vectors.T, things[:, None] == things[None]
    if references is None:
        asked = ~np.eye(len(things), dtype=bool)
        return mean_average_precision(similar, right, asked)
    asking = ~references
    similar, right = similar[asking][:, references], right[asking][:, references]
    return mean_average_precision(similar, right, np.ones_like(right))


def interval(
    vectors: Vectors, things: NDArray[np.int64], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % of mAP among all, queries drawn again by thing."""
    similar, right = vectors @ vectors.T, things[:, None] == things[None]
    others = ~np.eye(len(things), dtype=bool)
    each = np.array(
        [
            np.mean([mean_average_precision(similar[[k]], right[[k]], others[[k]])[0]
                     for k in np.flatnonzero(things == thing)])
            for thing in np.unique(things)
        ]
    )  # fmt: skip
    drawn = [rng.choice(each, len(each)).mean() for _ in range(DRAWS)]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def main() -> None:
    """Print a row for each of the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("views", type=Path)
    parser.add_argument("grounds", type=Path)
    parser.add_argument("weights", nargs="+")
    given = parser.parse_args()
    rng = random.Random(5)
    grounds = sorted(given.grounds.glob("*.jpg"))
    pictures, things, references = [], [], []
    for number, folder in enumerate(
        sorted(path for path in given.views.iterdir() if path.is_dir())
    ):
        files = sorted(folder.iterdir())
        files = files[:: max(1, len(files) // VIEWS)][:VIEWS]
        known = set(rng.sample(range(len(files)), min(REFERENCES, len(files) - 1)))
        for k, file in enumerate(files):
            pictures.append(laid(file, grounds, rng))
            things.append(number)
            references.append(k in known)
    numbers, is_reference = np.array(things), np.array(references)
    print(f"{numbers.max() + 1} things, {len(pictures)} views\n")
    heads = ["weights", "mAP", "95 %", "top 1", "four references: mAP", "top 1"]
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
    for weights in given.weights:
        vectors = vectors_of(extractor_of(weights), pictures)
        among_all = judged(vectors, numbers, None)
        low, high = interval(vectors, numbers, np.random.default_rng(0))
        few = judged(vectors, numbers, is_reference)
        cells = [weights, f"{among_all[0]:.3f}", f"{low:.3f} to {high:.3f}", f"{among_all[1]:.3f}"]
        cells += [f"{few[0]:.3f}", f"{few[1]:.3f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
