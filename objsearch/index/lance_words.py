"""The inverted file of a stored index: most of it lies in files, the rest is made anew.

`postings-.../` holds the arrays of `Postings` and the numbers of its pictures. It is derived: rows
that came later are a small file in memory, those that went are passed over, and a missing one is
made from the rows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UsageError
from objsearch.files import sync_folder
from objsearch.index.filed import opened_array
from objsearch.index.lance_rows import KEYPOINTS, WORDS, dataset_of, word_type
from objsearch.index.lance_store import Record, Store
from objsearch.index.lance_view import View, found_in
from objsearch.index.lance_writer import files_of, sync_file
from objsearch.index.postings import Postings, Segment, build_postings, votes_of
from objsearch.index.postings_filing import Makes, file_postings
from objsearch.index.visual_words import VisualWords
from objsearch.index.vocabulary import CODE_BYTES, Vocabulary, load_vocabulary
from objsearch.types import DescribedImage, Unreadable

FOLDER = "postings"
ARRAYS = tuple(field.name for field in fields(Postings))
ENTRIES = ("images", "signatures")
"""Those that are too large to be held."""
WORTH_A_FILE = 1_000
"""Pictures from which on the inverted file is kept on the disk."""

MOST_CHANGED = 0.1
"""Part of the pictures that may have come or gone before the file is made anew."""

AT_ONCE = 1_024


def fingerprint(vocabulary: Vocabulary) -> str:
    """Hex SHA-256 of what decides about words and signatures."""
    digest = hashlib.sha256()
    for array in (vocabulary.branches, vocabulary.leaves, vocabulary.bits):
        digest.update(array.tobytes())
    return digest.hexdigest()


class WordFinder:
    """Finds the words of keypoints; loads its vocabulary when there are some."""

    def __init__(self, options: VisualWords) -> None:
        self.options = options

    @property
    def vocabulary(self) -> Vocabulary:
        return load_vocabulary(self.options.vocabulary)

    @property
    def note(self) -> dict[str, str]:
        """What a record remembers of what words were made by."""
        return {"extractor": self.options.extractor, "vocabulary": fingerprint(self.vocabulary)}

    def words_in(self, image: DescribedImage | Unreadable) -> NDArray[np.int32] | None:
        """(K,) words of the full frame's keypoints; None where there are no keypoints."""
        if isinstance(image, Unreadable) or not image.descriptors.get(self.options.extractor):
            return None
        return np.asarray(self.vocabulary.words(self.options.codes(image))[:, 0], np.int32)

    def has_words(self, record: Record) -> bool:
        keypoints = dataset_of(KEYPOINTS, self.options.extractor)
        return {WORDS, keypoints} <= set(record.versions)

    def check_extractor(self, store: Store, record: Record) -> None:
        """Raises UsageError where words are those of another extractor's keypoints."""
        made_by = record.notes.get(WORDS, {}).get("extractor", self.options.extractor)
        if made_by != self.options.extractor:
            raise UsageError(
                f"the index '{store.folder}' has the words of '{made_by}', and not of "
                f"'{self.options.extractor}'"
            )

    def check(self, store: Store, record: Record) -> None:
        """Raises UsageError where words were found by another vocabulary."""
        if record.notes.get(WORDS, self.note) != self.note:
            raise UsageError(
                f"the index '{store.folder}' has words of another vocabulary than "
                f"'{self.options.vocabulary}'"
            )


class Words:
    """The words of one view's pictures."""

    def __init__(self, view: View, finder: WordFinder) -> None:
        self.view, self.finder, self.vocabulary = view, finder, finder.vocabulary
        self._keypoints = dataset_of(KEYPOINTS, finder.options.extractor)
        self._lock = threading.Lock()
        self._segments: list[Segment] | None = None

    def voted(self, query: DescribedImage) -> NDArray[np.float64]:
        """(N,) how much a query's keypoints speak for each described picture."""
        options = self.finder.options
        codes = options.codes(query)
        words = self.vocabulary.words(codes, options.n_words, options.n_branches)
        n_images = int(self.view.is_described.sum())
        return votes_of(
            self.segments(),
            n_images,
            words,
            self.vocabulary.signatures(codes),
            options.max_distance,
            options.reach,
        )

    def segments(self) -> list[Segment]:
        """All pictures, each in one of the segments; made once."""
        with self._lock:
            if self._segments is None:
                self._segments = self._made()
            return self._segments

    def _made(self) -> list[Segment]:
        described = self.view.numbers[self.view.is_described]
        stored = opened(self.view.store, self.view.record)
        if stored is None:
            return [Segment(self.built(described), np.arange(len(described)))]
        numbers, postings = stored
        base = Segment(postings, found_in(described, numbers))
        fresh = described[found_in(numbers, described) < 0]
        if not len(fresh):
            return [base]
        return [base, Segment(self.built(fresh), found_in(described, fresh))]

    def built(self, numbers: NDArray[np.int64]) -> Postings:
        """The inverted file of some pictures, in that order, in memory."""
        words, counts = self._words_of(numbers)
        signatures = self._signatures(numbers, int(counts.sum()))
        return build_postings(words.astype(np.int32), signatures, counts, self.vocabulary.n_words)

    def filed(self, numbers: NDArray[np.int64], make: Makes) -> Postings:
        """The same in arrays that `make` gives, with the keypoints of some pictures at a time."""
        words, counts = self._words_of(numbers)

        def signatures_of(run: slice) -> NDArray[np.uint64]:
            return self._signatures(numbers[run], int(counts[run].sum()))

        return file_postings(words, signatures_of, counts, self.vocabulary.n_words, make)

    def _words_of(self, numbers: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """(E,) words of some pictures, one after the other, and (N,) how many each has."""
        has_any, table = self.view.entries(WORDS).frames_of(numbers, ["words"])
        kind = word_type(self.vocabulary.n_words)
        texts = table["words"].to_pylist()
        counts = np.zeros(len(numbers), np.int32)
        counts[has_any] = [len(text) // kind.itemsize for text in texts]
        return np.frombuffer(b"".join(texts), kind), counts

    def _signatures(self, numbers: NDArray[np.int64], count: int) -> NDArray[np.uint64]:
        """(E, S) of all keypoints of some pictures' full frames."""
        made = np.zeros((count, len(self.vocabulary.bits) // 64), np.uint64)
        start = 0
        for i in range(0, len(numbers), AT_ONCE):
            entries = self.view.entries(self._keypoints)
            _, table = entries.frames_of(numbers[i : i + AT_ONCE], ["codes"])
            codes = np.frombuffer(b"".join(table["codes"].to_pylist()), np.uint8)
            codes = codes.reshape(-1, CODE_BYTES)
            made[start : start + len(codes)] = self.vocabulary.signatures(codes)
            start += len(codes)
        return made


def _folder_of(record: Record) -> str | None:
    name = record.notes.get(FOLDER)
    return name if isinstance(name, str) else None


def opened(store: Store, record: Record) -> tuple[NDArray[np.int64], Postings] | None:
    """The stored inverted file and the numbers of its pictures; None where there is none."""
    name = _folder_of(record)
    if name is None:
        return None
    try:
        arrays: list[Any] = [
            (opened_array if array in ENTRIES else np.load)(
                os.path.join(store.path(name), f"{array}.npy")
            )
            for array in ("numbers", *ARRAYS)
        ]
    except (OSError, ValueError):  # derived: what is damaged or gone is made from the rows
        return None
    return arrays[0], Postings(*arrays[1:])


def is_due(store: Store, record: Record, numbers: NDArray[np.int64]) -> bool:
    """Whether so many described pictures are worth a new file."""
    if len(numbers) < WORTH_A_FILE:
        return False
    stored = opened(store, record)
    if stored is None:
        return True
    changed = np.setxor1d(stored[0], numbers, assume_unique=True)
    return len(changed) > MOST_CHANGED * len(numbers)


def saved(words: Words, name: str) -> None:
    """Write the inverted file of a view into a folder of the index, and see it to the disk."""
    numbers = words.view.numbers[words.view.is_described]
    folder = words.view.store.path(name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    np.save(os.path.join(folder, "numbers.npy"), numbers)

    def make(array: str, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        path = os.path.join(folder, f"{array}.npy")
        made: NDArray[Any] = np.lib.format.open_memmap(path, "w+", kind, shape)
        return made

    postings = words.filed(numbers, make)
    for array in ARRAYS:
        getattr(postings, array).flush()
    for path in files_of(folder):
        sync_file(path)
    sync_folder(folder)


def sweep(store: Store, record: Record) -> None:
    """Delete inverted files that the record does not name."""
    for entry in os.listdir(store.folder):
        if entry.startswith(FOLDER) and entry != _folder_of(record):
            shutil.rmtree(store.path(entry), ignore_errors=True)
