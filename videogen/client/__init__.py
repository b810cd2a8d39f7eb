"""The HTTP client of the API: typed calls, and event streams that survive any break.

`connect()` gives a `Client` with the session that is kept for this user; `connect_async()` an `AsyncClient`. Both know
the same calls. See docs/client.md.
"""

from videogen.client.api import AsyncClient
from videogen.client.connect import connect, connect_async
from videogen.client.errors import (
    ApiError,
    ClientError,
    DownloadFailed,
    GenerationCancelled,
    GenerationEnded,
    GenerationFailed,
    ProtocolError,
    Unreachable,
    VersionMismatch,
    WaitTimeout,
)
from videogen.client.place import ConnectionChange, Watched
from videogen.client.sync import Client
from videogen.client.tokens import TokenFileError, TokenStore

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionChange",
    "DownloadFailed",
    "GenerationCancelled",
    "GenerationEnded",
    "GenerationFailed",
    "ProtocolError",
    "TokenFileError",
    "TokenStore",
    "Unreachable",
    "VersionMismatch",
    "WaitTimeout",
    "Watched",
    "connect",
    "connect_async",
]
