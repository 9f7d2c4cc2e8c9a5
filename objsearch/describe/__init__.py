"""Extractors: what does a crop look like? Each file holds the one it is named after."""

from objsearch.describe.base import Extractor

__all__ = ["Extractor"]
