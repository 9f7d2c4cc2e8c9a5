"""Host names -> addresses that may be connected to, and connections to those very addresses.

A name is asked for once a connection. The address that was checked is the one connected to, so that
a name server cannot say one thing to the check and another to the socket.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from objsearch.errors import UnreadableImageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also when it wraps another one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return False  # nobody needs it, and filters stumble over it
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.teredo[1] if address.teredo is not None else address.sixtofour
        if address.is_site_local or (inner is not None and not is_public(inner)):
            return False
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return address.is_global and not address.is_link_local and not address.is_loopback


def checked_addresses(
    host: str, port: int, *, allow_private: bool, deadline: float
) -> list[Address]:
    """Addresses of a host that may be connected to, in the system's order.

    Raises UnreadableImageError when the name is unknown or leads to private addresses only.
    """
    addresses = [ipaddress.ip_address(text) for text in _resolved(host, port, deadline)]
    allowed = [address for address in addresses if allow_private or is_public(address)]
    if not allowed:
        where = host if host == str(addresses[0]) else f"{host} ({addresses[0]})"
        raise UnreadableImageError(
            f"{where} is a private address, and those are refused; "
            "--set input.allow_private=true allows them"
        )
    return allowed


def _resolved(host: str, port: int, deadline: float) -> list[str]:
    """What the system's resolver says, waited for no longer than the deadline."""
    answers: queue.Queue[list[Any] | OSError | UnicodeError] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="objsearch-dns", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise UnreadableImageError(f"the name {host} is not found in time") from None
    if not isinstance(answer, list) or not answer:
        raise UnreadableImageError(f"there is no host {host}")
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in answer))


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses alone, and ends whatever lasts past the deadline."""

    def __init__(self, *, allow_private: bool, deadline: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._allow_private = allow_private
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = checked_addresses(
            host, port, allow_private=self._allow_private, deadline=self._deadline
        )
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(str(address), port, _left(self._deadline))
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("a URL leads to no socket of this machine")


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline: sending drop by drop gains no time."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left
