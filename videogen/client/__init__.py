"""The HTTP client of the API: typed calls, and event streams that survive any break."""

from videogen.client.api import AsyncClient
from videogen.client.errors import ApiError, ClientError, ProtocolError, Unreachable
from videogen.client.stream import ConnectionChange, Watched

__all__ = [
    "ApiError",
    "AsyncClient",
    "ClientError",
    "ConnectionChange",
    "ProtocolError",
    "Unreachable",
    "Watched",
]
