"""Signing in with an account, in a tab of its own, and out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from videogen.core.i18n import PARAMETER
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Dialog, Notice, Tab


@handles("account")
async def account(tab: Tab, click: Click) -> None:
    """Open the dialog: who has signed in, or a link that signs this page in, for a new tab.

    The provider's pages cannot stand in a frame, and the page's own cookies may be blocked in one.
    """
    values: dict[str, Any] = {"account": tab.account, "begun": False, "provider": tab.site.login}
    if tab.account is None:
        made = await tab.client.login_link()
        base, _, query = made.url.rpartition("/login?")
        if click.base and not tab.site.links_from_api():
            base = click.base  # the API was asked by this process, and knows less than the browser
        values["pays"] = any(one.visitor_account for one in tab.site.engines)
        values["link"] = f"{base}/login?{query}&{urlencode({PARAMETER: tab.texts.words.tag})}"
        values["valid"] = tab.texts.wait((made.expires_at - datetime.now(UTC)).total_seconds())
    tab.dialog = Dialog("account", values)


@handles("account-begun")
async def begun(tab: Tab, _click: Click) -> None:
    """The link was opened, and cannot be used again: wait for what comes of it."""
    if tab.dialog is not None and tab.dialog.name == "account":
        tab.dialog = Dialog("account", {**tab.dialog.values, "begun": True})


@handles("account-leave")
async def leave(tab: Tab, _click: Click) -> None:
    """Sign this device out: it has an empty session then."""
    if tab.stand_in:  # it could not keep the token
        return
    made = await tab.client.log_out()
    tab.move(made.token, Notice(tab.texts.gettext("account.left")))
