"""The commands that start, follow and download generations."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from typing import Any

from videogen.cli import exit_codes
from videogen.cli.connection import Connection
from videogen.cli.destinations import Target, save
from videogen.cli.output import Output
from videogen.client import ConnectionChange, GenerationEnded
from videogen.client.errors import result_of
from videogen.schemas.generations import Generation, GenerationCreate


def generate(connection: Connection, args: Namespace, output: Output) -> int:
    """Submit a prompt, follow it, download the results."""
    image = connection.client.upload(args.image).id if args.image else None
    request = GenerationCreate(
        type=args.type,
        prompt=args.prompt,
        negative_prompt=args.negative,
        engine=args.engine,
        settings=settings_of(args),
        input_file_id=image,
        variations=args.variations,
    )
    try:
        project = connection.client.submit(request)
    except KeyboardInterrupt:
        output.message("The request may have been accepted. See: videogen list")
        raise
    for generation in project.generations:
        output.event("submitted", f"{generation.id} {generation.status}", generation=generation)
    if args.detach:
        return exit_codes.DONE
    return follow(connection, project.generations, Target.of(args, len(project.generations)), output)


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
    generation = connection.client.retry(args.id)
    output.event("submitted", f"{generation.id} {generation.status}", generation=generation)
    if args.detach:
        return exit_codes.DONE
    return follow(connection, [generation], Target.of(args) if args.output else None, output)


def cancel(connection: Connection, args: Namespace, output: Output) -> int:
    """Cancel a generation. One that has ended does not change."""
    generation = connection.client.cancel(args.id)
    ended = generation.status.is_terminal
    text = f"{generation.id} {generation.status}" if ended else f"{generation.id} is being cancelled"
    output.event("cancel", text, generation=generation)
    return exit_codes.DONE


def download(connection: Connection, args: Namespace, output: Output) -> int:
    """Download the result of a completed generation."""
    generation = result_of(connection.client.get(args.id))
    save(connection.client, generation, Target.of(args), output)
    return exit_codes.DONE


def follow(connection: Connection, generations: list[Generation], target: Target | None, output: Output) -> int:
    """Wait until each has ended and download the results. One failure is enough for the exit code FAILED."""
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
            output.event("ended", f"{end.detail}", generation=end.generation)
            exit_code = exit_codes.FAILED
            continue
        output.event("ended", f"{result.id} {result.status}", generation=result)
        if target is not None:
            save(connection.client, result, target, output)
    return exit_code


def _wait(connection: Connection, generation: Generation, output: Output) -> Generation:
    """Wait for the result, across restarts of the server."""
    with closing(connection.client.watch(generation=generation.id)) as items:
        for item in items:
            if isinstance(item, ConnectionChange) and item.state == "connected":
                continue
            output.update(item)
    return result_of(connection.client.get(generation.id))
