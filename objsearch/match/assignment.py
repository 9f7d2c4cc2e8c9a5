"""Which region belongs to which: one to one, so that the sum of scores is greatest.

The Hungarian method (Kuhn, 1955) in the form of Crouse (2016), by `scipy.optimize`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, Literal

import numpy as np

from objsearch.types import Scores

Rule = Literal["one-to-one", "one-to-many"]
SOLVER = "scipy.optimize._lsap"
"""The compiled module in which SciPy has its `linear_sum_assignment`."""


def assign(scores: Scores, floor: float, rule: Rule = "one-to-one") -> list[tuple[int, int]]:
    """Pairs (query, reference), best first; ties by index.

    `scores` (Q, R) in [0, 1]. Pairs below `floor` are no candidates, before and after. One-to-many
    lets a query region take every reference region over the floor: several copies in one photo.
    """
    allowed = scores >= floor
    # A single pair needs no method, and looks through folders need not wait for SciPy to load.
    if rule == "one-to-many" or scores.size == 1:
        rows, columns = np.nonzero(allowed)
    else:
        rows, columns = _solver()(np.where(allowed, scores, 0.0), maximize=True)
    pairs = [(int(q), int(r)) for q, r in zip(rows, columns, strict=True) if allowed[q, r]]
    return sorted(pairs, key=lambda pair: (-scores[pair], pair))


@cache
def _solver() -> Callable[..., Any]:
    """SciPy's `linear_sum_assignment`, without the rest of `scipy.optimize` where that can be.

    The whole package takes a third of a second to load, several times what a search takes.
    """
    package = find_spec("scipy")
    for folder in (package and package.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(folder, *SOLVER.split(".")[1:]).with_suffix(suffix)
            if path.is_file():
                return _loaded(path)
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment  # type: ignore[no-any-return]


def _loaded(path: Path) -> Callable[..., Any]:
    loader = ExtensionFileLoader(SOLVER, str(path))
    spec = spec_from_loader(SOLVER, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module.linear_sum_assignment  # type: ignore[no-any-return]
