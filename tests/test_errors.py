"""One tree of errors, and the nearest name."""

from __future__ import annotations

import inspect

import pytest

from objsearch import errors
from objsearch.errors import ObjSearchError, nearest

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_tree_and_drawn(kind: type[Exception]) -> None:
    assert issubclass(kind, ObjSearchError)
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__doc__


def test_the_nearest_name_is_offered_when_one_is_near() -> None:
    assert nearest("treshold", ["threshold", "top"]) == "; did you mean 'threshold'?"
    assert nearest("zzz", ["threshold", "top"]) == ""
    assert nearest("x", []) == ""
