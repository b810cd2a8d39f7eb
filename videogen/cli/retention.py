"""The commands on what is kept until when, and on what is left of quotas."""

from __future__ import annotations

from argparse import Namespace

from videogen.cli.connection import Connection
from videogen.cli.output import Output


def keep(connection: Connection, args: Namespace, output: Output) -> None:
    """Let the time for which a generation is kept count from now."""
    generation = connection.client.keep(args.id)
    until = generation.expires_at
    words = "until it is deleted" if until is None else f"until {until.astimezone():%Y-%m-%d %H:%M}"
    output.event("kept", f"{generation.id} is kept {words}", generation=generation)


def quota(connection: Connection, _args: Namespace, output: Output) -> None:
    """Print what is left of each engine that has a quota."""
    for engine, left in connection.client.quota().items():
        again = f", more at {left.resets_at.astimezone():%H:%M}" if left.resets_at else ""
        text = f"{engine}: {left.left:g} of {left.limit:g} seconds left in 24 hours{again}"
        output.event("quota", text, engine=engine, quota=left)
