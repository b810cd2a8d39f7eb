"""From an address to a client with a session: the token that was given, that of the environment, or the one kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from videogen.client.blocking.client import Client
from videogen.client.errors import ApiError, ProtocolError
from videogen.client.tokens import ENV_TOKEN, TokenStore, server_of
from videogen.schemas.system import Health

ENV_URL: Final = "VIDEOGEN_URL"
DEFAULT_URL: Final = "http://127.0.0.1:7860"


def default_url() -> str:
    """Where an app is looked for when nobody says: `VIDEOGEN_URL`, or this machine's usual port."""
    return os.environ.get(ENV_URL) or DEFAULT_URL


def connect(base_url: str | None = None, token: str | None = None, tokens: TokenStore | None = None) -> Client:
    """A client with this user's session on a server.

    The token is the one given, else that of `VIDEOGEN_TOKEN`, else the one that `tokens` keeps for this server. Where
    there is none, or the kept one is no longer known there, a session is made and its token kept.

    Args:
        base_url: where the app is; None means `VIDEOGEN_URL`, or http://127.0.0.1:7860.
        token: the session's token, which is then not kept.
        tokens: where tokens are kept; None means a file per server below the user's configuration folder.

    Raises:
        Unreachable: nothing answers there.
        ProtocolError: what answers there is not videogen.
        TokenFileError: the kept token cannot be read or written.
    """
    client = Client(base_url or default_url())
    try:
        return client.as_session(given_token(token) or sign_in(client, str(base_url or default_url()), tokens))
    except BaseException:
        client.close()
        raise


def given_token(token: str | None) -> str | None:
    """The token that a person gave, directly or in the environment."""
    return token or os.environ.get(ENV_TOKEN) or None


def sign_in(client: Client, base_url: str, tokens: TokenStore | None = None) -> str:
    """The token of this user's kept session on a server; of a new one where none is kept."""
    tokens = tokens or TokenStore()
    server = known_server(base_url, client.health())
    kept = tokens.read(server)
    if kept is not None:
        try:
            client.as_session(kept).list(limit=1)
            return kept
        except ApiError as refusal:
            must_be_unknown(refusal)
    created = client.create_session()
    tokens.write(server, created.token)
    return created.token


def sign_in_with(client: Client, base_url: str, token: str, tokens: TokenStore | None = None) -> Path:
    """Keep a token as this user's for a server, instead of the one before; return the file it is in."""
    return (tokens or TokenStore()).write(known_server(base_url, client.health()), token)


def known_server(base_url: str, health: Health) -> str:
    """The name of a server to keep a token under.

    Raises:
        ProtocolError: it is not videogen.
    """
    if health.name != "videogen":
        raise ProtocolError(f"{base_url}: expected a videogen server that tells its name, got another or an older one.")
    return server_of(base_url, health)


def must_be_unknown(refusal: ApiError) -> None:
    """Raise a refusal that has another reason than a session that is not known any more."""
    if refusal.code != "session_required":
        raise refusal
