"""The pictures of an icon: the largest first, and of one size first that of the most colours.

Pillow puts that last: of an icon that comes in 16 colours and in full ones it shows the former.
"""

from __future__ import annotations

from typing import Any

from PIL import Image as PillowImage


def n_icons(picture: Any) -> int:
    """How many pictures an opened icon holds."""
    return len(picture.ico.entry)


def icon_of(picture: Any, number: int) -> PillowImage.Image:
    """One of them, from 0. Raises IndexError, and what codecs raise."""
    entries = picture.ico.entry
    best_first = sorted(
        range(len(entries)),
        key=lambda place: (entries[place].square, entries[place].color_depth),
        reverse=True,
    )
    icon: PillowImage.Image = picture.ico.frame(best_first[number])
    icon.format = "ICO"
    return icon
