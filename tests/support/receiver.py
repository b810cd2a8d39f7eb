"""A server that receives webhooks, and answers as a test wants."""

from __future__ import annotations

import queue
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


class Receiver:
    """Receives messages on http://127.0.0.1; as a context manager it is always closed.

    Attributes:
        url: where it listens.
        status: what it answers with, a number or one for each message.
        body, headers: the rest of the answer.
        messages: a queue of (headers, body) of what came.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.put(({name.lower(): value for name, value in self.headers.items()}, body))
                status = receiver.status.pop(0) if isinstance(receiver.status, list) else receiver.status
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                receiver.answer(self.wfile)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

            def handle_error(self, *_: Any) -> None:
                """The sender hung up, which some tests want."""

        self.messages: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.status: int | list[int] = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self._server = Server((host, 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/hook"

    def answer(self, stream: Any) -> None:
        """Write the body of an answer."""
        stream.write(self.body)

    def next(self, secret: str) -> tuple[str, dict[str, Any]]:
        """Wait for a message; its id and content, verified as the specification says."""
        headers, body = self.messages.get(timeout=30)
        return headers["webhook-id"], Webhook(secret).verify(body, headers)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
