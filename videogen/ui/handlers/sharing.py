"""Public links: make one, change when it ends, revoke it, list all."""

from __future__ import annotations

from videogen.client.calls import ShareOptions
from videogen.schemas.sharing import MAX_SHARE_SECONDS
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.panels import sharing
from videogen.ui.tab import Dialog, Notice, Tab


@handles("share")
async def share(tab: Tab, click: Click) -> None:
    """Show the link of a generation; one that has none gets one, which does not end by itself."""
    await _show(tab, click, ShareOptions())


@handles("link-expiry")
async def set_expiry(tab: Tab, click: Click) -> None:
    """Give a link another end: seconds from now, or `never`."""
    wanted = click.text("value", 12)
    if wanted == "never":
        await _show(tab, click, ShareOptions(expires_in_seconds=None))
    elif wanted.isascii() and wanted.isdigit():
        await _show(tab, click, ShareOptions(expires_in_seconds=min(max(int(wanted), 1), MAX_SHARE_SECONDS)))


@handles("link-revoke")
async def revoke(tab: Tab, click: Click) -> None:
    """Revoke a link: whoever has its page open sees it end."""
    await tab.client.unshare(click.generation_id)
    tab.notice = Notice(tab.texts.gettext("share.revoked"))
    if tab.dialog is not None and tab.dialog.name == "links":
        await links(tab, click)
    else:
        tab.close_dialog()


@handles("links")
async def links(tab: Tab, click: Click) -> None:
    """List all links of the session."""
    tab.dialog = Dialog("links", sharing.links(tab, await tab.client.shares(), click.base))


async def _show(tab: Tab, click: Click, options: ShareOptions) -> None:
    made = await tab.client.share(click.generation_id, **options)
    tab.dialog = Dialog("share", sharing.link(tab, made, click.base))
