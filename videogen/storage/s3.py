"""Objects in an S3-compatible bucket, by obstore (the extra `videogen[s3]`). Credentials by the usual AWS variables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from videogen.core.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import S3Store

_OPTIONS: Final = ("endpoint", "region")
_RETRIES: Final[dict[str, Any]] = {"max_retries": 2}
_TIMEOUTS: Final[dict[str, Any]] = {"connect_timeout": "5s", "timeout": "300s"}
PART_BYTES: Final = 5 * 2**20
"""A larger object goes up in parts of this size."""


def open_bucket(url: str, setting: str, retries: Any = _RETRIES) -> S3Objects:
    """Open the bucket of `s3://bucket/prefix?endpoint=https://...&region=...`; nothing is read or written.

    Raises:
        ConfigError: the URL is not understood, or obstore is not installed.
    """
    parts = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if unknown := set(options) - set(_OPTIONS):
        raise ConfigError(setting, f"only the options {', '.join(_OPTIONS)}", ", ".join(sorted(unknown)))
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError:
        expected = "another place, or the package for s3:// to be installed: pip install 'videogen[s3]'"
        raise ConfigError(setting, expected, url) from None
    endpoint = options.get("endpoint", "")
    config: dict[str, Any] = {"endpoint": endpoint, "region": options.get("region", "us-east-1")} if endpoint else {}
    if "region" in options:
        config["region"] = options["region"]
    prefix = parts.path.strip("/")
    client: Any = _TIMEOUTS | {"allow_http": endpoint.startswith("http://")}
    try:
        store = S3Store(
            parts.netloc, prefix=prefix or None, client_options=client, retry_config=retries, **config
        )  # fmt: skip
    except (BaseError, ValueError) as problem:
        raise ConfigError(setting, f"a usable bucket ({_first_line(problem)})", url) from None
    return S3Objects(store, f"s3://{parts.netloc}/{prefix}")


class Stat(NamedTuple):
    """What is known of an object. Times are in seconds since the epoch."""

    size: int
    etag: str
    read_at: float
    changed_at: float


class S3Objects:
    """Implements `ObjectStore`."""

    def __init__(self, store: S3Store, name: str) -> None:
        self._store, self._name = store, name

    @property
    def name(self) -> str:
        return self._name

    def create(self, name: str, source: Path | bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError

        try:
            with _as_os_error():
                # Not in parts: only a whole put can be refused where there is an object.
                self._store.put(name, source, mode="create", use_multipart=False)
        except FileExistsError as problem:
            if isinstance(problem.__cause__, AlreadyExistsError):
                return False
            raise
        return True

    def put(self, name: str, source: Path | bytes) -> None:
        """Store an object, in place of one of that name. A large one goes up in parts."""
        with _as_os_error():
            self._store.put(name, source, chunk_size=PART_BYTES)

    def stat(self, name: str) -> Stat:
        """What is known of an object. Raises FileNotFoundError where there is none."""
        with _as_os_error():
            found = self._store.head(name)
        return Stat(int(found["size"]), found["e_tag"] or "", time.time(), found["last_modified"].timestamp())

    def stream(self, name: str, start: int, end: int, etag: str) -> Iterator[bytes]:
        """The bytes from `start` up to `end` of the object that has this ETag, as they come."""
        options: Any = {"range": (start, end)} | ({"if_match": etag} if etag else {})
        with _as_os_error():
            found = self._store.get(name, options=options)
        return _chunks(found)

    def list_sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The names and the sizes of the objects below a prefix without a slash at its end, in no order."""
        return ((name, size) for name, size, _ in self.list_stats(prefix))

    def list_stats(self, prefix: str = "") -> Iterator[tuple[str, int, str]]:
        """The same, with the ETags."""
        with _as_os_error():
            for page in self._store.list(prefix or None):
                for found in page:
                    yield str(found["path"]), int(found["size"]), (found["e_tag"] or "").strip('"')

    def read(self, name: str) -> bytes:
        with _as_os_error():
            return bytes(self._store.get(name).bytes())

    def fetch(self, name: str, target: Path) -> None:
        with _as_os_error(), target.open("wb") as file:
            for chunk in self._store.get(name).stream(min_chunk_size=1 << 20):
                file.write(chunk)

    def list(self, prefix: str) -> Iterator[str]:
        with _as_os_error():
            for page in self._store.list(prefix.rstrip("/")):
                yield from (str(found["path"]) for found in page)

    def delete(self, name: str) -> None:
        try:
            with _as_os_error():
                self._store.delete(name)
        except FileNotFoundError:
            pass


def _chunks(found: Any) -> Iterator[bytes]:
    with _as_os_error():
        for chunk in found.stream(min_chunk_size=1 << 20):
            yield bytes(chunk)


@contextmanager
def _as_os_error() -> Iterator[None]:
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

    try:
        yield
    except OSError:
        raise
    except BaseError as problem:
        kind: type[OSError] = OSError
        if isinstance(problem, NotFoundError):
            kind = FileNotFoundError
        elif isinstance(problem, AlreadyExistsError):
            kind = FileExistsError
        raise kind(_first_line(problem)) from problem


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0][:200] if str(problem).strip() else type(problem).__name__
