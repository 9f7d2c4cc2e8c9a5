"""Which pictures of a folder are unwanted?

    listing = screen_images(["photos"], load_settings({"screening": {"block": ["known-bad"]}}))
    for one in listing.flagged:
        print(one.ref, one.flags)

The rules are those of the settings' section `screening`; a search honours the same section.
"""

from objsearch.tasks.unwanted.looking import Listing, Screened, screen_images

__all__ = ["Listing", "Screened", "screen_images"]
