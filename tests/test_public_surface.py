"""What the package promises to keep."""

from __future__ import annotations

import importlib.metadata

import pytest

import objsearch

PUBLIC = [
    *("Answer", "Box", "Hit", "Image", "ImageRef", "ObjSearchError", "ObjectSearch", "Region"),
    *("RegionPair", "Settings", "Where", "load_settings"),
]


def test_the_public_names_are_these() -> None:
    assert sorted(objsearch.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(objsearch))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_loads_and_has_a_docstring(name: str) -> None:
    thing = getattr(objsearch, name)
    assert thing.__name__ == name
    assert (thing.__doc__ or "").strip()
    assert not thing.__doc__.startswith(f"{name}(")  # a dataclass without one has its signature


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Search'"):
        _ = objsearch.Search


def test_the_version_is_the_installed_one() -> None:
    assert importlib.metadata.version("objsearch") == objsearch.__version__
