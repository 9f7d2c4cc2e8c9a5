"""Images described but for what is made of crops of several: gathered, finished, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from objsearch.describe.base import Crop
from objsearch.flow import map_groups
from objsearch.settings import Channel, Settings
from objsearch.types import DescribedImage, Descriptor, Unreadable

HELD = 64
"""Most images that wait for their crops to be described, some 200 MB of pixels: a GPU's batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A described image, and by alias the crops of those descriptors that it lacks."""

    described: DescribedImage
    crops: Mapping[str, list[Crop]]

    def with_descriptors(self, alias: str, descriptors: Iterable[Descriptor]) -> Draft:
        """The same with a descriptor more, of which no crops are kept."""
        every = {**self.described.descriptors, alias: tuple(descriptors)}
        left = {name: crops for name, crops in self.crops.items() if name != alias}
        return Draft(replace(self.described, descriptors=every), left)


def finished(
    drafts: Iterable[Draft | Unreadable], settings: Settings, gathering: Mapping[str, int]
) -> Iterator[DescribedImage | Unreadable]:
    """The images with all descriptors, in order; `gathering` is how many crops go together."""
    for channel in settings.descriptors:
        if channel.alias in gathering:
            drafts = _gathered(drafts, channel, gathering[channel.alias])
    order = [channel.alias for channel in settings.descriptors]
    for draft in drafts:
        if isinstance(draft, Unreadable) or not gathering:
            yield draft if isinstance(draft, Unreadable) else draft.described
            continue
        every = draft.described.descriptors
        yield replace(draft.described, descriptors={alias: every[alias] for alias in order})


def _gathered(
    drafts: Iterable[Draft | Unreadable], channel: Channel, size: int
) -> Iterator[Draft | Unreadable]:
    alias = channel.alias
    groups = (
        (draft, () if isinstance(draft, Unreadable) else draft.crops[alias]) for draft in drafts
    )
    for draft, made in map_groups(channel.extractor.extract_batch, groups, size=size, most=HELD):
        yield draft if isinstance(draft, Unreadable) else draft.with_descriptors(alias, made)
