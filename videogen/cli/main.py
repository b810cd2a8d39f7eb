"""Runs a command of the client, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Final

from videogen.cli import commands, destinations, exit_codes, history
from videogen.cli.connection import Connection, open_place
from videogen.cli.output import Output, open_output
from videogen.cli.parser import STDOUT
from videogen.core.errors import VideogenError

Command = Callable[[Connection, Namespace, Output], int]
COMMANDS: Final[dict[str, Command]] = {
    "generate": commands.generate,
    "watch": commands.watch,
    "retry": commands.retry,
    "cancel": commands.cancel,
    "download": commands.download,
    "list": history.list_generations,
    "delete": history.delete,
    "share": history.share,
    "unshare": history.unshare,
    "engines": history.engines,
    "export": history.export,
    "import": history.import_zip,
    "transfer": history.transfer,
    "claim": history.claim,
}


FOR_OTHERS: Final = ("share", "transfer", "claim")
"""Commands whose effect is for a browser, which could not reach an app that ends with the command."""


def run(args: Namespace) -> int:
    """Run the command that was typed; return its exit code (see `codes`)."""
    piped = getattr(args, "output", None) == STDOUT
    output = open_output(sys.stderr if piped else sys.stdout, as_json=args.json)
    try:
        _check_files(args)
        with open_place(args.url, args.token) as place:
            if place.own is not None and args.run in FOR_OTHERS:
                raise exit_codes.UsageError(
                    f"`videogen {args.run}` needs an app that stays: start `videogen serve`, or name one with --url."
                )
            return COMMANDS[args.run](place, args, output)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has enough. What is still buffered must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.DONE
    except (VideogenError, OSError) as problem:
        output.close()
        return _tell(problem, args, output)
    finally:
        output.close()


def _tell(problem: VideogenError | OSError, args: Namespace, output: Output) -> int:
    code = exit_codes.code_of(problem)
    if isinstance(problem, VideogenError):
        name, detail = problem.code, problem.detail
    else:
        name, detail = "file", f"{problem.filename or 'The file'}: {problem.strerror or problem}."
    if args.json:
        output.tell("failure", "", code=name, detail=detail, exitCode=code)
    print(f"videogen: {detail}", file=sys.stderr)
    return code


def _check_files(args: Namespace) -> None:
    if hasattr(args, "output"):
        destinations.check(args)
    for name in ("image", "file"):
        path = getattr(args, name, None)
        if path is None:
            continue
        if args.run == "export":
            if path.exists() and not args.force:
                raise exit_codes.UsageError(f"{path}: it exists. Choose another name, or --force to overwrite it.")
        elif not path.is_file():
            raise exit_codes.UsageError(f"{path}: expected a file, got nothing there.")
