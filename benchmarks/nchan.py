"""The peer: nginx with nchan, one process, which sends what is POSTed to it to all who listen."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

CONFIG: Final = Path(__file__).with_name("nchan.conf")
MODULES: Final = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")


def missing() -> str:
    """What this machine lacks, in words; empty when nothing."""
    if _nginx() is None or _module() is None:
        return "nginx with nchan is not installed (Debian: nginx-light, libnginx-mod-nchan)"
    return ""


class Nchan:
    """A running nginx; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        parts = {"module": str(_module()), "folder": self._folder.name, "port": str(self.port)}
        config = Path(self._folder.name, "nginx.conf")
        config.write_text(re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], CONFIG.read_text()))
        self._process = subprocess.Popen([str(_nginx()), "-e", "stderr", "-c", str(config)])
        self._publisher = http.client.HTTPConnection("127.0.0.1", self.port)

    def publish(self, data: bytes) -> None:
        """Send one message to all who listen; return when nginx has taken it."""
        self._publisher.request("POST", "/publish", data)
        answer = self._publisher.getresponse()
        answer.read()
        assert answer.status in (201, 202), answer.status

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 10
        while True:
            try:
                self._publisher.connect()
                return self
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._publisher.close()
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _module() -> Path | None:
    return next((path for folder in MODULES if (path := Path(folder, "ngx_nchan_module.so")).is_file()), None)
