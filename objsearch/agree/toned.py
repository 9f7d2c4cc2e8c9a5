"""A copy in gray, in sepia, in paler colours: those say nothing against it.

Where two things lie on each other exactly, another colour in one place makes another of it. A
filter changes all of them, and one toning explains it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from objsearch.agree.agreement import OTHER_HUE
from objsearch.agree.hue import NEUTRAL, ONE_HUE, other_hue, resultant_of
from objsearch.agree.laying import Laid
from objsearch.agree.places import Map, colour_places
from objsearch.agree.tone import grayed

NO_COLOUR = 128.0
"""Cr and Cb of gray, in eight bits."""


def without_toning(laid: Laid) -> Laid:
    """Both pictures in gray, where they are plainly apart in colour, and one toning explains it.

    Else as they are; also where neither has more than one hue: then a toning of the one in red is
    the one in blue.
    """
    first, second = colour_places(laid.first), colour_places(laid.second)
    is_apart = float(np.linalg.norm(first - second, axis=2).max(initial=0)) > OTHER_HUE
    if not is_apart or not (_has_hues(first) or _has_hues(second)):
        return laid
    if other_hue(laid.first, laid.second, laid.inside).any():
        return laid
    return replace(laid, first=grayed(laid.first), second=grayed(laid.second))


def _has_hues(colours: Map) -> bool:
    """Whether colours (H, W, 2), Cr and Cb of eight bits, are of more than one hue."""
    colours = colours - NO_COLOUR
    where = np.linalg.norm(colours, axis=2) > NEUTRAL
    return bool(where.any()) and resultant_of(colours[where]) <= ONE_HUE
