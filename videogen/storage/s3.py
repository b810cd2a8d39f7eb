"""Objects in an S3-compatible bucket, by obstore (the extra `videogen[s3]`). Credentials by the usual AWS variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from videogen.core.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import S3Store

OPTIONS: Final = ("endpoint", "region")
_RETRIES: Final[dict[str, Any]] = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
# The read timeout is for each piece of an answer, and begins with the request. So it ends a request that stands still,
# and not a long body, which may also wait for whoever reads it.
_ASKING: Final[dict[str, Any]] = {"connect_timeout": "5s", "read_timeout": "10s", "timeout": "1day"}
# An upload is silent until it is complete: the time is for one put, or one part of a large file.
_SENDING: Final[dict[str, Any]] = {"connect_timeout": "5s", "timeout": "300s"}
SMALL: Final = 1 << 20
"""What has at most so many bytes is sent with the short timeouts."""
PART_BYTES: Final = 8 << 20
"""A larger file is sent in parts of so many bytes."""
_PARTS_AT_ONCE: Final = 4
_PIECE: Final = 256 << 10
"""So many bytes of a body are handed on at a time."""
_NOISE: Final = re.compile(r"^Generic S3 error: (Error performing \w+ request: )?| in [\d.]+[mµn]?s\b|  +")
_WHOLE: Final = 64 << 20
"""Up to this size a new object is sent in one put, which alone can be refused where there is one. It is in memory."""


def open_bucket(url: str, setting: str, retries: Any = _RETRIES, options: Sequence[str] = OPTIONS) -> S3Objects:
    """Open the bucket of `s3://bucket/prefix?endpoint=https://...&region=...`; nothing is read or written.

    Raises:
        ConfigError: the URL is not understood, or obstore is not installed.
    """
    parts = urlsplit(url)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if unknown := set(given) - set(options):
        raise ConfigError(setting, f"only the options {', '.join(options)}", ", ".join(sorted(unknown)))
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError:
        expected = "another place, or the package for s3:// to be installed: pip install 'videogen[s3]'"
        raise ConfigError(setting, expected, url) from None
    endpoint = given.get("endpoint", "")
    if endpoint and not _is_address(endpoint):  # the library would panic
        raise ConfigError(setting, "endpoint= and an address such as https://s3.example.org", endpoint)
    config: dict[str, Any] = {"endpoint": endpoint, "region": given.get("region", "us-east-1")} if endpoint else {}
    if "region" in given:
        config["region"] = given["region"]
    config["prefix"] = parts.path.strip("/") or None
    http: Any = {"allow_http": endpoint.startswith("http://")}
    try:
        asking, sending = (
            S3Store(parts.netloc, client_options=times | http, retry_config=retries, **config)
            for times in (_ASKING, _SENDING)
        )
    except (BaseError, ValueError) as problem:
        raise ConfigError(setting, f"a usable bucket ({_first_line(problem)})", url) from None
    return S3Objects(asking, sending, f"s3://{parts.netloc}/{parts.path.strip('/')}")


class Stat(NamedTuple):
    """What is known of an object."""

    size: int
    etag: str
    changed_at: float
    """In seconds since the epoch."""

    @property
    def tag(self) -> str:
        """The ETag, or what stands for it where the server gives none."""
        return self.etag or f'"{self.changed_at:.0f}-{self.size:x}"'


class ChangedError(OSError):
    """The object is not the one any more that was asked for."""


class S3Objects:
    """Implements `ObjectStore`."""

    def __init__(self, asking: S3Store, sending: S3Store, name: str) -> None:
        """The same bucket twice, with the timeouts of questions and answers, and of bodies that are sent."""
        self._store, self._sending, self._name = asking, sending, name

    @property
    def name(self) -> str:
        return self._name

    def create(self, name: str, source: Path | bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError

        try:
            with _as_os_error():
                # Not in parts: only a whole put can be refused where there is an object.
                self._for(_size(source)).put(name, source, mode="create", use_multipart=False)
        except FileExistsError as problem:
            if isinstance(problem.__cause__, AlreadyExistsError):
                return False
            raise
        return True

    def put(self, name: str, source: Path | bytes) -> None:
        """Store an object, in place of one of that name. A large one goes up in parts, given up where one fails."""
        with _as_os_error():
            size = _size(source)
            self._for(size).put(
                name, source, use_multipart=size > PART_BYTES, chunk_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )

    def put_new(self, name: str, source: Path | bytes) -> bool:
        """Store an object; False: there is one of that name. For large ones that is asked before they are sent."""
        if _size(source) <= _WHOLE:
            return self.create(name, source)
        try:
            self.stat(name)
        except FileNotFoundError:
            self.put(name, source)
            return True
        return False

    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the bucket. Raises FileNotFoundError where there is none."""
        with _as_os_error():
            self._sending.copy(source, target)

    def _for(self, size: int) -> S3Store:
        return self._store if size <= SMALL else self._sending

    def stat(self, name: str) -> Stat:
        """What is known of an object. Raises FileNotFoundError where there is none."""
        with _as_os_error():
            found = self._store.head(name)
        return Stat(int(found["size"]), found["e_tag"] or "", found["last_modified"].timestamp())

    def stream(self, name: str, start: int, end: int, etag: str) -> Iterator[bytes]:
        """The bytes from `start` up to `end` of the object that has this ETag, as they come.

        Raises FileNotFoundError where there is none, and ChangedError where it has another ETag.
        """
        options: Any = {"range": (start, end)} | ({"if_match": etag} if etag else {})
        with _as_os_error():
            found = self._store.get(name, options=options)
        return _chunks(found, end - start)

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


def _size(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _chunks(found: Any, left: int) -> Iterator[bytes]:
    with _as_os_error():
        for chunk in found.stream(min_chunk_size=_PIECE):
            left -= len(chunk)
            yield bytes(chunk)
    if left:
        raise OSError("the body ended too early")


@contextmanager
def _as_os_error() -> Iterator[None]:
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

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
        elif isinstance(problem, PreconditionError):
            kind = ChangedError
        raise kind(_first_line(problem)) from problem


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # of the port
        return False


def _first_line(problem: Exception) -> str:
    """What went wrong, without what says nothing to people: the library's own names, and how long it took."""
    text = str(problem).strip().partition("\n")[0]
    return _NOISE.sub("", text)[:200].rstrip(" :<") or type(problem).__name__
