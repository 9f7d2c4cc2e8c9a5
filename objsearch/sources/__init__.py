"""What a person names -> images: files, folders, globs, bytes, streams, arrays, Pillow images.

`expand` lists places without opening them; `read_image` opens one. Every place ends as an `Image`
or as an `Unreadable` with its reason: nothing is silently dropped.
"""

from objsearch.sources.places import Place, expand
from objsearch.sources.reading import read_image, region_of

__all__ = ["Place", "expand", "read_image", "region_of"]
