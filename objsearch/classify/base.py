"""What every classifier is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from objsearch.components.registry import Component
from objsearch.types import Pixels


@dataclass(frozen=True, slots=True)
class Judgement:
    """How unwanted a picture is, in [0, 1], and what was seen in it."""

    score: float
    seen: str = ""


class Classifier(Component, ABC):
    """Judges pictures. Its weights come with its package or are named by the user: never fetched.

    Subclasses write `judge_batch` and `require`.
    """

    threshold: float = Field(0.8, gt=0, le=1, description="least score that is unwanted, inclusive")

    @abstractmethod
    def require(self) -> None:
        """Raise MissingDependencyError or WeightsError when it could not judge."""

    @abstractmethod
    def judge_batch(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        """One judgement a picture, in order; it must not depend on the picture's neighbours."""

    def judge(self, picture: Pixels) -> Judgement:
        """`judge_batch` for one picture."""
        return self.judge_batch([picture])[0]
