"""The commands of the client. Each returns its exit code; None means `DONE`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from typing import Any

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.destinations import Target, save
from videogen.cli.explanation import explanation_lines, left_out_lines, price_text
from videogen.cli.output import Output
from videogen.client import AttentionNeeded, ConnectionChange, GenerationEnded, Watched
from videogen.client.calls import Images, RemakeOptions, ShareOptions
from videogen.client.connect import store_token
from videogen.client.errors import result_of
from videogen.schemas.generations import Generation, GenerationCreate


def generate(connection: Connection, args: Namespace, output: Output) -> int:
    """Submit a prompt, follow it, download the results; with `--explain` only say what would be made of it."""
    if args.explain:
        return explain(connection, args, output)
    request = GenerationCreate(
        type=args.type,
        prompt=args.prompt,
        negative_prompt=args.negative,
        engine=args.engine,
        settings=settings_of(args),
        **_images(connection, args),
        extend=args.extend,
        variations=args.variations,
    )
    try:
        project = connection.client.submit(request)
    except KeyboardInterrupt:
        output.message("The request may have been accepted. See: videogen list")
        raise
    for generation in project.generations:
        output.event("submitted", f"{generation.id} {generation.status}", generation=generation)
    for line in left_out_lines(project.generations[0].understanding):
        print(line, file=sys.stderr)
    if args.detach:
        return exit_codes.DONE
    return follow(connection, project.generations, Target.of(args, len(project.generations)), output)


def explain(connection: Connection, args: Namespace, output: Output) -> int:
    """Say what an engine would make of a prompt: what is drawn and what is not, how long it takes, what it costs."""
    client = connection.client
    explanation = client.explain(
        args.prompt,
        args.engine or next(engine.id for engine in client.engines() if engine.default),
        type=args.type,
        negative_prompt=args.negative,
        settings=settings_of(args),
        **_images(connection, args),
        extend=args.extend,
    )
    output.event("explanation", "\n".join(explanation_lines(explanation)), explanation=explanation)
    return exit_codes.DONE


def _images(connection: Connection, args: Namespace) -> Images:
    """Upload the images to start from and to end with."""
    first, last = (connection.client.upload(path).id if path else None for path in (args.image, args.last_frame))
    return {"input_file_id": first, "last_frame_file_id": last}


def settings_of(args: Namespace) -> dict[str, Any]:
    """The settings on the command line. The engine has defaults for the others."""
    width, height = args.size or (None, None)
    settings = {"width": width, "height": height, "durationSeconds": args.seconds, "fps": args.fps, "seed": args.seed}
    return {key: value for key, value in settings.items() if value is not None} | dict(args.set)


def watch(connection: Connection, args: Namespace, output: Output) -> int:
    """Follow a generation; download it if `--output` is given."""
    target = Target.of(args) if args.output else None
    return follow(connection, [connection.client.get(args.id)], target, output)


def retry(connection: Connection, args: Namespace, output: Output) -> int:
    """Start a generation again and follow it; download it if `--output` is given."""
    return _follow_new(connection, connection.client.retry(args.id), args, output)


def remake(connection: Connection, args: Namespace, output: Output) -> int:
    """Make a shot again and follow the new generation; download it if `--output` is given."""
    changes: RemakeOptions = {"followers": not args.keep_followers}
    if args.prompt is not None:
        changes["prompt"] = args.prompt
    if args.seed is not None:
        changes["seed"] = args.seed
    return _follow_new(connection, connection.client.remake_shot(args.id, args.shot, **changes), args, output)


def _follow_new(connection: Connection, generation: Generation, args: Namespace, output: Output) -> int:
    output.event("submitted", f"{generation.id} {generation.status}", generation=generation)
    if args.detach:
        return exit_codes.DONE
    return follow(connection, [generation], Target.of(args) if args.output else None, output)


def resolve(connection: Connection, args: Namespace, output: Output) -> int:
    """Say what becomes of a generation that needs attention; follow it if it goes on."""
    generation = connection.client.resolve(args.id, args.action)
    if args.action == "resubmit":
        output.event("submitted", f"{generation.id} {generation.status}", generation=generation)
    else:
        output.event("resolved", f"{generation.id} {generation.status}", generation=generation)
    if args.detach or generation.status.is_terminal:
        return exit_codes.DONE
    return follow(connection, [generation], Target.of(args) if args.output else None, output)


def cancel(connection: Connection, args: Namespace, output: Output) -> None:
    """Cancel a generation. One that has ended does not change."""
    generation = connection.client.cancel(args.id)
    ended = generation.status.is_terminal
    text = f"{generation.id} {generation.status}" if ended else f"{generation.id} is being cancelled"
    output.event("cancel", text, generation=generation)


def pause(connection: Connection, _args: Namespace, output: Output) -> None:
    """Pause the session's queue."""
    queue = connection.client.pause_queue()
    output.event("paused", "Paused: nothing of your queue begins until `videogen resume`.", queue=queue)


def resume(connection: Connection, _args: Namespace, output: Output) -> None:
    """Let the session's queue go on."""
    output.event("resumed", "Your queue goes on.", queue=connection.client.resume_queue())


def download(connection: Connection, args: Namespace, output: Output) -> None:
    """Download the result of a completed generation."""
    generation = result_of(connection.client.get(args.id))
    save(connection.client, generation, Target.of(args), output)


def log(connection: Connection, args: Namespace, output: Output) -> None:
    """Print what the engine of a generation has printed."""
    text = connection.client.log(args.id)
    output.event("log", text.rstrip("\n"), generationId=args.id, log=text)


def follow(connection: Connection, generations: list[Generation], target: Target | None, output: Output) -> int:
    """Wait until each has ended and download the results. One failure is enough for the exit code FAILED.

    One that needs attention is left as it is; the exit code is then ATTENTION.
    """
    exit_code = exit_codes.DONE
    for index, generation in enumerate(generations):
        try:
            result = _wait(connection, generation, output)
        except KeyboardInterrupt:
            output.close()
            for remaining in generations[index:]:
                output.event("detached", connection.resume_hint(remaining.id), generationId=remaining.id)
            raise
        except GenerationEnded as end:
            output.event("ended", end.detail, generation=end.generation)
            exit_code = max(exit_code, exit_codes.FAILED)
            continue
        except AttentionNeeded as problem:
            output.event("needs_attention", "\n".join(_attention_lines(problem)), generation=problem.generation)
            exit_code = exit_codes.ATTENTION
            continue
        price = f", {price_text(result.cost)}" if result.cost else ""
        output.event("ended", f"{result.id} {result.status}{price}", generation=result)
        if target is not None:
            save(connection.client, result, target, output)
    return exit_code


def _wait(connection: Connection, generation: Generation, output: Output) -> Generation:
    """Wait for the result, across restarts of the server."""

    def show(item: Watched) -> None:
        if not (isinstance(item, ConnectionChange) and item.state == "connected"):
            output.update(item)

    return connection.client.wait(generation.id, on_event=show)


def _attention_lines(problem: AttentionNeeded) -> Iterator[str]:
    """What is known of a generation that needs attention, and what can be done."""
    generation = problem.generation
    yield problem.detail
    if (known := generation.attention) is not None:
        if known.sent_at is not None:
            yield f"sent: {known.sent_at.astimezone():%Y-%m-%d %H:%M:%S}"
        if known.provider_id:
            yield f"its id there: {known.provider_id}"
        if known.look_at:
            yield f"where to look: {known.look_at}"
    yield f"videogen resolve {generation.id} look      looks for it again"
    yield f"videogen resolve {generation.id} resubmit  sends it again; you may pay for it twice"
    yield f"videogen resolve {generation.id} fail      gives it up"


def list_generations(connection: Connection, args: Namespace, output: Output) -> None:
    """Print a line for each generation, newest first."""
    generations = connection.client.generations(status=args.status, q=args.search, limit=min(args.limit or 100, 100))
    for generation in islice(generations, args.limit or None):
        output.event("generation", _summary(generation), generation=generation)


def _summary(generation: Generation) -> str:
    when = generation.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    about = "~" if generation.estimated else ""
    is_counted = generation.progress > 0 and generation.status == "processing"
    state = generation.status + (f" {about}{generation.progress:.0f} %" if is_counted else "")
    if generation.needs_attention:
        state = "needs attention"
    words = " ".join((generation.title or generation.prompt).split())
    until = f"  (until {generation.expires_at.astimezone():%Y-%m-%d %H:%M})" if generation.expires_at else ""
    return f"{generation.id}  {when}  {state:<12}  {words[:60]}{until}"


def delete(connection: Connection, args: Namespace, output: Output) -> None:
    """Delete a generation that has ended."""
    connection.client.delete(args.id)
    output.event("deleted", f"{args.id} deleted", generationId=args.id)


def share(connection: Connection, args: Namespace, output: Output) -> None:
    """Make a public link."""
    options: ShareOptions = {"expires_in_seconds": round(args.days * 86400)} if args.days else {}
    link = connection.client.share(args.id, **options)
    output.event("shared", link.url, generationId=args.id, url=link.url, share=link)


def unshare(connection: Connection, args: Namespace, output: Output) -> None:
    """Revoke the public link."""
    connection.client.unshare(args.id)
    output.event("unshared", f"{args.id} is no longer shared", generationId=args.id)


def engines(connection: Connection, _args: Namespace, output: Output) -> None:
    """List the engines."""
    for engine in connection.client.engines():
        mark = " (default)" if engine.default else ""
        state = "" if engine.available else f" - not available: {engine.reason}"
        output.event("engine", f"{engine.id}{mark}: {engine.title}{state}", engine=engine)


def import_zip(connection: Connection, args: Namespace, output: Output) -> None:
    """Add the generations of a zip of `export`."""
    result = connection.client.import_zip(args.file)
    known = f", {result.known} existed already" if result.known else ""
    output.event("imported", f"{result.imported} imported{known}", result=result)


def transfer(connection: Connection, _args: Namespace, output: Output) -> None:
    """Make a one-time code for another device."""
    code = connection.client.transfer()
    until = code.expires_at.astimezone().strftime("%H:%M")
    output.event("transfer", f"{code.code}\n{code.url}\nValid until {until}, for one use.", transfer=code)


def claim(connection: Connection, args: Namespace, output: Output) -> None:
    """Open the session of a one-time code, and store its token instead of the previous one."""
    created = connection.client.claim(args.code)
    path = store_token(connection.client, connection.url, created.token)
    output.event("claimed", f"This session is used from now on. Its token is in {path}", sessionId=created.session_id)


def devices(connection: Connection, _args: Namespace, output: Output) -> None:
    """Print a line for each device of the session."""
    for device in connection.client.devices():
        when = device.last_seen_at.astimezone().strftime("%Y-%m-%d %H:%M")
        mark = " (this one)" if device.current else ""
        output.event("device", f"{device.id}  {when}  {device.name or 'unknown'}{mark}", device=device)


def sign_out(connection: Connection, args: Namespace, output: Output) -> None:
    """Sign out one device, or all but this one, whose new token is stored."""
    if args.id:
        connection.client.sign_out(args.id)
        output.event("signedOut", f"{args.id} is signed out", deviceId=args.id)
        return
    created = connection.client.sign_out_others()
    path = store_token(connection.client, connection.url, created.token)
    output.event("signedOut", f"All other devices are signed out. The new token is in {path}")
