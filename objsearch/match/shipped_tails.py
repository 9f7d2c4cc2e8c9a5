"""The tails that come with the package, beside the calibrations: `calibrations/tails`.

What different photos score depends on the calibration and on how many regions the detector sees.
So there is a file a detector and set of extractors. A tail names the calibration that it was
measured with, and one of other coefficients has none until it is measured again.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from objsearch.components import weights
from objsearch.files import write_whole
from objsearch.match.calibration import Calibration
from objsearch.match.tail import Tail


def fingerprint(calibration: Calibration) -> str:
    """What tells calibrations apart that score differently: 12 hexadecimal digits."""
    scoring = calibration.model_dump(mode="json", include={*_SCORING})
    return hashlib.sha256(json.dumps(scoring, sort_keys=True).encode()).hexdigest()[:12]


_SCORING = ("intercept", "coefficients", "least", "most")


def with_tail(calibration: Calibration, detector: str) -> Calibration:
    """The calibration with its tail under a detector, where it has none and one was measured."""
    if calibration.tail is not None:
        return calibration
    path = tails_dir() / detector / f"{'+'.join(sorted(calibration.coefficients))}.yaml"
    if not path.is_file():
        return calibration
    content = _read(path)
    if content["calibration"] != fingerprint(calibration):
        return calibration
    return calibration.model_copy(update={"tail": content["tail"]})


def tails_dir() -> Path:
    """The folder of those that come with the package, a folder a detector in it."""
    return weights.models_dir() / "calibrations" / "tails"


def write_tail(path: Path, tail: Tail, calibration: Calibration) -> None:
    """Write a tail that `with_tail` finds for this calibration."""
    data = {"calibration": fingerprint(calibration), "tail": tail.model_dump(mode="json")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, [yaml.safe_dump(data, sort_keys=False, default_flow_style=None)])


@cache
def _read(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {**content, "tail": Tail.model_validate(content["tail"])}
