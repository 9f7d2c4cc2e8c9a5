"""A server on loopback that does to its clients what servers do."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.images import files


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: object) -> None:
        """In silence."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        name, _, rest = self.path.lstrip("/").partition("/")
        with contextlib.suppress(ConnectionError):
            getattr(self, f"do_{name.partition('?')[0]}", self.do_missing)(rest)

    def answer(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content_Length": str(len(data)), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_missing(self, rest: str) -> None:
        self.answer(b"<html>no</html>", 404, Content_Type="text/html")

    def do_file(self, rest: str) -> None:
        self.answer(files.every_format()[rest.partition("?")[0]], Content_Type="image/png")

    def do_lying_type(self, rest: str) -> None:
        self.answer(files.every_format()["drawing.png"], Content_Type="text/html")

    def do_page(self, rest: str) -> None:
        self.answer(b"<!doctype html><html>hi</html>", Content_Type="image/jpeg")

    def do_redirect(self, rest: str) -> None:
        self.answer(b"", 302, Location=rest if "://" in rest else "/" + rest)

    def do_hops(self, rest: str) -> None:
        left = int(rest)
        self.answer(b"", 307, Location=f"/hops/{left - 1}" if left else "/file/drawing.png")

    def do_nowhere(self, rest: str) -> None:
        self.answer(b"", 301)

    def do_too_short(self, rest: str) -> None:
        self.answer(b"only this", Content_Length="100000")
        self.close_connection = True

    def do_too_long(self, rest: str) -> None:
        data = files.every_format()["drawing.png"]
        self.answer(data + b"x" * 5000, Content_Length=str(len(data)))
        self.close_connection = True

    def do_boasts(self, rest: str) -> None:
        self.answer(b"", Content_Length=str(10**15))
        self.close_connection = True

    def do_endless(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while not self.server.end.is_set():
            self.wfile.write(b"\xff" * 65536)

    def do_chunked(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = files.every_format()["drawing.png"]
        for start in range(0, len(data), 1000):
            part = data[start : start + 1000]
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def do_stalls(self, rest: str) -> None:
        self.server.end.wait(20)
        self.close_connection = True

    def do_drips(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.server.end.is_set():
            self.wfile.write(b"x")
            time.sleep(0.05)

    def do_drips_headers(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.end.is_set():
            self.wfile.write(b"X: y\r\n")
            time.sleep(0.05)

    def do_packed(self, rest: str) -> None:
        data = gzip.compress(files.every_format()["drawing.png"])
        self.answer(data, Content_Encoding="gzip")

    def do_bomb(self, rest: str) -> None:
        self.answer(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")

    def do_strange(self, rest: str) -> None:
        self.answer(b"1234", Content_Encoding="br")

    def do_garbage(self, rest: str) -> None:
        self.wfile.write(b"\0\1\2 this is no HTTP\r\n\r\n")
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        files.every_format()  # made before the first request, not while it waits
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.end = threading.Event()  # then nothing may stall any longer

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what is wanted here."""


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.end.set()
        server.shutdown()
        thread.join()
        server.server_close()
