"""What the sections of a settings file are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from objsearch.errors import UsageError
from objsearch.sources import RegionOfInterest


class Part(BaseModel):
    """A frozen section of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _region_text(given: Any) -> Any:
    """A region as text that reads back, whatever way it was given."""
    try:
        return None if given is None else RegionOfInterest.of(given).text
    except UsageError as error:
        raise ValueError(str(error)) from None


RegionText = Annotated[str | None, BeforeValidator(_region_text)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
