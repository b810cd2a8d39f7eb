"""`videogen deploy space OWNER/NAME --out DIR`: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videogen.core.errors import VideogenError

if TYPE_CHECKING:
    from videogen.deploy.space import Space


def add_parser(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    deploy = commands.add_parser("deploy", help="write what a host needs to run the app")
    hosts = deploy.add_subparsers(dest="host", metavar="HOST", required=True)
    space = hosts.add_parser(
        "space",
        help="a Space of Hugging Face",
        description="Write a folder that is a complete Space of Hugging Face, with this version of videogen in it. "
        "Exit code: 0 done, 2 it could not be done.",
    )
    space.add_argument("id", metavar="OWNER/NAME", help="the Space, such as anna/videogen")
    space.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder; new or empty")
    space.add_argument("--sdk", default="docker", metavar="SDK", help="docker (default) or gradio; see docs/spaces.md")
    space.add_argument("--engines", default="", help="as in VIDEOGEN_ENGINES (default: procedural)")
    space.add_argument(
        "--push", action="store_true", help="create the Space if it is not there, and upload the folder (HF_TOKEN)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder, push it where that is asked for, and print what to do next."""
    from videogen.deploy.hub import push
    from videogen.deploy.space import Space, write

    try:
        space = Space.of(args.id, args.sdk, args.engines)
        write(space, args.out)
        print(f"{args.out} is a complete Space ({space.sdk}). What to set: {args.out / 'README.md'}")
        print(f"{space.id}: pushed, see {push(space, args.out)}" if args.push else _by_hand(space, args.out))
    except (VideogenError, OSError) as problem:
        detail = (
            problem.detail
            if isinstance(problem, VideogenError)
            else f"{problem.filename or 'a file'}: {problem.strerror or problem}."
        )
        print(f"videogen deploy: {detail}", file=sys.stderr)
        return 2
    return 0


def _by_hand(space: Space, folder: Path) -> str:
    create = f"hf repos create {space.id} --type space --space-sdk {space.sdk} --exist-ok"
    return f"To push it:\n  {create}\n  hf upload {space.id} {folder} . --type space"
