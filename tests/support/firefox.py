"""A Firefox without a window, driven over Marionette, the protocol that each Firefox speaks by itself.

with Firefox("/usr/bin/firefox-esr", folder) as firefox:
    firefox.open("http://127.0.0.1:7860")
    firefox.wait_for("document.querySelector('#generate')")
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

START_SECONDS = 60
PATIENCE_SECONDS = 60
_WAIT = """
const done = arguments[0];
(function look() {
  const value = (() => { try { return %s; } catch { return null; } })();
  value ? done(value) : requestAnimationFrame(look);
})();
"""


class Firefox:
    """One Firefox with a profile of its own; a context manager."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._number = 0
        try:
            self._socket = _connect(port, self._process)
            self._receive()
            timeouts = {"script": PATIENCE_SECONDS * 1000, "pageLoad": PATIENCE_SECONDS * 1000}
            self._call("WebDriver:NewSession", capabilities={"alwaysMatch": {"timeouts": timeouts}})
        except BaseException:
            self._process.kill()
            raise

    def open(self, address: str) -> None:
        """Load a page."""
        self._call("WebDriver:Navigate", url=address)

    def run(self, script: str, *values: Any) -> Any:
        """Run a script, whose `arguments` are the values, and return what it returns."""
        return self._call("WebDriver:ExecuteScript", script=script, args=list(values))["value"]

    def wait_for(self, expression: str) -> Any:
        """Look with each frame until a JavaScript expression is true; return it."""
        return self._call("WebDriver:ExecuteAsyncScript", script=_WAIT % expression, args=[])["value"]

    def _call(self, name: str, **parameters: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._receive()
        if error:
            raise AssertionError(f"{name}: {error['error']}: {error['message']}")
        return result

    def _receive(self) -> Any:
        digits = b""
        while (byte := self._socket.recv(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox has ended")
            digits += byte
        text = b""
        while len(text) < int(digits):
            text += self._socket.recv(int(digits) - len(text))
        return json.loads(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Sequence[object]) -> None:
        self._process.kill()
        self._process.wait(20)
        self._socket.close()


def _connect(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """Connect once Firefox listens: it gives no other sign."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS + 30)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError(f"Firefox did not start (exit status {process.returncode})")
