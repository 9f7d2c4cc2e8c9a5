"""An index that finds textured things among many photos without comparing their keypoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from objsearch.errors import UsageError
from objsearch.index.base import Ranker
from objsearch.index.memory import Memory, interleaved
from objsearch.index.postings import Postings, build_postings, votes
from objsearch.index.vocabulary import CODE_BYTES, Vocabulary, load_vocabulary
from objsearch.types import DescribedImage, ImageRef, LocalFeatures


class VisualWords(Memory):
    """As `memory`, but keypoints propose candidates through an inverted file of visual words.

    The full frame's keypoints of `extractor` are looked up; other descriptors rank as ever.
    """

    name = "visual-words"

    extractor: str = Field("orb", description="whose keypoints have words: 32-byte binary codes")
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

    _words: dict[ImageRef, NDArray[np.int32]] = PrivateAttr(default_factory=dict)
    _postings: Postings | None = PrivateAttr(default=None)

    @property
    def covers(self) -> frozenset[str]:
        return frozenset([self.extractor])

    def add(self, images: Iterable[DescribedImage]) -> None:
        for image in images:
            words = self._vocabulary.words(self._codes(image))[:, 0]
            super().add([image])
            self._words[image.ref] = words
            self._postings = None

    def remove(self, refs: Iterable[ImageRef]) -> int:
        gone = list(refs)
        for ref in gone:
            self._words.pop(ref, None)
        self._postings = None
        return super().remove(gone)

    def candidates(
        self, query: DescribedImage, limit: int | None, rankers: Sequence[Ranker]
    ) -> list[DescribedImage]:
        stored = list(self)
        if limit is None or len(stored) <= limit:
            return stored
        orders = [np.argsort(-ranker(query, stored), kind="stable") for ranker in rankers]
        voted = self.voted(query)
        by_votes = np.argsort(-voted, kind="stable")
        # Images that no keypoint speaks for leave their turns to the other rankings.
        orders.append(by_votes[: np.count_nonzero(voted)])
        return [stored[i] for i in interleaved(orders, limit)]

    def voted(self, query: DescribedImage) -> NDArray[np.float64]:
        """(N,) how much the query's keypoints speak for each stored image, in order of adding."""
        codes = self._codes(query)
        words = self._vocabulary.words(codes, self.n_words, self.n_branches)
        signatures = self._vocabulary.signatures(codes)
        return votes(self.postings(), words, signatures, self.max_distance, self.reach)

    def postings(self) -> Postings:
        """The inverted file of all stored images, made when they have changed."""
        if self._postings is None:
            images = list(self)
            words = [self._words[image.ref] for image in images]
            none = np.zeros((0, CODE_BYTES), np.uint8)
            codes = np.concatenate([none, *(self._codes(image) for image in images)])
            self._postings = build_postings(
                np.concatenate([np.zeros(0, np.int32), *words]),
                self._vocabulary.signatures(codes),
                np.array([len(one) for one in words], np.int32),
                self._vocabulary.n_words,
            )
        return self._postings

    @property
    def _vocabulary(self) -> Vocabulary:
        return load_vocabulary(self.vocabulary)

    def _codes(self, image: DescribedImage) -> NDArray[np.uint8]:
        """The codes of the full frame; none where the extractor is not used."""
        parts = image.descriptors.get(self.extractor, ())
        if not parts:
            return np.zeros((0, CODE_BYTES), np.uint8)
        frame = parts[-1]
        if not isinstance(frame, LocalFeatures) or frame.codes.dtype != np.uint8:
            raise UsageError(f"the index 'visual-words' {self._wants}")
        codes = np.asarray(frame.codes, np.uint8)
        if codes.shape[1] != CODE_BYTES:
            raise UsageError(f"the index 'visual-words' {self._wants}")
        return codes

    @property
    def _wants(self) -> str:
        return (
            f"wants keypoints with {CODE_BYTES}-byte binary codes, and those of the extractor "
            f"'{self.extractor}' are none; take the index 'memory', or the extractor 'orb'"
        )
