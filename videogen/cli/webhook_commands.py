"""The command `webhooks`: list, add, test and remove the addresses that the events of a session are sent to."""

from __future__ import annotations

from argparse import Namespace
from typing import cast

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.output import Output
from videogen.schemas.webhooks import EVENTS, Webhook, WebhookEvent, WebhookResult


def webhooks(connection: Connection, args: Namespace, output: Output) -> int:
    """Do what `action` says."""
    if args.action == "list":
        for webhook in connection.client.webhooks():
            output.event("webhook", _summary(webhook), webhook=webhook)
        return exit_codes.DONE
    if not args.target:
        wanted = "an https address" if args.action == "add" else "the id of a webhook; see: videogen webhooks"
        raise exit_codes.UsageError(f"videogen webhooks {args.action}: expected {wanted}.")
    if args.action == "add":
        events = cast(list[WebhookEvent], [f"generation.{name}" for name in args.event or ()])
        made = connection.client.add_webhook(args.target, events or EVENTS)
        secret = made.secret or "The operator's own key signs the messages: ask for it."
        output.event("webhookAdded", f"{made.id}\n{secret}", webhook=made)
    elif args.action == "test":
        result = connection.client.test_webhook(args.target)
        output.event("webhookTested", _result(result), result=result)
        return exit_codes.DONE if result.ok else exit_codes.FAILED
    else:
        connection.client.remove_webhook(args.target)
        output.event("webhookRemoved", f"{args.target} removed", webhookId=args.target)
    return exit_codes.DONE


def _summary(webhook: Webhook) -> str:
    state = f"disabled: {webhook.disabled}" if webhook.disabled else f"{webhook.pending} pending"
    last = f"; last: {_result(webhook.last)}" if webhook.last else ""
    return f"{webhook.id}  {webhook.url}  {state}{last}"


def _result(result: WebhookResult) -> str:
    return result.text if result.status is None else f"HTTP {result.status} {result.text}".strip()
