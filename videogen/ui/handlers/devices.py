"""The session on other devices: one-time codes, the devices that are connected, and a code from another device."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import segno

from videogen.client import ApiError, ClientError
from videogen.client.policy import is_loopback
from videogen.schemas.portability import Transfer
from videogen.schemas.system import Device
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.pages import claimed_code
from videogen.ui.tab import Dialog, Notice, Tab

NOTHING: dict[str, Any] = {"code": "", "message": ""}
"""The dialog's values while no code stands there."""


@handles("devices")
async def devices(tab: Tab, _click: Click) -> None:
    """Open the dialog "On your other devices"."""
    await _show(tab, NOTHING)


@handles("transfer")
async def transfer(tab: Tab, click: Click) -> None:
    """Make a one-time code, with its link and QR code. An earlier one is no longer valid."""
    made = await tab.client.transfer()
    # The API was asked by this process, so the browser knows the public address better.
    link = f"{click.base}/#{urlsplit(made.url).fragment}" if click.base else made.url
    await _show(tab, _code(tab, made, link))


def _code(tab: Tab, made: Transfer, link: str) -> dict[str, Any]:
    left = (made.expires_at - datetime.now(UTC)).total_seconds()
    return {
        "code": made.code,
        "link": link,
        "qr": segno.make_qr(link, error="m").svg_data_uri(scale=4, border=2, light="#fff"),
        "only_here": is_loopback(link),
        "valid": tab.texts.wait(left),
        "message": "",
    }


@handles("transfer-revoke")
async def revoke(tab: Tab, _click: Click) -> None:
    """Make the code invalid."""
    await tab.client.revoke_transfer()
    await _show(tab, NOTHING | {"message": tab.texts.gettext("take.revoked")})


@handles("sign-out")
async def sign_out(tab: Tab, click: Click) -> None:
    """Sign one device out; a code that was not used yet is revoked with it."""
    await tab.client.sign_out(click.text("device"))
    await _show(tab, NOTHING | {"message": tab.texts.gettext("devices.signed_out")})


@handles("sign-out-others")
async def sign_out_others(tab: Tab, _click: Click) -> None:
    """Sign all other devices out; this one goes on with a new token."""
    if tab.stand_in:  # a stand-in, which could not keep the token
        return
    made = await tab.client.sign_out_others()
    tab.move(made.token, Notice(tab.texts.gettext("devices.signed_out_others")))


async def _show(tab: Tab, values: dict[str, Any]) -> None:
    known = [_line(tab, one) for one in await tab.client.devices()]
    tab.dialog = Dialog("devices", {**values, "devices": known})


def _line(tab: Tab, device: Device) -> dict[str, Any]:
    ago = (datetime.now(UTC) - device.last_seen_at).total_seconds()
    # The API notes the time to within an hour.
    seen = (
        tab.texts.gettext("devices.ago", time=tab.texts.wait(ago)) if ago >= 5400 else tab.texts.gettext("devices.hour")
    )
    return {
        "id": device.id,
        "name": device.name or tab.texts.gettext("devices.unnamed"),
        "seen": seen,
        "current": device.current,
    }


@handles("claim-open")
async def open_claim(tab: Tab, click: Click) -> None:
    """A code was typed, or is in the address's `hash`: ask before this browser's own session is replaced."""
    if code := click.text("code").strip() or claimed_code("", click.text("hash")):
        ask(tab, code)


def ask(tab: Tab, code: str, error: str = "", *, over: bool = False) -> None:
    """Open the dialog that asks; it stays until it is answered.

    Args:
        tab: the page.
        code: of the other device.
        error: why it could not be used, in words.
        over: whether it is of no use any more, in the address neither.
    """
    tab.claim = None if over else code
    own = len(tab.board.active()) + len(tab.board.history())
    tab.dialog = Dialog("claim", {"own": own, "error": error, "over": over})


@handles("claim")
async def claim(tab: Tab, _click: Click) -> None:
    """Use the code: the page then belongs to the other device's session."""
    if tab.claim is None or tab.stand_in:
        return
    code = tab.claim
    try:
        made = await tab.client.claim(code)
    except ApiError as refusal:
        ask(tab, code, tab.texts.refusal(refusal), over=refusal.status in (410, 422))
    except ClientError:
        ask(tab, code, tab.texts.gettext("claim.unreachable"))
    else:
        tab.claim = None
        tab.move(made.token, Notice(tab.texts.gettext("claim.done")))
