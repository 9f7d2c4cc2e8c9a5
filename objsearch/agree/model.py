"""What was fitted on generated edits and on near-strangers: which places differ, and what follows.

Logistic models; `training/agreement/fit.py` makes `models/agreement.yaml` and says on what.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import yaml
from numpy.typing import NDArray

from objsearch.agree.places import FEATURES
from objsearch.components.weights import models_dir
from objsearch.errors import WeightsError

FILE = "agreement.yaml"
EVIDENCE = (
    "steady", "residual", "corners", "agreeing", "correlation", "low correlation", "worst",
    "informative",
    "plainly agreeing", "best quarter",
)  # fmt: skip
"""Of a pair as a whole: see `objsearch.agree.evidence`."""


def expanded(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., F) -> (..., F + F (F + 1) / 2): features and their products."""
    i, j = np.triu_indices(features.shape[-1])
    return np.concatenate([features, features[..., i] * features[..., j]], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Weights of the logistic models, the constant last."""

    places: NDArray[np.float32]
    shot: NDArray[np.float32]

    def differing(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) logits of a place to differ, of features (H, W, F)."""
        n = features.shape[-1]
        flat = features.reshape(-1, n)
        products = np.zeros((n, n), np.float32)
        products[np.triu_indices(n)] = self.places[n:-1]
        # As of `expanded` features, without writing these down.
        logits = np.einsum("pf,pf->p", flat @ products + self.places[:n], flat) + self.places[-1]
        return np.asarray(logits.reshape(features.shape[:-1]), np.float32)

    def same_shot(self, evidence: NDArray[np.float32]) -> float:
        """Probability that two pictures come from one shot or drawing, edited or not."""
        logit = float(evidence @ self.shot[:-1] + self.shot[-1])
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


@cache
def load_model() -> Model:
    """The fitted weights. Raises WeightsError when their file is missing or does not fit."""
    try:
        data = yaml.safe_load((models_dir() / FILE).read_text(encoding="utf-8"))
        if tuple(data["features"]) != FEATURES or tuple(data["evidence"]) != EVIDENCE:
            raise WeightsError(f"models/{FILE} was fitted for other features: fit it again")
        return Model(np.array(data["places"], np.float32), np.array(data["shot"], np.float32))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"models/{FILE} is missing or damaged ({error})") from None
