"""The command line: the commands of the app (serve, migrate, doctor) and those of the client."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from videogen.cli.parser import add_commands, add_connection
from videogen.core.errors import VideogenError
from videogen.core.streams import flush_quietly, prepare_streams
from videogen.core.version import __version__
from videogen.deploy.command import add_parser as add_deploy

if TYPE_CHECKING:
    from videogen.core.config import AppConfig

_BY_HAND = ("migrate", "doctor", "backup", "restore")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; see docs/cli.md. Without a command it serves."""
    prepare_streams()
    try:
        parser = _parser()
        args = parser.parse_args(argv)
        if "run" not in args and (args.url or args.token):
            parser.error("--url and --token are for commands that use an app, such as `videogen --url URL list`")
        return _run(args)
    except BrokenPipeError:
        return 0  # the reader has gone
    except KeyboardInterrupt:
        return 130  # Ctrl-C while it started, as a shell counts it
    finally:
        flush_quietly()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="videogen", description="A video generation app whose work cannot be lost.")
    parser.add_argument("--version", action="version", version=f"videogen {__version__}")
    add_connection(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help="without one: serve")
    parser.set_defaults(
        command="serve", share=False, reload_engines=False, embedded=False, url=None, token=None, json=False
    )
    serve = commands.add_parser("serve", help="serve the page and the API (settings: VIDEOGEN_* in the environment)")
    serve.add_argument("--share", action="store_true", help="get a public address through Gradio's share tunnel")
    serve.add_argument("--reload-engines", action="store_true", help="load an engine again when its file has changed")
    # The API without the page, until standard input is closed. Used by `cli/local_server.py`.
    serve.add_argument("--embedded", action="store_true", help=argparse.SUPPRESS)
    worker = commands.add_parser("worker", help="only render, for servers that use the same PostgreSQL database")
    worker.add_argument(
        "--engines",
        type=_names,
        default=[],
        metavar="A,B",
        help="ids of the engines whose jobs it takes (default: all)",
    )
    worker.add_argument("--concurrency", type=_positive, metavar="N", help="how many jobs of each engine at once")
    _add_migrate(commands)
    doctor = commands.add_parser(
        "doctor",
        help="look for faults in the stored data, and name the repair",
        description="Exit code: 0 no faults (warnings are possible), 1 faults were found, 2 it could not run.",
    )
    doctor.add_argument("--fix", action="store_true", help="make the safe repairs; no server may run")
    doctor.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    add_deploy(commands)
    _add_snapshots(commands)
    add_commands(commands)
    return parser


def _add_migrate(commands: Any) -> None:
    migrate = commands.add_parser(
        "migrate",
        help="bring the database to the schema of this version, or move the installation to PostgreSQL and S3",
        description="With both options it copies the installation of the settings, which must be stopped. It can be "
        "interrupted, and run again.",
    )
    migrate.add_argument(
        "--to", default="", metavar="URL", help="an empty database: postgresql://user:password@host/name"
    )
    migrate.add_argument("--storage", default="", metavar="URL", help="an empty place: s3://bucket/prefix?endpoint=...")


def _add_snapshots(commands: Any) -> None:
    backup = commands.add_parser("backup", help="take a snapshot of the data folder; a server may run")
    backup.add_argument("place", nargs="?", metavar="TO", help="folder or s3://... (default: VIDEOGEN_SNAPSHOT_URL)")
    restore = commands.add_parser("restore", help="restore a snapshot into the data folder; no server may run")
    restore.add_argument("place", nargs="?", metavar="FROM", help="folder or s3://... (default: VIDEOGEN_SNAPSHOT_URL)")
    restore.add_argument("--list", action="store_true", help="only list the snapshots")
    restore.add_argument("--number", type=int, help="which one (default: the newest that is whole)")
    restore.add_argument("-f", "--force", action="store_true", help="move what is in the data folder aside")


def _run(args: argparse.Namespace) -> int:
    if "run" in args:
        from videogen.cli.main import run

        return run(args)
    if args.command == "deploy":
        from videogen.deploy import command

        return command.run(args)
    return _run_app_command(args)


def _run_app_command(args: argparse.Namespace) -> int:
    from videogen.core.config import AppConfig
    from videogen.core.json_log import log_as_json_if_set

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore", "alembic", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    log_as_json_if_set()
    try:
        config = AppConfig.from_env()
        if args.command == "doctor":
            return _doctor(config, fix=args.fix, as_json=args.json)
        if args.command == "migrate":
            return _move(config, args) if args.to or args.storage else _migrate(config)
        if args.command in ("backup", "restore"):
            return _snapshots(config, args)
        if args.command == "worker":
            return _worker(config, args)
        given = {name: True for name in ("share", "reload_engines") if getattr(args, name)}
        config = config.model_copy(update=given)
        return _serve(config, embedded=args.embedded)
    except VideogenError as problem:
        verb = f"{args.command} cannot run" if args.command in _BY_HAND else "cannot start"
        print(f"videogen {verb}. {problem.detail}", file=sys.stderr)
        return 2


def _serve(config: AppConfig, *, embedded: bool) -> int:
    # What is imported stays: searching it for garbage would take a tenth of the start. `server.lifespan` sets what
    # holds while it serves.
    gc.set_threshold(100_000, 50, 1_000)
    from videogen.server.run import serve

    if embedded:
        threading.Thread(target=_stop_when_input_closes, name="stop-when-input-closes", daemon=True).start()
    return serve(config, page=not embedded)


def _worker(config: AppConfig, args: argparse.Namespace) -> int:
    from videogen.server.worker import run_worker

    return run_worker(config, args.engines, args.concurrency)


def _stop_when_input_closes() -> None:
    """Send SIGTERM to this process when the parent closes standard input or ends."""
    # Not with sys.stdin: its lock would be held when the interpreter ends.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _migrate(config: AppConfig) -> int:
    from videogen.db.migrate import HEAD, migrate
    from videogen.storage import DataFolder

    DataFolder(config.data_dir).open()
    migrated = migrate(config.database)
    print(f"The database is at revision {HEAD}{'' if migrated else ' already'}.")
    return 0


def _move(config: AppConfig, args: argparse.Namespace) -> int:
    from functools import partial

    from videogen.jobs.moving.by_hand import move

    print(move(config, args.to, args.storage, partial(print, file=sys.stderr, flush=True)))
    return 0


def _names(text: str) -> list[str]:
    if not (names := [name.strip() for name in text.split(",") if name.strip()]):
        raise argparse.ArgumentTypeError("expected ids of engines, with commas between them")
    return names


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1000, got {text!r}")
    return int(text)


def _snapshots(config: AppConfig, args: argparse.Namespace) -> int:
    from videogen.jobs.snapshots.by_hand import backup, list_snapshots, restore_by_hand

    if args.command == "backup":
        print(backup(config, args.place))
    elif args.list:
        print(list_snapshots(config, args.place))
    else:
        print(restore_by_hand(config, args.place, number=args.number, force=args.force))
    return 0


def _doctor(config: AppConfig, *, fix: bool, as_json: bool) -> int:
    import json
    import shutil

    from videogen.doctor import diagnose
    from videogen.doctor.diagnosis import show

    diagnosis = diagnose(config, fix=fix)
    if as_json:
        print(json.dumps(diagnosis.as_json(), indent=2))
    else:
        terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(show(diagnosis, width=shutil.get_terminal_size().columns if terminal else None))
    return 0 if diagnosis.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
