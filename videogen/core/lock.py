"""The lock of a data folder: one process uses it at a time. The system releases it when the process dies."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from videogen.core.errors import ConfigError, StartError

NAME: Final = "videogen.lock"
_RETRY_SECONDS: Final = 0.1


class DataLock:
    """The lock of a data folder, until it is closed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def take(cls, data_dir: Path) -> DataLock:
        """Acquire the lock, and write the process id into its file.

        Raises:
            ConfigError: the folder cannot be created or written.
            StartError: another process has the lock.
        """
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            # Mode "a": opening must not empty the file of another holder.
            file = (data_dir / NAME).open("a+")
        except OSError as problem:
            raise ConfigError(
                "VIDEOGEN_DATA_DIR", f"a folder that can be written ({problem.strerror})", str(data_dir)
            ) from problem
        # `holder` takes a shared lock for a moment.
        if not _flock(file, fcntl.LOCK_EX):
            time.sleep(_RETRY_SECONDS)
            if not _flock(file, fcntl.LOCK_EX):
                owner = _read_pid(file)
                file.close()
                named = f"Another videogen (process {owner})" if owner else "Another videogen"
                raise StartError(f"{named} works on {data_dir}. Stop it, or set VIDEOGEN_DATA_DIR to another folder.")
        _write_pid(file)
        return cls(file)

    def close(self) -> None:
        """Release the lock. Idempotent."""
        self._file.close()


def holder(data_dir: Path) -> int | None:
    """The id of the process that has the lock; None if it is free, 0 if the id is not known."""
    try:
        file = (data_dir / NAME).open("r")
    except OSError:
        return None
    with file:
        return None if _flock(file, fcntl.LOCK_SH) else _read_pid(file) or 0


def _flock(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read_pid(file: TextIO) -> int | None:
    file.seek(0)
    text = file.read(32).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _write_pid(file: TextIO) -> None:
    with suppress(OSError):  # On a full disk nothing can be written. The lock holds without the id.
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), b"%d\n" % os.getpid())
