"""An index that finds textured things among many photos without comparing their keypoints."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from objsearch.errors import UsageError
from objsearch.index.base import Rankers
from objsearch.index.memory import InMemory, Memory, Rows
from objsearch.index.postings import Postings, build_postings, votes
from objsearch.index.vocabulary import CODE_BYTES, Vocabulary, load_vocabulary
from objsearch.types import DescribedImage, Key, LocalFeatures, Recipe, Row


class VisualWords(Memory):
    """As `memory`, but keypoints propose candidates through an inverted file of visual words.

    The full frame's keypoints under the alias `extractor` are looked up; others rank as ever.
    """

    name = "visual-words"

    extractor: str = Field(
        "orb", description="alias of the keypoints that have words: 32-byte binary codes"
    )
    vocabulary: str = Field(
        "orb-words", description="name in models/manifest.yaml, or a path to an .npz"
    )
    n_words: int = Field(6, ge=1, le=64, description="words a query's keypoint is looked up under")
    n_branches: int = Field(4, ge=1, le=64, description="branches of the tree searched for them")
    max_distance: int = Field(
        24, ge=0, le=128, description="most different signature bits of keypoints that agree"
    )
    reach: float = Field(
        8.0, gt=0, description="different bits over which an agreement fades: exp(-(d / reach)^2)"
    )

    @property
    def covers(self) -> frozenset[str]:
        return frozenset([self.extractor])

    def open(self, recipe: Recipe, rankers: Rankers) -> ByWords:
        return ByWords(self, recipe, rankers)

    def codes(self, image: DescribedImage) -> NDArray[np.uint8]:
        """(K, 32) codes of the full frame; none where the extractor is not used.

        Raises UsageError for keypoints of another kind.
        """
        parts = image.descriptors.get(self.extractor, ())
        if not parts:
            return np.zeros((0, CODE_BYTES), np.uint8)
        frame = parts[-1]
        if not isinstance(frame, LocalFeatures) or frame.codes.dtype != np.uint8:
            raise UsageError(f"the index '{self.name}' {self._wants}")
        codes = np.asarray(frame.codes, np.uint8)
        if codes.shape[1] != CODE_BYTES:
            raise UsageError(f"the index '{self.name}' {self._wants}")
        return codes

    @property
    def _wants(self) -> str:
        return (
            f"wants keypoints with {CODE_BYTES}-byte binary codes, and what is kept under "
            f"'{self.extractor}' is none; take the index 'memory', or the extractor 'orb'"
        )


class WordedRows(Rows):
    """Rows with the words of their keypoints; their inverted file is made when asked for."""

    def __init__(
        self,
        rows: Mapping[Key, Row],
        options: VisualWords,
        words: Mapping[Key, NDArray[np.int32]],
    ) -> None:
        super().__init__(rows)
        self.options = options
        self._words = words
        self._postings: Postings | None = None
        self._building = threading.Lock()

    @property
    def vocabulary(self) -> Vocabulary:
        return load_vocabulary(self.options.vocabulary)

    @property
    def words(self) -> Mapping[Key, NDArray[np.int32]]:
        """(K,) of each picture."""
        return self._words

    def postings(self) -> Postings:
        """The inverted file of all described pictures."""
        with self._building:
            if self._postings is None:
                self._postings = self._built()
            return self._postings

    def _built(self) -> Postings:
        words = [self._words[key] for key, _ in self.described]
        none = np.zeros((0, CODE_BYTES), np.uint8)
        codes = [self.options.codes(image) for _, image in self.described]
        return build_postings(
            np.concatenate([np.zeros(0, np.int32), *words]),
            self.vocabulary.signatures(np.concatenate([none, *codes])),
            np.array([len(own) for own in words], np.int32),
            self.vocabulary.n_words,
        )

    def voted(self, query: DescribedImage) -> NDArray[np.float64]:
        """(N,) how much the query's keypoints speak for each picture, in order of adding."""
        options = self.options
        codes = options.codes(query)
        words = self.vocabulary.words(codes, options.n_words, options.n_branches)
        signatures = self.vocabulary.signatures(codes)
        return votes(self.postings(), words, signatures, options.max_distance, options.reach)

    def __getstate__(self) -> dict[str, Any]:
        return {"rows": self.rows, "options": self.options, "words": self._words}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class ByWords(InMemory):
    """Rows in memory, looked up by words."""

    _rows: WordedRows

    def __init__(
        self,
        options: VisualWords,
        recipe: Recipe,
        rankers: Rankers,
        rows: WordedRows | None = None,
    ) -> None:
        self.options = options
        super().__init__(recipe, rankers, rows)

    def _made(self, rows: Mapping[Key, Row]) -> WordedRows:
        known: WordedRows | None = getattr(self, "_rows", None)
        words: dict[Key, NDArray[np.int32]] = {}
        for key, row in rows.items():
            if not isinstance(row.image, DescribedImage):
                continue
            if known is not None and known.rows.get(key) is row:
                words[key] = known.words[key]
            else:
                words[key] = self._words_of(row.image)
        return WordedRows(rows, self.options, words)

    def _words_of(self, image: DescribedImage) -> NDArray[np.int32]:
        vocabulary = load_vocabulary(self.options.vocabulary)
        return np.asarray(vocabulary.words(self.options.codes(image))[:, 0], np.int32)

    def _further(
        self, rows: Rows, query: DescribedImage, kept: NDArray[np.intp]
    ) -> list[NDArray[np.intp]]:
        assert isinstance(rows, WordedRows)
        voted = rows.voted(query)[kept]
        # Images that no keypoint speaks for leave their turns to the other rankings.
        return [np.argsort(-voted, kind="stable")[: np.count_nonzero(voted)]]

    def voted(self, query: DescribedImage) -> NDArray[np.float64]:
        """(N,) how much the query's keypoints speak for each picture, in order of adding."""
        return self._rows.voted(query)

    def postings(self) -> Postings:
        """The inverted file of all described pictures."""
        return self._rows.postings()

    def snapshot(self) -> ByWords:
        return ByWords(self.options, self.recipe, self._rankers, self._rows)
