"""Tokens kept for the user: one file per server, which only its owner can read."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from videogen.client.errors import ClientError
from videogen.client.policy import is_loopback
from videogen.schemas.system import Health

ENV_TOKEN: Final = "VIDEOGEN_TOKEN"  # noqa: S105 - a name, not a token


class TokenFileError(ClientError):
    """The file that keeps the token cannot be read or written."""

    code = "token_file"
    title = "Token file"


class TokenStore:
    """One file per server, mode 600, below a folder of this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or config_folder() / "tokens"

    def path(self, server: str) -> Path:
        """The file for a server; see `server_of`."""
        readable = "".join(char if char.isalnum() else "-" for char in server.partition("://")[2])[:60].strip("-")
        return self.folder / f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:12]}.json"

    def read(self, server: str) -> str | None:
        """The token kept for a server, or None.

        Raises:
            TokenFileError: the file is there, and cannot be read or is open to others.
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
                kept = json.load(file)
                token = kept["token"] if kept["server"] == server else None
            except (ValueError, KeyError, TypeError) as problem:
                raise TokenFileError(f"{path}: expected a token as it was kept, got something else.") from problem
        return token if isinstance(token, str) else None

    def write(self, server: str, token: str) -> Path:
        """Keep a token for a server.

        Raises:
            TokenFileError: the folder cannot be written.
        """
        path = self.path(server)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"server": server, "token": token}, file)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as problem:
            raise TokenFileError(f"{path}: cannot be written: {problem.strerror}.") from problem
        return path

    def forget(self, server: str) -> None:
        """Remove what is kept for a server."""
        self.path(server).unlink(missing_ok=True)


def server_of(base_url: str, health: Health) -> str:
    """The name under which a server's token is kept: its origin, or on this machine, where ports change, its data."""
    if health.instance and is_loopback(base_url):
        return f"instance://{health.instance}"
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def config_folder() -> Path:
    """This user's folder for settings of videogen."""
    try:
        from platformdirs import user_config_path
    except ImportError:
        pass
    else:
        return Path(user_config_path("videogen", appauthor=False))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "videogen"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "videogen"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "videogen"
