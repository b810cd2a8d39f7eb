"""Where results go: a file that is not overwritten unless asked, or standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from videogen.cli.exit_codes import UsageError
from videogen.cli.output import Output
from videogen.cli.parser import STDOUT
from videogen.client import Client
from videogen.schemas.generations import Generation

ENDINGS: Final = {"video": "mp4", "image": "png"}


@dataclass(slots=True)
class Target:
    """What was asked for; None as path means a name made of the prompt."""

    path: Path | None
    force: bool = False
    many: bool = False
    _used: int = 0

    @classmethod
    def of(cls, args: Namespace, results: int = 1) -> Target:
        """Read it from the command line."""
        return cls(args.output, args.force, many=results > 1)

    def next(self, generation: Generation) -> Path:
        """The file for the next result."""
        self._used += 1
        if self.path is None:
            return next(path for path in _names(generation) if self.force or not path.exists())
        if not self.many:
            return self.path
        return self.path.with_stem(f"{self.path.stem}-{self._used}")


def check(args: Namespace) -> None:
    """Refuse what could not be written, before anything is asked of the app.

    Raises:
        UsageError: the file is there, its folder is not, or one stream would have to take several files.
    """
    path: Path | None = args.output
    if path is None:
        return
    many = getattr(args, "variations", 1) > 1
    if path == STDOUT:
        if many or args.json:
            raise UsageError("-o -: standard output takes one result, and no --json beside it.")
        if sys.stdout.isatty():
            raise UsageError("-o -: a video is nothing for a terminal. Send it to a file or a pipe.")
        return
    if not path.absolute().parent.is_dir():
        raise UsageError(f"-o {path}: expected a folder that exists, got {path.parent}.")
    paths = [path.with_stem(f"{path.stem}-{index + 1}") for index in range(args.variations)] if many else [path]
    for wanted in paths:
        if wanted.is_dir() or (wanted.exists() and not args.force):
            raise UsageError(f"-o {wanted}: it exists. Choose another name, or --force to overwrite it.")


def save(client: Client, generation: Generation, target: Target, output: Output) -> None:
    """Fetch a result, and say where it is."""
    path = target.next(generation)
    if path == STDOUT:
        with tempfile.TemporaryDirectory() as folder:
            found = client.download(generation, Path(folder, "result"))
            with found.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    client.download(generation, path)
    size = path.stat().st_size
    output.tell("saved", f"{path} ({size / 1e6:.1f} MB)", generationId=generation.id, path=str(path), sizeBytes=size)


def _names(generation: Generation) -> Iterator[Path]:
    words = "".join(char if char.isalnum() else " " for char in generation.prompt.lower()).split()
    name, ending = "-".join(words)[:48].strip("-") or "result", ENDINGS[generation.type]
    yield Path(f"{name}.{ending}")
    yield from (Path(f"{name}-{number}.{ending}") for number in count(2))
