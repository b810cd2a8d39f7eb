"""The command `account`: who has signed in, a link that signs this machine in, and signing out."""

from __future__ import annotations

from argparse import Namespace

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.output import Output
from videogen.client.connect import store_token


def account(connection: Connection, args: Namespace, output: Output) -> int:
    """Do what `action` says."""
    client = connection.client
    if args.action == "sign-in":
        link = client.login_link()
        until = link.expires_at.astimezone().strftime("%H:%M")
        text = f"{link.url}\nOpen it in a browser until {until}. Then see: videogen account"
        output.event("signInLink", text, link=link)
    elif args.action == "sign-out":
        path = store_token(client, connection.url, client.log_out().token)
        output.event("accountLeft", f"Signed out. A new, empty session is used from now on. Its token is in {path}")
    else:
        found = client.account()
        text = f"{found.name} ({found.username}) at {found.provider}" if found else "Nobody has signed in."
        output.event("account", text, account=found)
    return exit_codes.DONE
