"""How places are opened: limits, the network, and which pages and frames count."""

from __future__ import annotations

from dataclasses import dataclass, field

from objsearch.images.decode import Limits


@dataclass(frozen=True, slots=True)
class Network:
    """What may be fetched. `allow_private` lets URLs lead into the machine's own networks."""

    offline: bool = False
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that decides what becomes of a place.

    `pages` (PDF, TIFF) and `frames` (animations, videos) are `first`, `all` or `every-N`.
    """

    limits: Limits = field(default_factory=Limits)
    network: Network = field(default_factory=Network)
    pages: str = "all"
    frames: str = "first"
    embedded_images: bool = False

    @property
    def page_step(self) -> int:
        return step_of(self.pages)

    @property
    def frame_step(self) -> int:
        return step_of(self.frames)


def step_of(which: str) -> int:
    """`all` is every first one, `every-N` every N-th; 0 stands for `first`."""
    if which in ("first", "all"):
        return 0 if which == "first" else 1
    return int(which.removeprefix("every-"))
