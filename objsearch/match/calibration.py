"""Raw similarities -> the probability that both sides show the same object.

Platt's logistic model (Platt, 1999) over the similarities and the evidence of geometry, fitted on
labelled pairs of images, equal numbers of same and different. 0.5 means the same for every preset.

Where keypoints agree, to look less alike than right pairs of the fit says nothing more: how much
that weighs against keypoints was not seen there, and is not guessed at. And what is alike beyond a
border says no more than the border does: two crosswords, two pages of text are as alike as any two
photos of one thing, and it is for keypoints to tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import exp, log1p
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from objsearch.components import weights
from objsearch.errors import ConfigError
from objsearch.files import write_whole
from objsearch.match.tail import Tail

Values = NDArray[np.float64] | float

RARE = 0.02
"""The part of right pairs that look less alike than what is heeded beside keypoints."""

SOFTNESS = 0.05
"""Over so much similarity it ceases to; the order of the unlike is kept."""

BORDERS = tuple(round(float(border), 3) for border in np.arange(0.3, 1.0, 0.025))
"""Similarities that are tried as those beyond which nothing more is said."""

SUREST = 36.0
"""The greatest log odds: a float takes more for a score of 1, which is that of equal pixels."""

Slope = Annotated[float, Field(ge=0)]
"""More alike must never mean less probable."""

FALLBACK = "nothing: a stated fallback"
"""What a calibration was fitted on that was not fitted (`match.fallback`)."""


class Calibration(BaseModel):
    """Coefficients of one logistic model; `coefficients` are named after aliases of descriptors.

    A global or binary extractor's feature is its raw similarity; a local one's is
    log(1 + central inliers), 0 where geometry found nothing.
    """

    # A score of what is no number would be that of the surest pair, for all pairs.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    intercept: float
    coefficients: Mapping[str, Slope]
    least: Mapping[str, float] = Field(
        {}, description="similarities below which less alike says nothing against keypoints"
    )
    most: Mapping[str, float] = Field(
        {}, description="similarities beyond which more alike says nothing more beside keypoints"
    )
    fitted_on: str = Field("", description="which labelled pairs, in words")
    tail: Tail | None = Field(
        None, description="how often pairs of different pictures score so much, where measured"
    )

    @model_validator(mode="after")
    def _bounds_what_it_has(self) -> Calibration:
        for name in (*self.least, *self.most):
            if name not in self.coefficients:
                raise ValueError(f"least and most bound '{name}', which has no coefficient")
        return self

    @property
    def is_fallback(self) -> bool:
        """Whether nobody has fitted it to anything."""
        return self.fitted_on == FALLBACK

    def probability(self, features: Mapping[str, float]) -> float:
        """In [0, 1), for 1 is said of equal pixels alone; features that were not computed are 0."""
        logit = float(self._logits(features))
        return 1.0 / (1.0 + exp(-max(-500.0, min(SUREST, logit))))

    def probabilities(self, features: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """`probability` of arrays of features, all of one shape."""
        logits = np.clip(self._logits(features), -500.0, SUREST)
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float64)

    def _logits(self, features: Mapping[str, Values]) -> Values:
        values = {name: features.get(name, 0.0) for name in self.coefficients}
        if self.least:
            proof = sum(value for name, value in values.items() if name not in self.least)
            for name, least in self.least.items():
                values[name] = heeded(values[name], least, proof)
        for name, most in self.most.items():
            values[name] = bounded(values[name], most)
        return self.intercept + sum(w * values[name] for name, w in self.coefficients.items())


def heeded(values: Values, least: float, proof: Values) -> Values:
    """Similarities raised to `least` as far as keypoints prove the pair, by n / (1 + n) inliers.

    Softly: of two the more alike stays the more alike. `proof` is their `evidence`.
    """
    above = (np.asarray(values, np.float64) - least) / SOFTNESS
    raised = least + SOFTNESS * np.logaddexp(0.0, above)
    return values + (raised - values) * -np.expm1(-np.maximum(proof, 0.0))


def bounded(values: Values, most: float) -> Values:
    """Similarities lowered to `most`, softly: of two the more alike stays the more alike."""
    below = (most - np.asarray(values, np.float64)) / SOFTNESS
    return most - SOFTNESS * np.logaddexp(0.0, below)


def evidence(inliers: float) -> float:
    """The feature of a verified match, from its weighted number of inliers."""
    return log1p(inliers)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Labelled pairs: `features` (N, F), `is_same` (N,), `source` (N,) the set that each is of."""

    features: NDArray[np.float64]
    is_same: NDArray[np.bool_]
    source: NDArray[np.int_]

    def weights(self) -> NDArray[np.float64]:
        """(N,) summing to 1: same and different weigh alike, and within them each source."""
        weights = np.zeros(len(self.is_same))
        for kind in (True, False):
            chosen = self.is_same == kind
            sources = np.unique(self.source[chosen])
            for source in sources:
                members = chosen & (self.source == source)
                weights[members] = 0.5 / len(sources) / members.sum()
        return weights


def fit(
    examples: Examples, names: list[str], fitted_on: str, whole: Collection[str] = ()
) -> Calibration:
    """Maximum likelihood with a whisper of ridge; a large set has no more say than a small one.

    `names` are the aliases of the F descriptors; of those that are `whole`, describing a crop by
    one vector, low similarities are heeded beside the others no further than the fit has seen.
    Coefficients are kept from going negative: more alike must never mean less probable.
    """
    from scipy.optimize import minimize

    y = examples.is_same.astype(np.float64)
    least, features = {}, examples.features.copy()
    local = [column for column, name in enumerate(names) if name not in whole]
    proof = features[:, local].sum(axis=1)
    for column, name in enumerate(names):
        if name in whole and local:
            floor = float(np.quantile(features[examples.is_same, column], RARE))
            least[name] = round(floor, 4)
            features[:, column] = heeded(features[:, column], least[name], proof)
    weight = examples.weights()
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = (features - mean) / scale

    def loss(theta: NDArray[np.float64]) -> float:
        z = x @ theta[1:] + theta[0]
        likelihood = np.sum(weight * (np.logaddexp(0.0, z) - y * z))
        return float(likelihood + 1e-4 * np.sum(theta[1:] ** 2))

    bounds = [(None, None)] + [(0.0, None)] * x.shape[1]
    best = minimize(loss, np.zeros(x.shape[1] + 1), bounds=bounds, method="L-BFGS-B").x
    slopes = best[1:] / scale
    return Calibration(
        intercept=round(float(best[0] - slopes @ mean), 4),
        coefficients={n: round(float(w), 4) for n, w in zip(names, slopes, strict=True)},
        least=least,
        fitted_on=fitted_on,
    )


def bordered(
    calibration: Calibration, examples: Examples, names: list[str], whole: Collection[str]
) -> Calibration:
    """The calibration with the border of each `whole` descriptor that makes the labels likeliest.

    The examples should hold different things that look all but the same and show keypoints, such as
    pages of text: to the slopes that photos gave they are no guide, for photos of one thing seldom
    look as alike as two crosswords do.
    """
    weight, y = examples.weights(), examples.is_same.astype(np.float64)
    columns = dict(zip(names, examples.features.T, strict=True))

    def loss(most: Mapping[str, float]) -> float:
        logits = calibration.model_copy(update={"most": most})._logits(columns)
        return float(np.sum(weight * (np.logaddexp(0.0, logits) - y * logits)))

    most: dict[str, float] = {}
    for name in whole:
        losses = [loss({**most, name: border}) for border in BORDERS]
        most[name] = BORDERS[int(np.argmin(losses))]
    return calibration.model_copy(update={"most": most})


def _shipped(name: str) -> Path:
    return weights.models_dir() / "calibrations" / f"{name}.yaml"


def fitted_for(extractors: Iterable[str]) -> Calibration | None:
    """The calibration that comes with the package for a set of extractors, if one does."""
    name = "+".join(sorted(extractors))
    return load(name) if _shipped(name).is_file() else None


def load(name: str) -> Calibration:
    """A calibration by the name of a set of extractors (`embedding+orb`), or from a YAML file.

    Raises ConfigError naming the file when there is none or it does not fit.
    """
    path = Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        path = _shipped(name)
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Calibration.model_validate(content)
    except FileNotFoundError:
        raise ConfigError(
            f"no calibration for '{name}' (looked for {path.absolute()}); "
            "make one with 'objsearch calibrate'"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot read the calibration '{path}': {error.strerror}") from None
    except ValidationError as error:
        raise ConfigError(f"{path}: not a calibration ({_told(error)})") from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: not a calibration ({str(error).splitlines()[0]})") from None


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "model_type":
        return "it holds no keys with their values; make one with 'objsearch calibrate'"
    key = ".".join(str(part) for part in first["loc"])
    said = str(first.get("ctx", {}).get("error") or first["msg"].lower())
    return f"{key}: {said}" if key else said


def save(calibration: Calibration, path: Path) -> None:
    """Write a calibration that `load` reads back, whole or not at all. Raises OSError."""
    data = calibration.model_dump(mode="json")
    for optional in ("least", "most", "tail"):
        if not data[optional]:
            del data[optional]
    write_whole(path, [yaml.safe_dump(data, sort_keys=False)])
