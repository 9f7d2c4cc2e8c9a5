"""Learn a whitening from views of things and of photos and fold it into an embedding's ONNX file.

    python training/descriptor/learned_whitening.py RAW.onnx build/views.npz OUTPUT.onnx

Not what objsearch ships: benchmarks/results/descriptor.md tells what it gains and loses.

The views are those of `pool_views.py`. What differs between views of one thing says nothing about
which thing it is, and what photos share (sky, skin, text) makes unlike things alike: whitening by a
covariance turns its strong directions down. Learned in closed form, after Mikolajczyk and Matas
(Improving descriptors for fast tree matching by optimal linear projection, ICCV 2007) and
Radenovic, Tolias and Chum (Fine-tuning CNN image retrieval with no human annotation, TPAMI 2018);
here with one mean of covariances in the place of two steps. The written network has two outputs:
`descriptor`, whitened and of unit length, and `pooled`, the vector as it was.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from whiten import SHRINKAGE, save_folded

from objsearch.rank.metrics import Ranked, average_precision

OF_PHOTOS = ("plain", "edit")
POWER = 0.5  # of the eigenvalues: in the mixture's own terms a full whitening
# Shares of the mixture. What differs within groups alone, without the first, tells held out things
# and photos apart less well.
BETWEEN_PHOTOS, WITHIN_THINGS, WITHIN_PHOTOS = 0.5, 0.25, 0.25

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Views:
    kind: NDArray[np.str_]  # (N,)
    group: NDArray[np.int64]  # (N,) views of one thing, or of one photo, have one number
    held: NDArray[np.bool_]  # (N,) not to be learned from
    vectors: NDArray[np.float32]  # (N, D) unit length

    def of(self, mask: NDArray[np.bool_]) -> Views:
        return Views(self.kind[mask], self.group[mask], self.held[mask], self.vectors[mask])

    @property
    def of_photo(self) -> NDArray[np.bool_]:
        return np.isin(self.kind, OF_PHOTOS)


def read_views(path: Path) -> Views:
    """What `pool_views.py` wrote."""
    with np.load(path) as stored:
        group = np.unique(stored["name"], return_inverse=True)[1]
        return Views(stored["kind"], group, stored["held"], stored["pooled"])


def within_groups(views: Views) -> Matrix:
    """(D, D) the covariance of a view around its group's mean; groups of one say nothing."""
    group = np.unique(views.group, return_inverse=True)[1]
    size = np.bincount(group)
    vectors = views.vectors.astype(np.float64)
    means = np.zeros((len(size), vectors.shape[1]))
    np.add.at(means, group, vectors)
    means /= size[:, None]
    unbiased = np.sqrt(size / np.maximum(size - 1, 1))[group]
    away = ((vectors - means[group]) * unbiased[:, None])[size[group] > 1]
    return np.asarray(away.T @ away / len(away))


def whitening(views: Views) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (D,) and symmetric matrix (D, D): `(x - mean) @ matrix` is whitened."""
    plain = views.of(views.kind == "plain").vectors
    parts = (
        (BETWEEN_PHOTOS, np.cov(plain.T.astype(np.float64))),
        (WITHIN_THINGS, within_groups(views.of(~views.of_photo))),
        (WITHIN_PHOTOS, within_groups(views.of(views.of_photo))),
    )
    # Of equal trace first: what the views happen to vary by must not set the shares.
    mixture = sum(share * part / np.trace(part) for share, part in parts)
    values, directions = np.linalg.eigh(mixture)
    values = np.maximum(values, 0)
    scaled = directions * (values + SHRINKAGE * values.mean()) ** -POWER
    return plain.mean(axis=0), (scaled @ directions.T).astype(np.float32)


def mean_average_precision(views: Views) -> float:
    """The mean over views of how high the others of its group rank among all."""
    found = []
    for index, similarity in enumerate(views.vectors @ views.vectors.T):
        is_right = np.delete(views.group == views.group[index], index)
        if is_right.any():
            ranked = Ranked(np.delete(similarity, index), is_right, int(is_right.sum()))
            found.append(average_precision(ranked))
    return float(np.mean(found)) if found else float("nan")


def report(held: Views, mean: NDArray[np.float32], matrix: NDArray[np.float32]) -> None:
    """Print what the whitening does to groups that it was not learned from."""
    whitened = (held.vectors - mean) @ matrix
    whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)
    after = Views(held.kind, held.group, held.held, whitened)
    frames = np.isin(held.kind, ("scene", "source", "plain"))
    for what, mask in (("things in scenes", frames), ("photos", held.of_photo)):
        before_and_after = [mean_average_precision(one.of(mask)) for one in (held, after)]
        print("held out, {}: mAP {:.3f} -> {:.3f}".format(what, *before_and_after))


def main() -> None:
    """Read the views, learn, fold, check and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("views", type=Path)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    views = read_views(given.views)
    learned_from = views.of(~views.held)
    for kind in ("plain", "scene"):
        if np.count_nonzero(learned_from.kind == kind) < 2:
            raise SystemExit(f"{given.views}: too few views '{kind}' to learn from")
    mean, matrix = whitening(learned_from)
    report(views.of(views.held), mean, matrix)
    save_folded(given.raw, mean, matrix, given.output)
    print(f"{len(learned_from.group)} views, {given.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
