"""Random edits of pictures on the device that trains: what a copy goes through on its way.

Everything works on batches `(N, 3, S, S)` of float32 in [0, 1]. The list of edits follows the Image
Similarity Challenge (Douze et al., 2021) and SSCD (Pizzi et al., CVPR 2022): crops, turns, mirrors,
odd aspects, perspective, colour, blur, noise, lost resolution, things laid over, and the picture
laid into another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 its usual name
from torch import Tensor


@dataclass(frozen=True)
class Strength:
    """How far the edits go; probabilities are per picture."""

    least_area: float = 0.35
    aspect: float = 0.5  # the logarithm of the change of aspect, either way
    turn_degrees: float = 30.0
    perspective: float = 0.15
    mirror: float = 0.5
    upside_down: float = 0.25
    quarter: float = 0.15
    colour: float = 0.8
    gray: float = 0.1
    blur: float = 0.25
    coarse: float = 0.3
    noise: float = 0.25
    laid_over: float = 0.25
    laid_into: float = 0.2
    least_inside: float = 0.55  # of the width and height, of a picture laid into another


MILD = Strength(0.7, 0.2, 8.0, 0.05, 0.5, 0.0, 0.0, 0.5, 0.0, 0.1, 0.1, 0.1, 0.05, 0.05)
STRONG = Strength()
# A thing in another place: from nearer or farther, tilted, in other light, partly hidden.
HANDLED = Strength(
    least_area=0.6, aspect=0.3, turn_degrees=20.0, perspective=0.3, mirror=0.25, upside_down=0.0,
    quarter=0.1, colour=0.6, gray=0.05, blur=0.2, coarse=0.3, noise=0.2, laid_over=0.25,
    laid_into=0.4, least_inside=0.35,
)  # fmt: skip
# The camera's part, after a thing was laid into its place.
IN_PLACE = Strength(
    least_area=0.8, aspect=0.2, turn_degrees=8.0, perspective=0.05, mirror=0.0, upside_down=0.0,
    quarter=0.0, colour=0.5, gray=0.03, blur=0.15, coarse=0.2, noise=0.15, laid_over=0.15,
    laid_into=0.0,
)  # fmt: skip


def _uniform(like: Tensor, n: int, low: float, high: float) -> Tensor:
    return torch.empty(n, device=like.device).uniform_(low, high)


def _chance(like: Tensor, n: int, probability: float) -> Tensor:
    return torch.rand(n, device=like.device) < probability


def homographies(pictures: Tensor, how: Strength) -> Tensor:
    """(N, 3, 3) maps from places of the view to places of the picture, both in [-1, 1]."""
    n = len(pictures)
    area = _uniform(pictures, n, how.least_area, 1.0)
    aspect = torch.exp(_uniform(pictures, n, -how.aspect, how.aspect) / 2)
    # About half of the views keep the whole picture: most copies are not crops.
    area = torch.where(_chance(pictures, n, 0.4), torch.ones_like(area), area)
    wide, high = area.sqrt() * aspect, area.sqrt() / aspect
    # With the whole picture kept, the aspect changes nothing: the square is squashed anyway.
    x = _uniform(pictures, n, -1, 1) * (1 - wide).clamp(min=0)
    y = _uniform(pictures, n, -1, 1) * (1 - high).clamp(min=0)
    turned = _chance(pictures, n, 0.5) * _uniform(pictures, n, -how.turn_degrees, how.turn_degrees)
    quarters = _chance(pictures, n, how.quarter) * torch.randint(0, 4, (n,), device=area.device)
    angle = torch.deg2rad(turned + 90.0 * quarters)
    # A turned picture is shown whole, with empty corners, or cut to what is full.
    shown = torch.where(
        _chance(pictures, n, 0.5), angle.sin().abs() + angle.cos().abs(), torch.ones_like(angle)
    )
    mirror = torch.where(_chance(pictures, n, how.mirror), -1.0, 1.0)
    upside = torch.where(_chance(pictures, n, how.upside_down), -1.0, 1.0)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    turn = torch.stack(
        [
            torch.stack([angle.cos(), -angle.sin(), zero], 1),
            torch.stack([angle.sin(), angle.cos(), zero], 1),
            torch.stack([zero, zero, one], 1),
        ],
        1,
    )
    scale = torch.stack(
        [
            torch.stack([wide * mirror * shown, zero, x], 1),
            torch.stack([zero, high * upside * shown, y], 1),
            torch.stack([zero, zero, one], 1),
        ],
        1,
    )
    tilt = torch.eye(3, device=x.device).repeat(n, 1, 1)
    tilt[:, 2, :2] = _uniform(pictures, 2 * n, -how.perspective, how.perspective).view(n, 2)
    return scale @ turn @ tilt


def warp(pictures: Tensor, maps: Tensor, size: int, filled: bool = True) -> Tensor:
    """The pictures seen through the maps; outside lies one random colour a picture, or nothing."""
    n = len(pictures)
    steps = (torch.arange(size, device=pictures.device) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3) @ maps.transpose(1, 2)
    grid = (places[..., :2] / places[..., 2:].clamp(min=0.2)).view(n, size, size, 2)
    seen = F.grid_sample(pictures, grid, align_corners=False, padding_mode="zeros")
    if not filled:
        return seen
    inside = (grid.abs() <= 1).all(-1, keepdim=True).permute(0, 3, 1, 2)
    colour = torch.rand(n, 3, 1, 1, device=pictures.device)
    kind = torch.rand(n, 1, 1, 1, device=pictures.device)
    colour = torch.where(kind < 0.35, torch.zeros_like(colour), colour)
    colour = torch.where(kind > 0.65, torch.ones_like(colour), colour)
    return torch.where(inside, seen, colour)


def recolour(views: Tensor, how: Strength) -> Tensor:
    """Brightness, contrast, saturation, channel gains, gamma; some in gray."""
    n = len(views)
    on = _chance(views, n, how.colour).view(n, 1, 1, 1)
    gain = _uniform(views, 3 * n, 0.8, 1.25).view(n, 3, 1, 1)
    bright = _uniform(views, n, 0.65, 1.4).view(n, 1, 1, 1)
    contrast = _uniform(views, n, 0.6, 1.5).view(n, 1, 1, 1)
    vivid = _uniform(views, n, 0.2, 1.8).view(n, 1, 1, 1)
    gamma = torch.exp(_uniform(views, n, -0.4, 0.4)).view(n, 1, 1, 1)
    mean = views.mean((1, 2, 3), keepdim=True)
    changed = ((views - mean) * contrast + mean) * bright * gain
    luma = changed.mean(1, keepdim=True)
    changed = (luma + (changed - luma) * vivid).clamp(0, 1) ** gamma
    views = torch.where(on, changed, views)
    gray = _chance(views, n, how.gray).view(n, 1, 1, 1)
    return torch.where(gray, views.mean(1, keepdim=True).expand_as(views), views)


def spoil(views: Tensor, how: Strength) -> Tensor:
    """Blur, lost resolution, block noise as of strong compression, grain."""
    n, size = len(views), views.shape[-1]
    some = _chance(views, n, how.blur).view(n, 1, 1, 1)
    kernel = int(torch.randint(1, 4, (1,))) * 2 + 1
    blurred = F.avg_pool2d(F.pad(views, [kernel // 2] * 4, mode="reflect"), kernel, stride=1)
    views = torch.where(some, blurred, views)
    small = int(size * float(torch.empty(1).uniform_(0.25, 0.7)))
    coarse = F.interpolate(views, small, mode="bilinear", antialias=True, align_corners=False)
    coarse = F.interpolate(coarse, size, mode="bilinear", align_corners=False)
    some = _chance(views, n, how.coarse).view(n, 1, 1, 1)
    views = torch.where(some, coarse, views)
    some = _chance(views, n, how.noise).view(n, 1, 1, 1)
    grain = torch.randn_like(views) * _uniform(views, n, 0.0, 0.08).view(n, 1, 1, 1)
    return torch.where(some, views + grain, views).clamp(0, 1)


def _rectangles(views: Tensor, least: float, most: float) -> tuple[Tensor, Tensor]:
    """Masks (N, 1, S, S) of random upright rectangles, and maps from the view to their insides."""
    n, size = len(views), views.shape[-1]
    wide, high = _uniform(views, n, least, most), _uniform(views, n, least, most)
    x = _uniform(views, n, -1, 1) * (1 - wide)
    y = _uniform(views, n, -1, 1) * (1 - high)
    steps = (torch.arange(size, device=views.device) + 0.5) / size * 2 - 1
    in_x = (steps[None] - x[:, None]).abs() <= wide[:, None]
    in_y = (steps[None] - y[:, None]).abs() <= high[:, None]
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    maps = torch.stack(
        [
            torch.stack([1 / wide, zero, -x / wide], 1),
            torch.stack([zero, 1 / high, -y / high], 1),
            torch.stack([zero, zero, one], 1),
        ],
        1,
    )
    return (in_y[:, None, :, None] & in_x[:, None, None, :]), maps


def lay(views: Tensor, others: Tensor, how: Strength) -> Tensor:
    """Some views get a piece of another picture or a bar laid over, some are laid into another."""
    n, size = len(views), views.shape[-1]
    over, _ = _rectangles(views, 0.08, 0.5)
    bar = torch.rand(n, 3, 1, 1, device=views.device).expand_as(views)
    piece = torch.where(_chance(views, n, 0.5).view(n, 1, 1, 1), bar, others)
    some = _chance(views, n, how.laid_over).view(n, 1, 1, 1)
    views = torch.where(some & over, piece, views)
    into, maps = _rectangles(views, how.least_inside, 0.95)
    inner = warp(views, maps, size)
    some = _chance(views, n, how.laid_into).view(n, 1, 1, 1)
    return torch.where(some, torch.where(into, inner, others), views)


def pasted(things: Tensor, grounds: Tensor, how: Strength) -> Tensor:
    """Cut-outs (N, 4, C, C) laid into pictures (N, 3, S, S), tilted, at 0.35 to 1 of their size."""
    n, size = len(things), grounds.shape[-1]
    whole = replace(how, least_area=1.0)
    things = warp(things, homographies(things, whole), size, filled=False)
    _, maps = _rectangles(things, how.least_inside, 1.0)
    things = warp(things, maps, size, filled=False)
    gain = _uniform(things, n, 0.7, 1.4).view(n, 1, 1, 1)
    alpha = things[:, 3:]
    return grounds * (1 - alpha) + (things[:, :3] * gain).clamp(0, 1) * alpha


def rehued(things: Tensor, by: Tensor) -> tuple[Tensor, Tensor]:
    """Cut-outs (N, 4, C, C), hues turned `by` (N,) of the circle; whether that can be seen (N,).

    A turn about the gray axis, which keeps the mean of the channels.
    """
    n = len(things)
    angle = 2 * torch.pi * by
    cos, sin = angle.cos(), angle.sin() / 3**0.5
    share = (1 - cos) / 3
    rows = torch.stack(
        [cos + share, share - sin, share + sin, share + sin, cos + share, share - sin,
         share - sin, share + sin, cos + share], 1,
    ).view(n, 3, 3)  # fmt: skip
    turned = torch.einsum("nij,njhw->nihw", rows, things[:, :3]).clamp(0, 1)
    alpha = things[:, 3:]
    moved = (turned - things[:, :3]).abs().amax(1, keepdim=True) * alpha
    seen = moved.sum((1, 2, 3)) / alpha.sum((1, 2, 3)).clamp(min=1) > 0.08
    return torch.cat([turned, alpha], 1), seen | (by == 0)


def plain_grounds(like: Tensor) -> Tensor:
    """(N, 3, S, S) bare grounds: black, white, gray or a soft colour, some lit from one side."""
    n = len(like)
    level = torch.rand(n, 3, 1, 1, device=like.device)
    gray = level.mean(1, keepdim=True).expand_as(level)
    kind = torch.rand(n, 1, 1, 1, device=like.device)
    level = torch.where(kind < 0.7, gray, 0.5 * (level + gray))
    level = torch.where(kind < 0.4, torch.ones_like(level), level)
    level = torch.where(kind < 0.2, torch.zeros_like(level), level)
    ramp = torch.linspace(-1, 1, like.shape[-1], device=like.device).view(1, 1, 1, -1)
    tilt = _uniform(like, n, -0.2, 0.2).view(n, 1, 1, 1)
    return (level * (1 + tilt * ramp)).clamp(0, 1).expand_as(like)


def edited(pictures: Tensor, others: Tensor, how: Strength, size: int) -> Tensor:
    """(N, 3, size, size) one random view of each picture.

    `others` (N, 3, S, S) are the pictures that are laid over and under.
    """
    views = warp(pictures, homographies(pictures, how), size)
    others = F.interpolate(others, size, mode="bilinear", antialias=True, align_corners=False)
    return spoil(recolour(lay(views, others, how), how), how)
