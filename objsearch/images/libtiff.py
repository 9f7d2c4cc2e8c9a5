"""libtiff, as Pillow brings it: what it says is heard, and not written to people's terminals.

It goes on after codes of a fax that mean nothing, and says so on standard error alone: Pillow then
tells of a sound picture.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import PIL

_PLACES = ("../pillow.libs/libtiff*", ".dylibs/libtiff*")
"""Where wheels for Linux and macOS have it; in others it goes on writing, and is not heard."""
_FAX = b"Fax"
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)

_told = threading.local()


@contextmanager
def hearing() -> Iterator[Callable[[], bool]]:
    """Whether damaged codes of a fax were told of, inside of it and by this thread."""
    _listen()
    _told.of_fax = False
    yield lambda: bool(_told.of_fax)


@cache
def _listen() -> Any:
    """Have errors come to us: what is returned must live as long as the library does."""
    home = Path(PIL.__file__).parent
    found = [path for place in _PLACES for path in home.glob(place)]
    if not found:
        return None
    try:
        library = ctypes.CDLL(str(found[0]))
        handler = _Handler(_note)
        library.TIFFSetErrorHandler.restype = ctypes.c_void_p
        library.TIFFSetErrorHandler(handler)
    except (OSError, AttributeError):  # another library than that of the wheels
        return None
    return handler


def _note(module: bytes | None, _: bytes | None, __: int | None) -> None:
    if (module or b"").startswith(_FAX):
        _told.of_fax = True
