"""Detectors: where in an image are things? Each file holds the one it is named after."""

from objsearch.detect.base import Detector

__all__ = ["Detector"]
