"""The server on loopback, and readers that may go there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from objsearch.images.decode import Limits
from objsearch.sources import Network, Reading
from objsearch.sources.isolation import stop_all
from tests.sources.server import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture
def base(server: Server) -> str:
    server.asked.clear()
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def near() -> Reading:
    """Reads from this machine's own server, patient for a second and a half."""
    limits = Limits(max_bytes=1_000_000, timeout_seconds=1.5)
    return Reading(limits, Network(allow_private=True))


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    stop_all()
