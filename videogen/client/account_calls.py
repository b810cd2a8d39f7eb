"""The client's calls about the account of a session."""

from __future__ import annotations

from pydantic import RootModel

from videogen.client.calls import API, Call
from videogen.client.transport import Transport
from videogen.schemas.accounts import Account, LoginLink
from videogen.schemas.system import SessionCreated


class _AccountOrNone(RootModel[Account | None]):
    """The answer where an anonymous session has none."""


class AccountCalls(Transport):
    """Who has signed in, and signing in and out."""

    async def account(self) -> Account | None:
        """The account that this session belongs to; None for an anonymous one."""
        return (await self._send(Call("GET", f"{API}/account", _AccountOrNone))).root

    async def login_link(self) -> LoginLink:
        """Make a link that signs this session in, once, in any tab of a browser."""
        return await self._send(Call("POST", f"{API}/account/link", LoginLink, repeatable=False))

    async def log_out(self) -> SessionCreated:
        """Sign this device out of its account. This client uses the new, anonymous session from now on; keep its token.

        The token stays the same where the session belongs to no account.
        """
        created = await self._send(Call("POST", "/logout", SessionCreated, repeatable=False))
        self.token = created.token
        return created
