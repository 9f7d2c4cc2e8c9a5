"""Indexes: keep described images and propose candidates."""

from objsearch.index.base import Index, IndexOptions
from objsearch.index.where import EVERYTHING, Where

__all__ = ["EVERYTHING", "Index", "IndexOptions", "Where"]
