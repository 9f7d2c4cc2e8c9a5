"""Matching: how alike are two sets of regions, which belong together, and does geometry agree?"""

from objsearch.match.base import Matcher

__all__ = ["Matcher"]
