"""Copies of a picture with more pixels than the one at hand.

    search = ObjectSearch.open("larger").add("photos")
    for copy in find_larger(search, "thumbnail.jpg").copies:
        print(copy.ref, copy.scale, copy.suspected_upscale)

Scale is measured through the transform that keypoints agree on, so that crops count right: by the
size of what they show. A copy that is larger and shows nothing more is marked, see `detail`.
"""

from objsearch.tasks.larger.finding import find_larger
from objsearch.tasks.larger.found import LargerAnswer, LargerCopy

__all__ = ["LargerAnswer", "LargerCopy", "find_larger"]
