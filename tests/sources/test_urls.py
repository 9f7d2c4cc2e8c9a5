"""URLs: what servers do, and what must not be fetched."""

from __future__ import annotations

import http.client
import time
from typing import Any

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.images.decode import Limits
from objsearch.sources import Network, Place, Reading, expand, read_image
from objsearch.sources.urls import is_url, name_of
from objsearch.types import Image, ImageRef, Unreadable
from tests.images import files
from tests.sources.server import Server


def read(url: str, reading: Reading) -> Image | Unreadable:
    (place,) = expand(url)
    assert isinstance(place, Place)
    return read_image(place, reading)


def reason(url: str, reading: Reading) -> str:
    result = read(url, reading)
    assert isinstance(result, Unreadable), result
    assert "\n" not in result.reason and len(result.reason) < 200
    assert str(result.ref) == url
    return result.reason


@pytest.mark.parametrize(
    "path",
    [
        "file/drawing.png",
        "file/drawing.png?width=200&x=[1]",
        "redirect/file/drawing.png",
        "hops/4",
        "lying_type/a.png",
        "too_long",
        "chunked",
        "packed",
    ],
)
def test_what_can_be_read(base: str, near: Reading, path: str) -> None:
    image = read(f"{base}/{path}", near)
    assert isinstance(image, Image), image
    assert np.array_equal(image.pixels, files.pixels())
    assert str(image.ref) == f"{base}/{path}"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("missing", "the server answers 404"),
        ("page", "a web page, not an image"),
        ("nowhere", "without saying where"),
        ("hops/20", "more than 5 redirects"),
        ("too_short", "breaks off"),
        ("garbage", "speaks no HTTP"),
        ("boasts", "larger than 1,000,000 bytes"),
        ("endless", "larger than 1,000,000 bytes"),
        ("bomb", "larger than 1,000,000 bytes"),
        ("strange", "packs it as 'br'"),
        ("redirect/ftp://127.0.0.1/a.png", "no URL of http or https"),
        ("redirect/file:///etc/passwd", "no URL of http or https"),
    ],
)
def test_what_cannot_be_read_is_told(base: str, near: Reading, path: str, told: str) -> None:
    assert told in reason(f"{base}/{path}", near)


@pytest.mark.parametrize("path", ["stalls", "drips", "drips_headers"])
def test_no_server_keeps_us_waiting(base: str, path: str) -> None:
    started = time.monotonic()
    impatient = Reading(Limits(timeout_seconds=0.2), Network(allow_private=True))
    told = "the server takes longer than 0.2 seconds, the limit input.timeout_seconds"
    assert reason(f"{base}/{path}", impatient) == told
    assert time.monotonic() - started < 4


def test_nobody_there(near: Reading) -> None:
    assert "no connection" in reason("http://127.0.0.1:1/a.png", near)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1"),
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
        *("[::ffff:127.0.0.1]", "[fe80::1]", "[fc00::1]", "224.0.0.1", "255.255.255.255"),
    ],
)
def test_private_addresses_are_refused(host: str) -> None:
    assert "private address" in reason(f"http://{host}/a.png", Reading())


def test_a_redirect_to_a_private_address_is_refused(
    base: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hop is public (as far as the check can tell), the second one is not."""
    from objsearch.sources import addresses

    port = server.server_address[1]
    real = addresses.is_public
    monkeypatch.setattr(
        addresses, "is_public", lambda address: str(address) == "127.0.0.1" or real(address)
    )
    reading = Reading(Limits(timeout_seconds=5))
    for target in (f"http://[::1]:{port}/file/drawing.png", "http://10.1.2.3/a.png"):
        assert "private address" in reason(f"{base}/redirect/{target}", reading)
    assert isinstance(read(f"{base}/redirect/file/drawing.png", reading), Image)


def test_the_address_that_was_checked_is_the_one_connected_to(
    server: Server, monkeypatch: pytest.MonkeyPatch, near: Reading
) -> None:
    """A name server that changes its mind is asked once; the server still sees the name."""
    import socket

    asked: list[str] = []
    real = socket.getaddrinfo
    port = server.server_address[1]

    def changing(host: Any, *rest: Any, **options: Any) -> Any:
        if host != "images.example":
            return real(host, *rest, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    server.asked.clear()
    image = read(f"http://images.example:{port}/file/drawing.png", near)
    assert isinstance(image, Image), image
    assert len(asked) == 1
    (_, headers) = server.asked[-1]
    assert headers["Host"] == f"images.example:{port}"


def test_a_name_that_leads_to_private_addresses_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **options: real("127.0.0.1", *rest, **options)
    )
    told = reason("http://innocent.example/a.png", Reading())
    assert "innocent.example (127.0.0.1) is a private address" in told


def test_a_slow_name_server_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    monkeypatch.setattr(socket, "getaddrinfo", lambda *rest, **options: time.sleep(4) or [])
    impatient = Reading(Limits(timeout_seconds=0.3))
    started = time.monotonic()
    assert "not found in time" in reason("http://slow.example/a.png", impatient)
    assert time.monotonic() - started < 3


def test_what_a_server_is_told(base: str, server: Server, near: Reading) -> None:
    """Nothing of the user: no cookies, no names, no versions."""
    read(f"{base}/file/drawing.png", near)
    (_, headers) = server.asked[-1]
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert headers["User-Agent"] == "objsearch"


def test_proxies_of_the_environment_are_not_used(
    base: str, near: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(read(f"{base}/file/drawing.png", near), Image)


def test_offline_refuses_all(base: str, server: Server) -> None:
    reading = Reading(network=Network(offline=True, allow_private=True))
    assert "offline" in reason(f"{base}/file/drawing.png", reading)
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["ftp://host/a.png", "file:///etc/passwd", "gopher://x/", "s3://b/k"]
)
def test_other_schemes_are_usage_errors(url: str) -> None:
    with pytest.raises(UsageError, match="no URL of http or https"):
        expand(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///a.png",
        "https://[::1",
        "http://a b/",
        "http://x:99999/a",
        "http://" + "a" * 300,
    ],
)
def test_odd_urls_are_told(url: str) -> None:
    result = read_image(Place(ImageRef(url)), Reading(Limits(timeout_seconds=3)))
    assert isinstance(result, Unreadable)


def test_a_part_of_a_url(base: str, near: Reading) -> None:
    image = read(f"{base}/file/drawing.png#xywh=10,20,100,50", near)
    assert isinstance(image, Image)
    assert np.array_equal(image.pixels, files.pixels()[20:70, 10:110])


def test_size_limits_hold_for_urls(base: str) -> None:
    reading = Reading(Limits(max_megapixels=0.01), Network(allow_private=True))
    assert "over the limit" in reason(f"{base}/file/drawing.png", reading)


def test_names() -> None:
    assert is_url("HTTPS://x/a.png") and not is_url("x:/a.png") and not is_url("C:\\a.png")
    assert name_of("https://x/dir/a.png?size=3") == "/dir/a.png"


def test_the_server_is_a_real_one(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    connection.request("GET", "/file/drawing.png")
    assert connection.getresponse().read() == files.every_format()["drawing.png"]
    connection.close()
