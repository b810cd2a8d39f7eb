"""Runs a command of the client. An error becomes one line of text and an exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Final

from videogen.cli import (
    account_commands,
    admin,
    commands,
    destinations,
    exit_codes,
    export_commands,
    retention,
    webhook_commands,
)
from videogen.cli.connection import Connection, open_connection
from videogen.cli.output import Output, open_output
from videogen.cli.parser import STDOUT
from videogen.core.errors import VideogenError

Command = Callable[[Connection, Namespace, Output], int | None]
COMMANDS: Final[dict[str, Command]] = {
    "generate": commands.generate,
    "watch": commands.watch,
    "retry": commands.retry,
    "remake": commands.remake,
    "resolve": commands.resolve,
    "cancel": commands.cancel,
    "pause": commands.pause,
    "resume": commands.resume,
    "download": commands.download,
    "log": commands.log,
    "list": commands.list_generations,
    "keep": retention.keep,
    "delete": commands.delete,
    "share": commands.share,
    "unshare": commands.unshare,
    "engines": commands.engines,
    "quota": retention.quota,
    "export": export_commands.export,
    "import": commands.import_zip,
    "transfer": commands.transfer,
    "claim": commands.claim,
    "devices": commands.devices,
    "sign-out": commands.sign_out,
    "account": account_commands.account,
    "webhooks": webhook_commands.webhooks,
}
NEED_LASTING_SERVER: Final = ("share", "transfer", "claim", "account", "webhooks")
"""Commands whose result is for later, when an app that ends with the command cannot be reached."""


def run(args: Namespace) -> int:
    """Run a command and return its exit code; see `exit_codes`."""
    piped = getattr(args, "output", None) == STDOUT
    output = open_output(sys.stderr if piped else sys.stdout, as_json=args.json)
    try:
        _check_files(args)
        if args.run == "admin":
            admin.run(args, output)
            return exit_codes.DONE
        with open_connection(args.url, args.token) as connection:
            if connection.local_data is not None and args.run in NEED_LASTING_SERVER:
                raise exit_codes.UsageError(
                    f"`videogen {args.run}` needs an app that keeps running: `videogen serve`, or one given with --url."
                )
            return COMMANDS[args.run](connection, args, output) or exit_codes.DONE
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        return exit_codes.DONE  # the reader has closed the pipe
    except (VideogenError, OSError) as problem:
        output.close()
        return _report(problem, args, output)
    finally:
        output.close()


def _report(problem: VideogenError | OSError, args: Namespace, output: Output) -> int:
    exit_code = exit_codes.exit_code(problem)
    if isinstance(problem, VideogenError):
        code, detail = problem.code, problem.detail
    else:
        code, detail = "file", f"{problem.filename or 'The file'}: {problem.strerror or problem}."
    if args.json:
        output.event("failure", "", code=code, detail=detail, exitCode=exit_code)
    print(f"videogen: {detail}", file=sys.stderr)
    return exit_code


def _check_files(args: Namespace) -> None:
    if args.run == "export":
        export_commands.check(args)
    if hasattr(args, "output"):
        destinations.check(args)
    if args.run == "generate" and not (args.prompt or args.extend):
        raise exit_codes.UsageError("generate: expected a prompt, or --extend with the id of a finished video.")
    for name in ("image", "last_frame", "file"):
        path = getattr(args, name, None)
        if path is None:
            continue
        if args.run != "export" and not path.is_file():
            raise exit_codes.UsageError(f"{path}: expected a file that exists.")
