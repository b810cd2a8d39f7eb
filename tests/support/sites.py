"""What lies between a browser and the app: another site that embeds it, and a wire that can be cut."""

from __future__ import annotations

import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

# Another `#address` changes the frame alone: the browser keeps its process, and with it the compiled code.
EMBED = """<!doctype html><title>Another site</title>
<style>body { margin: 0 } iframe { border: 0; width: 100vw; height: 100vh; display: block }</style>
<iframe id="app"></iframe>
<script>
  const show = () => { document.getElementById("app").src = window.location.hash.slice(1); };
  window.addEventListener("hashchange", show);
  show();
</script>"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/embed":
            self._answer(EMBED)
        elif asked.path == "/cookie":
            self._answer(self.headers.get("Cookie") or "no cookie", cookie="probe=1; SameSite=None; Secure; Path=/")
        else:
            self.send_error(404)

    def _answer(self, body: str, cookie: str = "") -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class EmbeddingSite:
    """A page on http://localhost that embeds `/embed#address`; for a browser, http://127.0.0.1 is another site.

    `/cookie`, asked for at 127.0.0.1, sets a cookie that is meant for frames, and shows what came back.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        port = self._server.server_address[1]
        self.url = f"http://localhost:{port}"
        self.cookie_url = f"http://127.0.0.1:{port}/cookie"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Connection:
    """One connection through the wire. When it is dead, both ends still believe in it."""

    def __init__(self, near: socket.socket, target: tuple[str, int], *, dead: bool) -> None:
        self.near, self.dead = near, dead
        self.far = None if dead else socket.create_connection(target)
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self) -> None:
        ways = {self.near: self.far, self.far: self.near} if self.far else {self.near: None}
        try:
            while ways:
                for source in select.select(list(ways), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        other = ways.pop(source)
                        if not self.dead and other is not None:
                            other.shutdown(socket.SHUT_WR)
                    elif not self.dead and (other := ways[source]) is not None:
                        other.sendall(data)
        except (OSError, ValueError):
            return

    def close(self) -> None:
        for end in (self.near, self.far):
            if end is not None:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.thread.join(5)
        for end in (self.near, self.far):
            if end is not None:
                end.close()


class Wire:
    """A TCP proxy in front of a server. While it is cut, it swallows everything and reports no error.

    Connections that were open when it was cut stay dead for good, as after a laptop's sleep.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[_Connection] = []
        self._lock = threading.Lock()
        self._cut = False
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            for connection in self._connections:
                connection.dead = True

    def mend(self) -> None:
        """New connections work again."""
        with self._lock:
            self._cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._lock:
                    self._connections.append(_Connection(near, self._target, dead=self._cut))
            except ConnectionRefusedError:
                near.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        for connection in self._connections:
            connection.close()
