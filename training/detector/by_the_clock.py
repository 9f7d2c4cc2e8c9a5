"""Train for so many minutes: tell the losses, and keep the weights, on the way."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor


def by_the_clock(
    step: Callable[[float, int], Tensor],
    keep: Callable[[int], None],
    *,
    minutes: float,
    parts: int,
    every: int,
) -> int:
    """Call `step`, with the part of the time that is gone and the steps that were made, until none
    is left; returns how many were made.

    The mean of the losses that it returns is told after each `every` steps; `keep` is called with
    a number after each of the `parts` of the time but the last.
    """
    begun, steps, kept, seen = time.monotonic(), 0, 0, list[Tensor]()
    while (gone := (time.monotonic() - begun) / (minutes * 60)) < 1:
        seen.append(step(gone, steps))
        steps += 1
        if steps % every == 0:
            shown = " ".join(f"{value:.3f}" for value in (sum(seen) / every).tolist())
            print(f"{steps} {time.monotonic() - begun:.0f} s: {shown}", flush=True)
            seen.clear()
        if gone > (kept + 1) / parts:
            kept += 1
            keep(kept)
    return steps
