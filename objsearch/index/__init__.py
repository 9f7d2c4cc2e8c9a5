"""Indexes: keep described images and propose candidates."""

from objsearch.index.base import Index

__all__ = ["Index"]
