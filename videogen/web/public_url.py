"""Where the app is, as the world sees it: configured, or by a tunnel, or as the request says."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import HTTPConnection

from videogen.core.config import AppConfig

_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class PublicUrl:
    """The public address of one app. `tunnel` is set once a share tunnel has given it one."""

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self.local = ""
        """Where this process listens, such as http://127.0.0.1:7860; known once it does."""
        self.tunnel = ""

    @property
    def root(self) -> str:
        """The path under which a proxy shows the app; no slash at the end."""
        return self._config.root_path

    @property
    def fixed(self) -> str | None:
        """The public address with its path, where it does not depend on who asks; no slash at the end."""
        origin = self._config.base_url or self.tunnel
        return origin + self._config.root_path if origin else None

    def of(self, connection: HTTPConnection) -> str:
        """The same for this request: what is fixed, else what the browser asked for. No slash at the end."""
        if self.fixed is not None:
            return self.fixed
        # A host that is none could only come from somebody who makes up requests, and would end up in links.
        host = connection.headers.get("host", "")
        if not _HOST.fullmatch(host):
            return self.local + self._config.root_path
        scheme = "https" if connection.scope["scheme"] == "https" else "http"
        return f"{scheme}://{host}{self._config.root_path}"
