"""The object store protocol: bytes by name at another place, and `open_objects`, which opens the place of a URL.

`tests/storage/test_objects.py` holds every implementation to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from videogen.core.atomic_files import sync
from videogen.core.errors import ConfigError

EXPECTED = "a folder, file:///folder, or s3://bucket/prefix?endpoint=https://..."


class ObjectStore(Protocol):
    """Objects by name, such as `snapshots/1.json`. An object is whole or not there. Thread-safe; every method blocks.

    Every method raises OSError where the place cannot be used.
    """

    @property
    def name(self) -> str:
        """The place for people, without a password."""

    def create(self, name: str, source: Path | bytes) -> bool:
        """Store a new object, durable on return. False: there is one of that name, and it was not changed."""

    def read(self, name: str) -> bytes:
        """All of a small object. Raises FileNotFoundError where there is none."""

    def fetch(self, name: str, target: Path) -> None:
        """Write an object to a local file. Raises FileNotFoundError where there is none."""

    def list(self, prefix: str) -> Iterator[str]:
        """The names of the objects below a prefix such as `snapshots/`, in no order."""

    def delete(self, name: str) -> None:
        """Delete an object. Safe to repeat."""


def open_objects(url: str, setting: str = "VIDEOGEN_SNAPSHOT_URL") -> ObjectStore:
    """Open the place of a URL; nothing is read or written.

    Raises:
        ConfigError: the URL is not understood, or the package for S3 is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        from videogen.storage.s3 import open_bucket

        return open_bucket(url, setting)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FolderObjects(Path(unquote(parts.path)))
    if "://" in url or not url:
        raise ConfigError(setting, EXPECTED, url)
    return FolderObjects(Path(url).expanduser())


class FolderObjects:
    """Objects as files of a folder, such as a second disk or a mounted bucket. Implements `ObjectStore`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def name(self) -> str:
        return str(self._root)

    def create(self, name: str, source: Path | bytes) -> bool:
        target = self._root / name
        if target.exists():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{uuid4().hex}.part")
        try:
            with part.open("wb") as file:
                if isinstance(source, bytes):
                    file.write(source)
                else:
                    with source.open("rb") as content:
                        while chunk := content.read(1 << 20):
                            file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            is_new = _name_once(part, target)
        finally:
            part.unlink(missing_ok=True)
        sync(target.parent)
        return is_new

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def fetch(self, name: str, target: Path) -> None:
        with (self._root / name).open("rb") as source, target.open("wb") as file:
            while chunk := source.read(1 << 20):
                file.write(chunk)

    def list(self, prefix: str) -> Iterator[str]:
        for folder, _, names in os.walk(self._root / prefix):
            for name in names:
                if not name.startswith("."):
                    yield (Path(folder) / name).relative_to(self._root).as_posix()

    def delete(self, name: str) -> None:
        path = self._root / name
        path.unlink(missing_ok=True)
        with suppress(OSError):  # it has other objects, or is not there
            path.parent.rmdir()


def _name_once(part: Path, target: Path) -> bool:
    """Give a complete file its name, unless the name is taken."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:
        # A mounted bucket has no hard links.
        if target.exists():
            return False
        part.replace(target)
    return True
