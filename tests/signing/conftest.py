"""Passwords whose keys are derived once, and pictures with the limits and faults of real ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from objsearch.signing.password import Key, Password
from objsearch.types import Pixels


@pytest.fixture(scope="session")
def password() -> Password:
    return Password("a right password")


@pytest.fixture(scope="session")
def wrong_password() -> Password:
    return Password("a wrong password")


@pytest.fixture(scope="session")
def key() -> Key:
    return Key(b"the key of the tests".ljust(32))


@pytest.fixture(scope="session")
def wrong_keys() -> list[Key]:
    return [Key(bytes([number]) * 32) for number in range(40)]


@pytest.fixture(scope="session")
def toys(pixels_of: Callable[[str], Pixels]) -> Pixels:
    return pixels_of("toys.jpg")


@pytest.fixture(scope="session")
def hard_pictures(toys: Pixels) -> dict[str, Pixels]:
    """Where a signature finds the least room: flat, black, white, the smallest, drawings, noise."""
    rng = np.random.default_rng(3)
    striped = np.zeros((150, 210, 3), np.uint8)
    striped[:, ::7] = 255
    return {
        "white": np.full((200, 260, 3), 255, np.uint8),
        "black": np.zeros((200, 260, 3), np.uint8),
        "gray": np.full((131, 129, 3), 128, np.uint8),
        "stripes": striped,
        "noise": rng.integers(0, 256, (160, 140, 3), dtype=np.uint8),
        "smallest": np.ascontiguousarray(toys[100:228, 200:328]),
        "long": np.ascontiguousarray(toys[40:168, :]),
    }
