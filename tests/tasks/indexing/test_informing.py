"""What is said of an index with vectors in cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from objsearch.index import Index
from objsearch.index.lance import Lance
from objsearch.tasks.indexing.informing import info_lines, info_of
from objsearch.types import GlobalDescriptor
from tests.contracts.rows import RECIPE, By, row


def test_the_recall_of_the_search_through_cells_is_measured_and_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = [row(f"{i}.png", *rng.normal(size=8).astype(np.float32)) for i in range(400)]
    assert isinstance(rows[0].image.descriptors["fake"][0], GlobalDescriptor)  # type: ignore[union-attr]
    options = Lance(path=str(tmp_path / "index"), flat_regions=100, n_probes=1)
    index: Index = options.open(RECIPE, {"fake": By(0), "other": By(0)})
    index.put(rows)
    facts = info_of(index, "my index")
    [step] = [one for one in facts["next"] if one["command"].startswith("objsearch index compact")]
    assert step["command"].endswith("--index 'my index'")
    assert "index of 'vectors-fake'" in step["why"] and "fake: every vector" in told(facts)
    index.optimize()
    facts = info_of(index, "my index")
    assert facts["due"] == () and facts["n_indexed"] == {"fake": 400, "other": 400}
    assert 0 < facts["recall"]["fake"] <= 1
    share = f"{facts['recall']['fake']:.1%}"
    assert f"fake: 400 vectors in cells, {share} of the nearest found" in told(facts)


def told(facts: dict[str, object]) -> str:
    return "\n".join(info_lines(facts))
