"""The command `admin`: what the operator sees and does, with the token of `VIDEOGEN_ADMIN_TOKEN`."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Final, cast

from videogen.cli.connection import check_url
from videogen.cli.exit_codes import UsageError
from videogen.cli.output import Output
from videogen.client import Client
from videogen.client.admin_calls import HoldAction, SettleAction
from videogen.client.connect import default_url
from videogen.core.text import shorten
from videogen.schemas.admin import AdminEngine, AdminFlag, AdminGeneration, AdminSession, Overview

ENV_TOKEN: Final = "VIDEOGEN_ADMIN_TOKEN"  # noqa: S105 (a name)
NEED_TARGET: Final = ("cancel", "ban", "unban", "log", "unshare", "dismiss", "remove")


def run(args: Namespace, output: Output) -> None:
    """Do what `action` says.

    Raises:
        UsageError: the operator's token is missing, or the action needs an id.
    """
    token = os.environ.get(ENV_TOKEN, "").strip()
    if not token:
        raise UsageError(f"videogen admin: set {ENV_TOKEN} to the token that the server has.")
    if (args.target is None) == (args.action in NEED_TARGET):
        wanted = "an id" if args.target is None else "nothing more"
        raise UsageError(f"videogen admin {args.action}: expected {wanted}. See videogen admin --help.")
    url = args.url or default_url()
    check_url(url)
    with Client(url.rstrip("/"), token) as client:
        _ACTIONS.get(args.action, _hold)(client, args, output)


def _hold(client: Client, args: Namespace, output: Output) -> None:
    queue = client.admin_hold(cast(HoldAction, args.action))
    output.event("queue", f"The queue is {queue.queue}; {queue.running_count} running.", queue=queue)


def _overview(client: Client, _args: Namespace, output: Output) -> None:
    overview = client.admin_overview()
    output.event("overview", "\n".join(overview_lines(overview)), overview=overview)


def _cancel(client: Client, args: Namespace, output: Output) -> None:
    result = client.admin_cancel(args.target)
    word = "cancel requested" if result.changed and result.status == "processing" else result.status
    output.event("cancelled", f"{result.id} {word}", result=result)


def _log(client: Client, args: Namespace, output: Output) -> None:
    text = client.admin_log(args.target)
    output.event("log", text.rstrip("\n"), log=text)


def _ban(client: Client, args: Namespace, output: Output) -> None:
    bans = client.admin_ban(args.target, banned=args.action == "ban")
    lines = [f"{ban.kind} {ban.target} since {ban.at.astimezone():%Y-%m-%d %H:%M}" for ban in bans.items]
    output.event("bans", "\n".join(lines) or "Nobody is banned.", bans=bans.items)


def _settle(client: Client, args: Namespace, output: Output) -> None:
    flags = client.admin_settle(args.target, cast(SettleAction, args.action)).items
    output.event("flags", "\n".join(map(_flag, flags)) or "Nothing is reported or flagged.", flags=flags)


def _audit(client: Client, _args: Namespace, output: Output) -> None:
    for entry in client.admin_audit().items:
        text = f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}  {entry.who}  {entry.act} {entry.target}".rstrip()
        output.event("act", text, entry=entry)


_ACTIONS: Final[dict[str, Callable[[Client, Namespace, Output], None]]] = {
    "overview": _overview,
    "cancel": _cancel,
    "log": _log,
    "ban": _ban,
    "unban": _ban,
    "audit": _audit,
    **dict.fromkeys(("unshare", "dismiss", "remove"), _settle),
}


def overview_lines(overview: Overview) -> Iterator[str]:
    """What goes on, for a terminal."""
    storage = overview.storage
    yield f"Queue {overview.queue}: {overview.running_count} running, {overview.waiting_count} waiting"
    yield from map(_generation, overview.active)
    yield from map(_engine, overview.engines)
    limit = "" if storage.limit_bytes is None else f" of {_size(storage.limit_bytes)}"
    yield f"Storage: {_size(storage.bytes)}{limit} in {storage.files} files, {_size(storage.free_bytes)} free"
    yield from map(_session, overview.sessions)
    if overview.refused:
        yield "Refused since the start: " + ", ".join(f"{code} {count}" for code, count in overview.refused.items())
    for ban in overview.bans:
        yield f"Banned: {ban.kind} {ban.target}"
    yield from map(_flag, overview.flags)


def _generation(one: AdminGeneration) -> str:
    state = f"waits for {one.waits_for}" if one.waits_for else f"{one.progress:.0f} % {one.stage}"
    return f"  {one.id}  {one.session_id}  {one.engine}  {state}  {shorten(one.prompt, 60)}"


def _engine(one: AdminEngine) -> str:
    state = "available" if one.available else f"not available: {one.reason}"
    rate = "none ended" if one.day.error_rate is None else f"{one.day.error_rate:.1%} failed"
    return f"Engine {one.id}: {state}; {one.running} running, {one.waiting} waiting; 24 hours: {rate}"


def _session(one: AdminSession) -> str:
    banned = "  banned" if one.banned else ""
    return f"  {one.id}  {one.today} today, {one.generations} in all, {_size(one.bytes)}{banned}"


def _flag(one: AdminFlag) -> str:
    what = f"reported {one.reports} times" if one.reports else "flagged"
    return f"{one.id}  {one.session_id}  {what}: {one.words}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
