"""What an installation has left when all is over: its rows, its files, and whatever should be gone."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psutil

Row = tuple[Any, ...]


class Remains(Protocol):
    """What `Verdict` reads."""

    def rows(self, query: str, *values: object) -> list[Row]:
        """Ask the database, past the app."""

    def files(self) -> set[str]:
        """The keys of all files that are kept."""

    def read(self, key: str) -> bytes:
        """The content of a file."""

    def faults(self) -> list[str]:
        """What is left and should be gone; what the database finds wrong with itself."""


class DataDir:
    """One data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir
        self._files = data_dir / "files"

    def rows(self, query: str, *values: object) -> list[Row]:
        """Ask its database."""
        return rows(self.path, query, *values)

    def files(self) -> set[str]:
        """The keys of its files."""
        return {str(path.relative_to(self._files)) for path in self._files.rglob("*") if path.is_file()}

    def read(self, key: str) -> bytes:
        """A file."""
        return (self._files / key).read_bytes()

    def faults(self) -> list[str]:
        """Folders and processes that are left, and damage of the database."""
        found = [f"work folder left: {path.name}" for path in (self.path / "work").iterdir()]
        found += [f"empty folder left: {path.name}" for path in self._files.iterdir() if not any(path.iterdir())]
        found += [f"integrity: {row[0]}" for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"foreign key: {row}" for row in self.rows("PRAGMA foreign_key_check")]
        return found + processes_of(self.path)


def rows(data_dir: Path, query: str, *values: object) -> list[Row]:
    """Ask the database of a data folder, past the app."""
    path = data_dir / "videogen.sqlite"
    for mode in ("ro", "rw"):  # without a server beside it, a log that was ended well cannot be read by "ro"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=20)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            if mode == "rw":
                raise
    raise AssertionError


def parsed(value: Any) -> Any:
    """A JSON column, which SQLite gives as text."""
    return json.loads(value) if isinstance(value, str) else value


def processes_of(data_dir: Path) -> list[str]:
    """Processes that work for the server of this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("VIDEOGEN_DATA_DIR") == str(data_dir) and process.pid != os.getpid()
        except psutil.Error:
            continue
        if mine:
            found.append(f"process left: {process.pid} {' '.join(process.cmdline())[:80]}")
    return found
