"""The command line: `videogen serve` and `videogen migrate`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from videogen import __version__
from videogen.config import AppConfig
from videogen.errors import VideogenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status (0 done, 2 it cannot start)."""
    parser = argparse.ArgumentParser(prog="videogen", description="A video generation app whose work cannot be lost.")
    parser.add_argument("--version", action="version", version=f"videogen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the page and the API (settings: VIDEOGEN_* in the environment)")
    serve.add_argument("--share", action="store_true", help="get a public address through Gradio's share tunnel")
    commands.add_parser("migrate", help="bring the database to the schema of this version")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        config = AppConfig.from_env()
        if getattr(chosen, "share", False):
            config = config.model_copy(update={"share": True})
        return _serve(config) if chosen.command == "serve" else _migrate(config)
    except VideogenError as problem:
        print(f"videogen cannot start. {problem.detail}", file=sys.stderr)
        return 2


def _serve(config: AppConfig) -> int:
    from videogen.server import serve

    return serve(config)


def _migrate(config: AppConfig) -> int:
    from videogen.migrate import HEAD, migrate
    from videogen.storage import DiskStorage

    DiskStorage(config.data_dir).open()
    done = migrate(config.database)
    print(f"The database is at revision {HEAD}{'' if done else ' already'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
