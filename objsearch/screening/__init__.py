"""Is a picture unwanted? Known images, examples and classifiers, as the settings say."""

from objsearch.screening.options import Screening, ScreeningAction
from objsearch.screening.rules import BlockList, Examples
from objsearch.screening.screen import Flags, Look, Screen, worst

__all__ = [
    "BlockList",
    "Examples",
    "Flags",
    "Look",
    "Screen",
    "Screening",
    "ScreeningAction",
    "worst",
]
