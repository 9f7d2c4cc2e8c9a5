"""Two sides of 3D things, each in a place of its own: what `train.py --turned` learns from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from views import HANDLED, IN_PLACE, edited, pasted, plain_grounds, rehued

CUT = 160  # stored pixels a side
# A 3D thing in its place: it fills more of the view than a cut-out, and is never mirrored.
TURNED = replace(HANDLED, least_inside=0.5, mirror=0.0, perspective=0.15)
RECOLOURED = 4  # for so many 3D things of a batch there is one of them again, in other colours
LEAST_HUE = 0.17  # of the circle: a smaller turn can be the light's


class Turned:
    """Views of 3D things: (N, 4, CUT, CUT) uint8, and where each thing's begin, and how many."""

    def __init__(self, folder: Path, device: str, workers: int) -> None:
        things = sorted(path for path in folder.iterdir() if path.is_dir())
        files = [sorted(thing.iterdir()) for thing in things]
        with ThreadPoolExecutor(workers) as pool:
            views = list(pool.map(squared, [file for several in files for file in several]))
        self.views = torch.stack(views).to(device)
        self.count = torch.tensor([len(several) for several in files], device=device)
        self.first = self.count.cumsum(0) - self.count

    def two_sides(self, things: Tensor) -> list[Tensor]:
        """Two different views of each thing, (n, 4, CUT, CUT) each, in [0, 1]."""
        count = self.count[things]
        one = (torch.rand(len(things), device=things.device) * count).long()
        step = 1 + (torch.rand(len(things), device=things.device) * (count - 1)).long()
        rows = (one, (one + step) % count)
        return [self.views[self.first[things] + row].float() / 255 for row in rows]


def squared(path: Path) -> Tensor:
    """One view in the middle of an empty square."""
    view = Image.open(path).convert("RGBA")
    square = Image.new("RGBA", (CUT, CUT))
    square.paste(view, ((CUT - view.width) // 2, (CUT - view.height) // 2))
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)


@torch.no_grad()
def sides_of(
    turned: Turned, frames: Tensor, side: int, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Two views (n, 3, side, side) of each of n things, and which may be one thing (n, n).

    Every fifth is a thing that is there already, with its hues turned, and another thing: the same
    form in other colours. Where there is hardly a hue to turn, nobody can tell these two apart.
    """
    device = frames.device
    unlike = min(count, len(turned.count)) * RECOLOURED // (RECOLOURED + 1)
    things = torch.randperm(len(turned.count), device=device)[:unlike]
    again = unlike // RECOLOURED
    n = unlike + again
    hue = torch.zeros(n, device=device)
    hue[unlike:] = torch.empty(again, device=device).uniform_(LEAST_HUE, 1 - LEAST_HUE)
    is_clear = torch.ones(n, dtype=torch.bool, device=device)
    views = []
    for plain in turned.two_sides(torch.cat([things, things[:again]])):
        shown, is_seen = rehued(plain, hue)
        is_clear &= is_seen
        photos = frames[torch.randint(0, len(frames), (n,), device=device)].float() / 255
        is_bare = torch.rand(n, 1, 1, 1, device=device) < 0.5
        scenes = pasted(shown, torch.where(is_bare, plain_grounds(photos), photos), TURNED)
        views.append(edited(scenes, scenes.roll(1, 0), IN_PLACE, side))
    maybe_same = torch.zeros(n, n, dtype=torch.bool, device=device)
    first, second = torch.arange(again, device=device), torch.arange(unlike, n, device=device)
    maybe_same[first, second] = maybe_same[second, first] = ~is_clear[unlike:]
    return views[0], views[1], maybe_same
