"""The commands that make and follow generations."""

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


def generate(place: Connection, args: Namespace, output: Output) -> int:
    """Submit, follow, fetch."""
    image = place.client.upload(args.image).id if args.image else None
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
        project = place.client.submit(request)
    except KeyboardInterrupt:
        output.say("The request may have been accepted. See: videogen list")
        raise
    for generation in project.generations:
        output.tell("submitted", f"{generation.id} {generation.status}", generation=generation)
    if args.detach:
        return exit_codes.DONE
    return follow(place, project.generations, Target.of(args, len(project.generations)), output)


def settings_of(args: Namespace) -> dict[str, Any]:
    """The settings that were given; the engine knows the others."""
    width, height = args.size or (None, None)
    told = {"width": width, "height": height, "durationSeconds": args.seconds, "fps": args.fps, "seed": args.seed}
    return {key: value for key, value in told.items() if value is not None} | dict(args.set)


def watch(place: Connection, args: Namespace, output: Output) -> int:
    """Follow one, and fetch it if a file was named."""
    target = Target.of(args) if args.output else None
    return follow(place, [place.client.get(args.id)], target, output)


def retry(place: Connection, args: Namespace, output: Output) -> int:
    """Start again, follow, fetch if a file was named."""
    generation = place.client.retry(args.id)
    output.tell("submitted", f"{generation.id} {generation.status}", generation=generation)
    if args.detach:
        return exit_codes.DONE
    return follow(place, [generation], Target.of(args) if args.output else None, output)


def cancel(place: Connection, args: Namespace, output: Output) -> int:
    """Ask for a stop. Fine when it had ended."""
    generation = place.client.cancel(args.id)
    ended = generation.status.is_terminal
    text = f"{generation.id} {generation.status}" if ended else f"{generation.id} is being cancelled"
    output.tell("cancel", text, generation=generation)
    return exit_codes.DONE


def download(place: Connection, args: Namespace, output: Output) -> int:
    """Fetch the result of one that is completed."""
    generation = result_of(place.client.get(args.id))
    save(place.client, generation, Target.of(args), output)
    return exit_codes.DONE


def follow(place: Connection, generations: list[Generation], target: Target | None, output: Output) -> int:
    """Watch until each has ended; fetch what was made. The worst end decides the exit code."""
    worst = exit_codes.DONE
    for index, generation in enumerate(generations):
        try:
            ended = _ended(place, generation, output)
        except KeyboardInterrupt:
            output.close()
            for left in generations[index:]:
                output.tell("detached", place.how_to_come_back(left.id), generationId=left.id)
            raise
        except GenerationEnded as end:
            output.tell("ended", f"{end.detail}", generation=end.generation)
            worst = exit_codes.FAILED
            continue
        output.tell("ended", f"{ended.id} {ended.status}", generation=ended)
        if target is not None:
            save(place.client, ended, target, output)
    return worst


def _ended(place: Connection, generation: Generation, output: Output) -> Generation:
    """Wait for one. A server that is away is waited for, once it has been reached."""
    with closing(place.client.watch(generation=generation.id)) as watched:
        for item in watched:
            if isinstance(item, ConnectionChange) and item.state == "connected":
                continue
            output.watched(item)
    return result_of(place.client.get(generation.id))
