"""Who has signed in, as a tab knows it."""

from __future__ import annotations

from contextlib import suppress

from videogen.client import ClientError
from videogen.schemas.accounts import Account
from videogen.ui.tab import Notice, Tab


async def read_account(tab: Tab) -> Account | None:
    """The account of a tab's session; None for an anonymous one.

    Raises:
        ClientError: the API does not answer.
    """
    return await tab.client.account() if tab.site.login else None


async def follow_account(tab: Tab) -> None:
    """Read the account again where the session may have become another one. If it has, the watcher begins anew: what
    another device has made is there then."""
    if not tab.account_outdated:
        return
    with suppress(ClientError):
        account = await read_account(tab)
        tab.account_outdated = False
        if account != tab.account:
            tab.anew = True
            tab.notice = Notice(tab.texts.gettext("account.done", name=account.name)) if account else None
