"""Stored session tokens: one file per server, readable by its owner only."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from videogen.client.errors import ClientError
from videogen.client.policy import is_loopback
from videogen.schemas.system import Health

ENV_TOKEN: Final = "VIDEOGEN_TOKEN"  # noqa: S105 - a name, not a token


class TokenFileError(ClientError, code="token_file", title="Token file"):
    """The file of the token cannot be read or written."""


class TokenStore:
    """One file per server, mode 600, in a folder of this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_folder() / "tokens"

    def path(self, server: str) -> Path:
        """The file for a server; see `server_name`."""
        readable = "".join(char if char.isalnum() else "-" for char in server.partition("://")[2])[:60].strip("-")
        return self.folder / f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:12]}.json"

    def read(self, server: str) -> str | None:
        """The token stored for a server, or None.

        Raises:
            TokenFileError: the file cannot be read, or other users can read it.
        """
        path = self.path(server)
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise TokenFileError(f"{path}: cannot be read: {problem.strerror}.") from problem
        with os.fdopen(handle, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & 0o077:
                raise TokenFileError(f"{path}: expected mode 600, got {mode & 0o777:o}. Others may have read it.")
            try:
                stored = json.load(file)
                token = stored["token"] if stored["server"] == server else None
            except (ValueError, KeyError, TypeError) as problem:
                raise TokenFileError(f"{path}: expected a stored token, got something else.") from problem
        return token if isinstance(token, str) else None

    def write(self, server: str, token: str) -> Path:
        """Store a token for a server.

        Raises:
            TokenFileError: the folder cannot be written.
        """
        path = self.path(server)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"server": server, "token": token}, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as problem:
            raise TokenFileError(f"{path}: cannot be written: {problem.strerror}.") from problem
        return path


def server_name(base_url: str, health: Health) -> str:
    """The name for a server's token: its origin; on this machine, where ports change, the id of its data."""
    if health.instance and is_loopback(base_url):
        return f"instance://{health.instance}"
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def user_folder() -> Path:
    """This user's configuration folder for videogen."""
    from platformdirs import user_config_path

    return user_config_path("videogen", appauthor=False)
