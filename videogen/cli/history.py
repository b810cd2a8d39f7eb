"""The commands for existing generations, engines and the session."""

from __future__ import annotations

from argparse import Namespace
from itertools import islice

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.output import Output
from videogen.client.calls import ShareOptions
from videogen.client.connect import store_token
from videogen.schemas.generations import Generation


def list_generations(connection: Connection, args: Namespace, output: Output) -> int:
    """Print a line for each generation, newest first."""
    generations = connection.client.generations(status=args.status, q=args.search, limit=min(args.limit or 100, 100))
    for generation in islice(generations, args.limit or None):
        output.event("generation", _summary(generation), generation=generation)
    return exit_codes.DONE


def _summary(generation: Generation) -> str:
    when = generation.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    state = (
        f"{generation.status} {generation.progress:.0f} %" if generation.status == "processing" else generation.status
    )
    words = " ".join((generation.title or generation.prompt).split())
    return f"{generation.id}  {when}  {state:<12}  {words[:60]}"


def delete(connection: Connection, args: Namespace, output: Output) -> int:
    """Delete a generation that has ended."""
    connection.client.delete(args.id)
    output.event("deleted", f"{args.id} deleted", generationId=args.id)
    return exit_codes.DONE


def share(connection: Connection, args: Namespace, output: Output) -> int:
    """Make a public link."""
    options: ShareOptions = {"expires_in_seconds": round(args.days * 86400)} if args.days else {}
    link = connection.client.share(args.id, **options)
    output.event("shared", link.url, generationId=args.id, url=link.url, share=link)
    return exit_codes.DONE


def unshare(connection: Connection, args: Namespace, output: Output) -> int:
    """Revoke the public link."""
    connection.client.unshare(args.id)
    output.event("unshared", f"{args.id} is no longer shared", generationId=args.id)
    return exit_codes.DONE


def engines(connection: Connection, _args: Namespace, output: Output) -> int:
    """List the engines."""
    for engine in connection.client.engines():
        mark = " (default)" if engine.default else ""
        state = "" if engine.available else f" - not available: {engine.reason}"
        output.event("engine", f"{engine.id}{mark}: {engine.title}{state}", engine=engine)
    return exit_codes.DONE


def export(connection: Connection, args: Namespace, output: Output) -> int:
    """Write all completed generations to a zip."""
    path = connection.client.export_zip(args.file)
    size = path.stat().st_size
    output.event("exported", f"{path} ({size / 1e6:.1f} MB)", path=str(path), sizeBytes=size)
    return exit_codes.DONE


def import_zip(connection: Connection, args: Namespace, output: Output) -> int:
    """Add the generations of a zip of `export`."""
    result = connection.client.import_zip(args.file)
    known = f", {result.known} existed already" if result.known else ""
    output.event("imported", f"{result.imported} imported{known}", result=result)
    return exit_codes.DONE


def transfer(connection: Connection, _args: Namespace, output: Output) -> int:
    """Make a one-time code for another device."""
    code = connection.client.transfer()
    until = code.expires_at.astimezone().strftime("%H:%M")
    output.event("transfer", f"{code.code}\n{code.url}\nValid until {until}, for one use.", transfer=code)
    return exit_codes.DONE


def claim(connection: Connection, args: Namespace, output: Output) -> int:
    """Open the session of a one-time code, and store its token instead of the previous one."""
    created = connection.client.claim(args.code)
    path = store_token(connection.client, connection.url, created.token)
    output.event("claimed", f"This session is used from now on. Its token is in {path}", sessionId=created.session_id)
    return exit_codes.DONE
