"""The command `export`: all completed generations as one zip, or one of them in another format."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from videogen.cli.connection import Connection
from videogen.cli.exit_codes import UsageError
from videogen.cli.output import Output
from videogen.cli.parser import STDOUT
from videogen.client import Client, ConnectionChange
from videogen.schemas.exports import Export


def check(args: Namespace) -> None:
    """Check the command line before the app is asked for anything.

    Raises:
        UsageError: the zip exists, or a generation is named without a format.
    """
    if args.format is None:
        if args.output is not None:
            raise UsageError("-o is for --format webm, gif or png. For all generations: videogen export FILE.")
        if str(args.file).startswith("gen_"):
            raise UsageError(f"{args.file}: one generation needs --format webm, gif or png.")
        if args.file.exists() and not args.force:
            raise UsageError(f"{args.file}: it exists. Choose another name, or overwrite it with --force.")


def export(connection: Connection, args: Namespace, output: Output) -> None:
    """Write all completed generations to a zip; with `--format` one of them in that format."""
    if args.format is not None:
        _export_one(connection, args, output)
        return
    path = connection.client.export_zip(args.file)
    size = path.stat().st_size
    output.event("exported", f"{path} ({size / 1e6:.1f} MB)", path=str(path), sizeBytes=size)


def _export_one(connection: Connection, args: Namespace, output: Output) -> None:
    client, shown = connection.client, -1

    def show(item: Export | ConnectionChange) -> None:
        nonlocal shown
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                output.update(item)
        elif (tens := int(item.progress // 10)) != shown:
            shown = tens
            output.event("export", f"{item.id} {item.progress:.0f} % {item.message or item.status}", export=item)

    asked = client.export(str(args.file), args.format)
    path = args.output or Path(asked.name)
    if path != STDOUT and path.exists() and not args.force:
        raise UsageError(f"{path}: it exists. Choose another name, or overwrite it with --force.")
    made = client.wait_export(asked, on_event=show)
    if made.sound_left_out:
        output.message(f"A {args.format.upper()} has no sound; webm keeps it.")
    if path == STDOUT:
        _print(client, made)
        return
    client.download_export(made, path)
    size = path.stat().st_size
    output.event("saved", f"{path} ({size / 1e6:.1f} MB)", exportId=made.id, path=str(path), sizeBytes=size)


def _print(client: Client, made: Export) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_export(made, Path(folder, "export"))
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
