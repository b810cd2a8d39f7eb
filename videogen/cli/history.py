"""The commands around what is already there."""

from __future__ import annotations

from argparse import Namespace
from itertools import islice

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.output import Output
from videogen.client.blocking.connect import sign_in_with
from videogen.client.calls import ShareOptions
from videogen.schemas.generations import Generation


def list_generations(place: Connection, args: Namespace, output: Output) -> int:
    """One line for each, newest first."""
    found = place.client.generations(status=args.status, q=args.search, limit=min(args.limit or 100, 100))
    for generation in islice(found, args.limit or None):
        output.tell("generation", _line(generation), generation=generation)
    return exit_codes.DONE


def _line(generation: Generation) -> str:
    when = generation.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    state = (
        f"{generation.status} {generation.progress:.0f} %" if generation.status == "processing" else generation.status
    )
    words = " ".join((generation.title or generation.prompt).split())
    return f"{generation.id}  {when}  {state:<12}  {words[:60]}"


def delete(place: Connection, args: Namespace, output: Output) -> int:
    """Remove one that has ended."""
    place.client.delete(args.id)
    output.tell("deleted", f"{args.id} deleted", generationId=args.id)
    return exit_codes.DONE


def share(place: Connection, args: Namespace, output: Output) -> int:
    """Make a public link."""
    options: ShareOptions = {"expires_in_seconds": round(args.days * 86400)} if args.days else {}
    made = place.client.share(args.id, **options)
    output.tell("shared", made.url, generationId=args.id, url=made.url, share=made)
    return exit_codes.DONE


def unshare(place: Connection, args: Namespace, output: Output) -> int:
    """Revoke it."""
    place.client.unshare(args.id)
    output.tell("unshared", f"{args.id} is no longer shared", generationId=args.id)
    return exit_codes.DONE


def engines(place: Connection, _args: Namespace, output: Output) -> int:
    """What can render here."""
    for engine in place.client.engines():
        mark = " (default)" if engine.default else ""
        state = "" if engine.available else f" - not available: {engine.reason}"
        output.tell("engine", f"{engine.id}{mark}: {engine.title}{state}", engine=engine)
    return exit_codes.DONE


def export(place: Connection, args: Namespace, output: Output) -> int:
    """Everything that has ended, as a zip."""
    path = place.client.export_zip(args.file)
    size = path.stat().st_size
    output.tell("exported", f"{path} ({size / 1e6:.1f} MB)", path=str(path), sizeBytes=size)
    return exit_codes.DONE


def import_zip(place: Connection, args: Namespace, output: Output) -> int:
    """Bring in such a zip."""
    came = place.client.import_zip(args.file)
    known = f", {came.known} were here already" if came.known else ""
    output.tell("imported", f"{came.imported} imported{known}", result=came)
    return exit_codes.DONE


def transfer(place: Connection, _args: Namespace, output: Output) -> int:
    """A code for another device."""
    made = place.client.transfer()
    until = made.expires_at.astimezone().strftime("%H:%M")
    output.tell("transfer", f"{made.code}\n{made.url}\nHolds until {until}, for one use.", transfer=made)
    return exit_codes.DONE


def claim(place: Connection, args: Namespace, output: Output) -> int:
    """Open the session of a code here, instead of the one that was kept."""
    created = place.client.claim(args.code)
    path = sign_in_with(place.client, place.url, created.token)
    output.tell("claimed", f"This is the session from now on; its token is in {path}", sessionId=created.session_id)
    return exit_codes.DONE
