"""The arguments of the commands. It imports nothing heavy, so that `--help` is fast."""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any

STDOUT = Path("-")
EXIT_CODES = """exit codes: 0 done, 1 the generation failed or was cancelled, 2 wrong usage, or it cannot start,
3 the server cannot be reached, 4 the server refused, 5 a file could not be read or written,
6 the generation needs attention (see videogen resolve), 130 interrupted"""


def add_commands(commands: Any) -> None:
    """Add the client's commands to the parser's subcommands. Each sets `run` to the name of its function."""
    _generate(commands)
    watch = _command(commands, "watch", "follow a generation until it has ended")
    watch.add_argument("id", help="id of a generation, such as gen_...")
    _output(watch)
    listing = _command(commands, "list", "list your generations, newest first")
    listing.add_argument("--status", help="queued, processing, completed, failed or cancelled; several with commas")
    listing.add_argument("--search", type=_text, metavar="WORDS", help="words in the prompt or the title")
    listing.add_argument("--limit", type=_count, default=20, help="maximum number; 0 means all (default 20)")
    for name, description in (
        ("cancel", "stop a generation"),
        ("retry", "start a generation again, with the same recipe and seed, and follow it"),
        ("download", "download the result of a generation"),
        ("log", "print what the engine of a generation has printed, with the traceback of an error"),
        ("keep", "let the time for which a generation is kept count from now"),
        ("delete", "delete a generation that has ended, and its files"),
        ("share", "make a public link to a generation"),
        ("unshare", "revoke the public link of a generation"),
    ):
        command = _command(commands, name, description)
        command.add_argument("id", help="id of a generation, such as gen_...")
        if name in ("retry", "download"):
            _output(command)
        if name == "retry":
            command.add_argument("--detach", action="store_true", help="do not wait for the end")
        if name == "share":
            command.add_argument("--days", type=_positive, help="how long the link is valid (default: until revoked)")
    _remake(commands)
    _resolve(commands)
    _command(commands, "pause", "pause your queue: nothing new begins, what has begun goes on")
    _command(commands, "resume", "start your queue again")
    _command(commands, "engines", "list the engines")
    _command(commands, "quota", "print what is left of the engines that have a quota")
    _export(commands)
    _command(commands, "import", "add the generations of a zip of `videogen export`").add_argument("file", type=Path)
    _devices(commands)
    _webhooks(commands)
    _admin(commands)


def _remake(commands: Any) -> None:
    remake = _command(commands, "remake", "make one shot of a finished video again, as a new generation, and follow it")
    remake.add_argument("id", help="id of a generation of several shots, such as gen_...")
    remake.add_argument("shot", type=_count, help="which one, from 1")
    remake.add_argument("--prompt", type=_text, help="what it should show now (default: the same)")
    remake.add_argument("--seed", type=_count, help="default: with --prompt the same, else a new one")
    remake.add_argument(
        "--keep-followers", action="store_true", help="leave the shots after it as they are; the first of them is a cut"
    )
    remake.add_argument("--detach", action="store_true", help="do not wait for the end")
    _output(remake)


def _export(commands: Any) -> None:
    export = _command(commands, "export", "write all your generations to a zip, or one of them in another format")
    export.add_argument("file", type=Path, metavar="FILE|ID", help="the zip; with --format the id of a generation")
    export.add_argument(
        "--format", choices=["webm", "gif", "png"], help="of one generation: webm, gif, or png for a zip of its frames"
    )
    _output(export)


def _resolve(commands: Any) -> None:
    command = _command(commands, "resolve", "say what becomes of a generation that needs attention")
    command.add_argument("id", help="id of a generation, such as gen_...")
    command.add_argument(
        "action",
        choices=["look", "resubmit", "fail"],
        help="look: look for its job again, and follow it; resubmit: send it again, as a new generation, which you may "
        "pay for twice; fail: give it up",
    )
    _output(command)
    command.add_argument("--detach", action="store_true", help="do not wait for the end")


def _devices(commands: Any) -> None:
    account = _command(commands, "account", "show who has signed in, print a link to sign in with, or sign out")
    account.add_argument("action", nargs="?", choices=["show", "sign-in", "sign-out"], default="show")
    _command(commands, "transfer", "make a one-time code that opens your session on another device")
    _command(commands, "devices", "list the devices that can open your session")
    _command(commands, "claim", "open the session of a one-time code on this machine").add_argument("code")
    sign_out = _command(commands, "sign-out", "sign a device out of your session, or all but this one")
    which = sign_out.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", help="id of a device, such as dev_...; see `videogen devices`")
    which.add_argument("--others", action="store_true", help="all but this one, which gets a new token")


def _webhooks(commands: Any) -> None:
    command = _command(commands, "webhooks", "send the events of your session to an address, or list where to")
    command.add_argument("action", nargs="?", choices=["list", "add", "test", "remove"], default="list")
    command.add_argument(
        "target", nargs="?", help="of add: an https address; of test and remove: an id, such as whk_..."
    )
    command.add_argument(
        "--event",
        action="append",
        choices=["completed", "failed", "cancelled", "needs_attention"],
        help="with add: send only this one; may be repeated",
    )


def _admin(commands: Any) -> None:
    command = _command(commands, "admin", "see and do what the operator may, with the token in VIDEOGEN_ADMIN_TOKEN")
    actions = ["overview", "pause", "resume", "drain", "cancel", "log", "unshare", "dismiss", "remove"]
    actions += ["ban", "unban", "audit"]
    command.add_argument("action", nargs="?", choices=actions, default="overview")
    command.add_argument("target", nargs="?", help="a generation; of ban and unban: a session, an address or its hash")


def _generate(commands: Any) -> None:
    command = _command(commands, "generate", "make a video (or an image) from a prompt")
    command.add_argument("prompt", type=_text, nargs="?", default="", help="what the video should show")
    _output(command)
    command.add_argument(
        "--extend", metavar="ID", help="go on from a finished video; without a prompt and settings, with those of it"
    )
    command.add_argument("--size", type=_size, metavar="WxH", help="pixels, such as 854x480")
    command.add_argument("--seconds", type=_positive, help="length of the video; with --extend, of the whole")
    command.add_argument("--fps", type=_count, help="frames per second")
    command.add_argument("--seed", type=_count, help="the same seed gives the same result again (default: random)")
    command.add_argument("--engine", help="see `videogen engines`")
    command.add_argument("--negative", type=_text, default="", metavar="TEXT", help="what the video should not show")
    command.add_argument("--image", type=Path, metavar="FILE", help="an image to start from")
    command.add_argument("--last-frame", type=Path, metavar="FILE", help="an image to end with")
    command.add_argument("--type", choices=["video", "image"], default="video")
    command.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="KEY=VALUE", help="another setting of the engine"
    )
    command.add_argument("--variations", type=_count, default=1, help="number of results, each with another seed")
    command.add_argument("--detach", action="store_true", help="do not wait for the end")
    command.add_argument("--explain", action="store_true", help="only say what would be made of it; render nothing")


def _command(commands: Any, name: str, description: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=description,
        description=description,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_connection(command)
    command.set_defaults(run=name)
    return command


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add what may stand before a command or after it. An option that is absent leaves no value of its own."""
    for option, description in (
        ("--url", "address of the app (default: $VIDEOGEN_URL, or http://127.0.0.1:7860, or one that it starts)"),
        ("--token", "token of the session (default: $VIDEOGEN_TOKEN, or the stored one for this server)"),
    ):
        parser.add_argument(option, default=argparse.SUPPRESS, help=description)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file for the result; - means standard output"
    )
    command.add_argument("-f", "--force", action="store_true", help="overwrite")


def _text(text: str) -> str:
    """The text as it was typed. Python cannot decode it where the locale has no letters but those of ASCII."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="replace")
    return text


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 854x480, got {text!r}")
    return int(width), int(height)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    value = _text(value)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
