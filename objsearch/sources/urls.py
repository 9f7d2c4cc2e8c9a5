"""http and https URLs -> bytes, within limits of time, size, redirects and address.

The environment's proxies are not used: behind one, nobody could check the address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits
from objsearch.sources.options import Network

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_REDIRECTS = (301, 302, 303, 307, 308)
_ENCODINGS = ("", "identity", "gzip", "deflate")  # others unpack without a bound on their growth


def scheme_of(text: str) -> str:
    """`http`, `ftp`, … of what looks like a URL; nothing for paths."""
    scheme = _SCHEME.match(text)
    return scheme[1].lower() if scheme else ""


def is_url(text: str) -> bool:
    return scheme_of(text) in ("http", "https")


def name_of(url: str) -> str:
    """The path in a URL, whose extension may be compared with the content."""
    return urlsplit(url).path


def fetch(url: str, limits: Limits, network: Network) -> bytes:
    """The body that a URL leads to, after at most five redirects, each of them checked anew.

    Raises UnreadableImageError: offline, refused, too slow, too large, or not to be had.
    """
    if network.offline:
        raise UnreadableImageError("it is on the network, and 'input.offline' is set")
    with _told(limits), _client(limits, network) as client:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", url) as response:
                if response.status_code not in _REDIRECTS:
                    return _body(response, limits)
                url = _next_url(response)
    raise UnreadableImageError(f"more than {MAX_REDIRECTS} redirects")


@contextmanager
def _client(limits: Limits, network: Network) -> Iterator[httpx.Client]:
    import httpx

    from objsearch.sources.addresses import CheckedBackend

    ssl_context = _ssl_context()
    deadline = time.monotonic() + limits.timeout_seconds
    backend = CheckedBackend(allow_private=network.allow_private, deadline=deadline)
    # What a server is told: what we are, and that packed answers are not wanted.
    headers = {"User-Agent": "objsearch", "Accept": "*/*", "Accept-Encoding": "identity"}
    with httpx.Client(
        transport=_transport(backend, ssl_context),
        headers=headers,
        timeout=limits.timeout_seconds,
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield client


def _transport(backend: Any, ssl_context: Any) -> httpx.BaseTransport:
    import httpcore
    import httpx

    class Transport(httpx.BaseTransport):
        """httpx over connections of our own making."""

        def __init__(self) -> None:
            self._pool = httpcore.ConnectionPool(ssl_context, network_backend=backend)

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            url = request.url
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    extensions=request.extensions,
                )
            )
            return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

        def close(self) -> None:
            self._pool.close()

    class _Body(httpx.SyncByteStream):
        def __init__(self, answer: httpcore.Response) -> None:
            self._answer = answer

        def __iter__(self) -> Iterator[bytes]:
            yield from self._answer.iter_stream()

        def close(self) -> None:
            self._answer.close()

    return Transport()


@cache
def _ssl_context() -> Any:
    import httpx

    return httpx.create_ssl_context()


def _next_url(response: httpx.Response) -> str:
    location = response.headers.get("location", "")
    if not location:
        raise UnreadableImageError("the server redirects without saying where to")
    url = str(response.url.join(location))
    if not is_url(url):
        raise UnreadableImageError("the server redirects to what is no URL of http or https")
    return url


def _body(response: httpx.Response, limits: Limits) -> bytes:
    if response.status_code != 200:
        raise UnreadableImageError(f"the server answers {response.status_code}")
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise UnreadableImageError(f"the server packs it as '{encoding}', which was not asked for")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_bytes:
        raise UnreadableImageError(
            f"larger than {limits.max_bytes:,} bytes, the limit input.max_bytes"
        )
    parts: list[bytes] = []
    n_bytes = 0
    for part in response.iter_bytes():
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > limits.max_bytes:
            raise UnreadableImageError(
                f"larger than {limits.max_bytes:,} bytes, the limit input.max_bytes"
            )
    return b"".join(parts)


@contextmanager
def _told(limits: Limits) -> Iterator[None]:
    """Whatever the network does leaves as one sentence."""
    import httpcore
    import httpx

    try:
        yield
    except (httpcore.TimeoutException, httpx.TimeoutException):
        seconds = f"{limits.timeout_seconds:g}"
        raise UnreadableImageError(
            f"the server takes longer than {seconds} seconds, the limit input.timeout_seconds"
        ) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol, ValueError):
        raise UnreadableImageError("not a URL of http or https") from None
    except (httpcore.ConnectError, httpx.ConnectError) as error:
        raise UnreadableImageError(f"no connection to the server ({error})") from None
    except httpcore.RemoteProtocolError:
        raise UnreadableImageError("the server breaks off, or speaks no HTTP") from None
    except (
        *(httpcore.NetworkError, httpcore.ProtocolError),
        *(httpx.HTTPError, httpx.StreamError, httpx.CookieConflict),
    ) as error:
        raise UnreadableImageError(f"it cannot be fetched ({error})") from None
