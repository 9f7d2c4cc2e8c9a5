"""What pictures are held against: the section `screening` of a settings file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from objsearch.classify.base import Classifier
from objsearch.components.registry import of_room

ScreeningAction = Literal["flag", "exclude", "only"]


class Screening(BaseModel):
    """What pictures are held against; without any rule nothing is screened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: ScreeningAction = Field(
        "flag", description="flag: mark what is unwanted. exclude: leave it out. only: nothing else"
    )
    block: tuple[str, ...] = Field(
        (), description="known unwanted images: files, folders, globs; their copies are found"
    )
    block_threshold: float = Field(
        0.5, ge=0, le=1, description="least score of a copy of a blocked image"
    )
    block_preset: str = Field("copies", description="the preset by which copies are found")
    max_frames: int = Field(
        300,
        ge=1,
        description="most pages and frames of a file that are looked at; what is left out is told, "
        "and a blocked file or an example with more is refused",
    )
    examples: tuple[str, ...] = Field(
        (), description="images of what is unwanted: pictures that look alike are unwanted, too"
    )
    examples_threshold: float = Field(
        0.45, ge=-1, le=1, description="least likeness to an example, the cosine of two embeddings"
    )
    classifiers: tuple[Annotated[SerializeAsAny[Classifier], *of_room("classify")], ...] = Field(
        (), description="networks that judge pictures: open-nsfw, nudenet, or another package's"
    )

    @property
    def has_rules(self) -> bool:
        """Whether there is anything to screen by."""
        return bool(self.block or self.examples or self.classifiers)
