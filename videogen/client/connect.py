"""From an address to a client with a session: the given token, that of the environment, or the stored one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from videogen.client.blocking import Client, blocking
from videogen.client.client import AsyncClient
from videogen.client.errors import ApiError, ProtocolError
from videogen.client.tokens import ENV_TOKEN, TokenStore, server_name
from videogen.schemas.system import Health

ENV_URL: Final = "VIDEOGEN_URL"
DEFAULT_URL: Final = "http://127.0.0.1:7860"


def default_url() -> str:
    """The address of the app when none is given: `VIDEOGEN_URL`, or the usual port of this machine."""
    return os.environ.get(ENV_URL) or DEFAULT_URL


def connect(base_url: str | None = None, token: str | None = None, tokens: TokenStore | None = None) -> Client:
    """A client with this user's session on a server.

    The token is the given one, else that of `VIDEOGEN_TOKEN`, else the one that `tokens` stores for this server. If
    none is stored, or the server does not know it any more, a new session is made and its token stored.

    Args:
        base_url: the address of the app; None means `VIDEOGEN_URL`, or http://127.0.0.1:7860.
        token: the session's token, which is not stored.
        tokens: the store of tokens; None means a file per server in the user's configuration folder.

    Raises:
        Unreachable: the server does not answer.
        ProtocolError: the server is not videogen.
        TokenFileError: the stored token cannot be read or written.
    """
    url = base_url or default_url()
    client = Client(url)
    try:
        return client.as_session(_given(token) or blocking(_sign_in)(client, url, tokens or TokenStore()))
    except BaseException:
        client.close()
        raise


async def connect_async(
    base_url: str | None = None, token: str | None = None, tokens: TokenStore | None = None
) -> AsyncClient:
    """The same for `AsyncClient`; see `connect`."""
    url = base_url or default_url()
    client = AsyncClient(url)
    try:
        return client.as_session(_given(token) or await _sign_in(client, url, tokens or TokenStore()))
    except BaseException:
        await client.aclose()
        raise


def store_token(client: Client, base_url: str, token: str) -> Path:
    """Store a token as this user's for a server, and return its file. It replaces the stored one."""
    return TokenStore().write(_checked_name(base_url, client.health()), token)


def _given(token: str | None) -> str | None:
    return token or os.environ.get(ENV_TOKEN) or None


async def _sign_in(client: AsyncClient, base_url: str, tokens: TokenStore) -> str:
    """The stored token for a server, or that of a new session."""
    server = _checked_name(base_url, await client.health())
    if stored := tokens.read(server):
        try:
            await client.as_session(stored).list(limit=1)
            return stored
        except ApiError as refusal:
            if refusal.code != "session_required":
                raise
    created = await client.create_session()
    tokens.write(server, created.token)
    return created.token


def _checked_name(base_url: str, health: Health) -> str:
    if health.name != "videogen":
        raise ProtocolError(
            f"{base_url}: expected a videogen server, got another program or a version that does not state its name."
        )
    return server_name(base_url, health)
