"""The way of `connect` for the asynchronous client."""

from __future__ import annotations

from videogen.client.aio.client import AsyncClient
from videogen.client.blocking.connect import default_url, given_token, known_server, must_be_unknown
from videogen.client.errors import ApiError
from videogen.client.tokens import TokenStore


async def connect_async(
    base_url: str | None = None, token: str | None = None, tokens: TokenStore | None = None
) -> AsyncClient:
    """The same for `AsyncClient`; see `connect`."""
    url = base_url or default_url()
    client, tokens = AsyncClient(url), tokens or TokenStore()
    try:
        if found := given_token(token):
            return client.as_session(found)
        server = known_server(url, await client.health())
        kept = tokens.read(server)
        if kept is not None:
            try:
                await client.as_session(kept).list(limit=1)
                return client.as_session(kept)
            except ApiError as refusal:
                must_be_unknown(refusal)
        created = await client.create_session()
        tokens.write(server, created.token)
        return client.as_session(created.token)
    except BaseException:
        await client.aclose()
        raise
