"""One process at a time works on a data folder: a lock that the system lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final, TextIO

from videogen.core.errors import ConfigError, StartError

NAME: Final = "videogen.lock"
_GLANCE_SECONDS: Final = 0.1


class DataLock:
    """The right to work on a data folder. Close it to give the folder back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def take(cls, data_dir: Path) -> DataLock:
        """Take the lock, and note in its file who has it.

        Raises:
            ConfigError: the folder cannot be made or written.
            StartError: another process has it: two on one folder would take each other's jobs for lost.
        """
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            # Appending, since a look at who holds it must not empty it.
            file = (data_dir / NAME).open("a+")
        except OSError as problem:
            raise ConfigError(
                "VIDEOGEN_DATA_DIR", f"a folder that can be written ({problem.strerror})", str(data_dir)
            ) from problem
        # A doctor that looks who holds it does so for an instant.
        if not _flock(file, fcntl.LOCK_EX):
            time.sleep(_GLANCE_SECONDS)
            if _flock(file, fcntl.LOCK_EX):
                _write(file)
                return cls(file)
            who = _written_in(file)
            file.close()
            named = f"Another videogen (process {who})" if who else "Another videogen"
            raise StartError(
                f"{named} works on {data_dir}. Stop it, or set VIDEOGEN_DATA_DIR to another folder."
            ) from None
        _write(file)
        return cls(file)

    def close(self) -> None:
        """Give the folder back. Idempotent."""
        self._file.close()


def holder(data_dir: Path) -> int | None:
    """The process that holds a data folder; None where it is free, 0 where it is held by one unknown."""
    try:
        file = (data_dir / NAME).open("r")
    except OSError:
        return None
    with file:
        return None if _flock(file, fcntl.LOCK_SH) else _written_in(file) or 0


def _flock(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _written_in(file: TextIO) -> int | None:
    file.seek(0)
    text = file.read(32).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _write(file: TextIO) -> None:
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), b"%d\n" % os.getpid())
    except OSError:
        # The lock counts, not what stands in it; on a full disk nothing can.
        pass
