"""Storage on the local disk: each file is written aside, made durable, then renamed to its place."""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from videogen.core.atomic_files import sync
from videogen.core.errors import StorageError
from videogen.storage.base import FileVersion, StoredFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class DiskStorage:
    """Implements `Storage`, which describes the methods: a key is a path below the folder `root`."""

    is_shared = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = threading.Lock()
        """Held while a file enters a folder, or an empty folder is removed."""

    def put(self, source: Path | bytes, key: str, *, once: bool = False) -> int:
        """A path must be on the file system of this storage."""
        target = self._root / key
        part = target.with_name(f"{target.name}.part")
        try:
            if isinstance(source, bytes):
                with self._folders:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    part.touch()
                part.write_bytes(source)
                source = part
            size = source.stat().st_size
            sync(source)
            with self._folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                # Only this process stores here, one file at a time.
                if once and target.exists():
                    source.unlink()
                    size = target.stat().st_size
                else:
                    source.replace(target)
            sync(target.parent)
            return size
        except OSError as problem:
            with suppress(OSError):
                part.unlink()
            raise StorageError(f"{key} could not be stored: {problem.strerror}.") from problem

    def copy(self, source: str, target: str) -> int:
        """A second name for the same bytes where the file system has links: no stored file is ever written to."""
        part = self._root / f"{target}.part"
        with self.local_copy(source) as path:
            try:
                with self._folders:
                    part.parent.mkdir(parents=True, exist_ok=True)
                    part.unlink(missing_ok=True)
                    _link(path, part)
                return self.put(part, target)
            except FileNotFoundError:
                raise
            except OSError as problem:
                raise StorageError(f"{target} could not be stored: {problem.strerror}.") from problem
            finally:
                with suppress(OSError):  # a rename onto another name of the same file leaves both
                    part.unlink()

    def open(self, key: str, start: int = 0, end: int | None = None) -> io.BufferedReader:
        return open_range(self._root / key, start, end)

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Not a copy: the stored file itself."""
        path = self._root / key
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path.resolve()

    def version(self, key: str) -> FileVersion:
        file = (self._root / key).open("rb")
        # The opened file has the same bytes until it is closed, whatever happens to its name.
        opened, status = Path(f"/dev/fd/{file.fileno()}"), os.fstat(file.fileno())
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        return FileVersion(status.st_size, status.st_mtime, etag, partial(open_range, opened), file.close)

    def url(self, key: str, seconds: int, content_type: str, disposition: str) -> None:
        """Files on a disk have no links."""

    def exists(self, key: str) -> bool:
        return (self._root / key).is_file()

    def is_lost(self, key: str) -> bool:
        return not self.exists(key)

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        folder = self._root / prefix.rpartition("/")[0]
        for path in folder.rglob("*"):
            key = path.relative_to(self._root).as_posix()
            if not key.startswith(prefix) or path.name.startswith(".") or path.suffix == ".part":
                continue
            with suppress(FileNotFoundError):  # deleted meanwhile
                if path.is_file():
                    yield StoredFile(key, path.stat().st_size)

    def delete(self, key: str) -> None:
        """A folder that gets empty is removed."""
        path = self._root / key
        try:
            with self._folders:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # it has other files, or is not there
                    path.parent.rmdir()
        except OSError as problem:
            raise StorageError(f"{key} could not be deleted: {problem.strerror}.") from problem


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def open_range(path: Path, start: int = 0, end: int | None = None) -> io.BufferedReader:
    """Open a local file from one byte up to another."""
    file = path.open("rb")
    file.seek(start)
    return file if end is None else io.BufferedReader(_Range(file, end - start))


class _Range(io.RawIOBase):
    """The next `length` bytes of an open file, which is closed with it."""

    def __init__(self, file: io.BufferedReader, length: int) -> None:
        self._file, self._left = file, max(length, 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._file.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
