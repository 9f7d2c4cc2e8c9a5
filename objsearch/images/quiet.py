"""Codecs that keep quiet while they decode: what people are told are our own sentences."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import cast


class _Quiet:
    """While any thread decodes, Pillow's warnings are kept back: ours are for people.

    `warnings.catch_warnings` restores the filters of whoever leaves last, not of who came first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filter: object = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
                self._filter = warnings.filters[0]
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._filter in warnings.filters:
                cast("list[object]", warnings.filters).remove(self._filter)


quiet = _Quiet()

# What a library logs is written to standard error where nobody listens: whoever does still hears.
logging.getLogger("PIL").addHandler(logging.NullHandler())
