"""A real nginx on loopback, with the app under a sub-path of another host name."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.support import processes

CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location = / {{ return 200 "another site"; }}
    location {path}/ {{
      proxy_pass {target}{strip};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


def nginx_path() -> str:
    """The nginx to run.

    Raises:
        RuntimeError: there is none; what to do.
    """
    given = os.environ.get("VIDEOGEN_TEST_NGINX", "nginx")
    found = shutil.which(given, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("These tests need nginx: apt-get install nginx-light, or name one in VIDEOGEN_TEST_NGINX.")
    return found


def free_port() -> int:
    """A port that nobody has taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Nginx:
    """Shows the app at `url`, which ends with `path`. With `strips`, the app never sees the path."""

    def __init__(self, folder: Path, target: str, path: str, *, strips: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{path}"
        self._config = folder / "nginx.conf"
        strip = "/" if strips else ""
        self._config.write_text(CONFIG.format(folder=folder, port=self.port, path=path, target=target, strip=strip))
        self._log = folder / "error.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def __enter__(self) -> Self:
        command = [nginx_path(), "-e", str(self._log), "-c", str(self._config)]
        self._process = processes.start(command, stdin=subprocess.DEVNULL)
        while self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
        raise RuntimeError(f"nginx did not start: {self._log.read_text()}")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)
