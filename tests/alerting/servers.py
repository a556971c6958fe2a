"""A webhook and a mail server on this machine, for one test each: what arrives over a socket."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Arrived:
    """What a server was sent; `status` is what the webhook answers."""

    def __init__(self) -> None:
        self.port = 0
        self.status = 200
        self.bodies: list[str] = []


@contextmanager
def webhook() -> Iterator[Arrived]:
    """An HTTP server that takes POSTs."""
    arrived = Arrived()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(arrived.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not to stderr."""

    with _serving(HTTPServer(("127.0.0.1", 0), Handler), arrived):
        yield arrived


@contextmanager
def mail() -> Iterator[Arrived]:
    """As much of SMTP as one message without a password needs (RFC 5321)."""
    arrived = Arrived()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    arrived.bodies.append(b"".join(lines).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    return

    with _serving(socketserver.TCPServer(("127.0.0.1", 0), Handler), arrived):
        yield arrived


@contextmanager
def _serving(server: socketserver.TCPServer, arrived: Arrived) -> Iterator[None]:
    arrived.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
