"""Where results are written: a file, which is only overwritten with `--force`, or standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from videogen.cli.exit_codes import UsageError
from videogen.cli.output import Output
from videogen.cli.parser import STDOUT
from videogen.client import Client
from videogen.core.text import file_stem, numbered
from videogen.schemas.generations import Generation

SUFFIXES: Final = {"video": "mp4", "image": "png"}


@dataclass(slots=True)
class Target:
    """The destination on the command line; without a path the file is named after the prompt."""

    path: Path | None
    force: bool = False
    multiple: bool = False
    _count: int = 0

    @classmethod
    def of(cls, args: Namespace, results: int = 1) -> Target:
        """Make it from the arguments of the command line."""
        return cls(args.output, args.force, multiple=results > 1)

    def next(self, generation: Generation) -> Path:
        """The file for the next result."""
        self._count += 1
        if self.path is None:
            return next(path for path in _file_names(generation) if self.force or not path.exists())
        if not self.multiple:
            return self.path
        return self.path.with_stem(f"{self.path.stem}-{self._count}")


def check(args: Namespace) -> None:
    """Check the destination before the app is asked for anything.

    Raises:
        UsageError: the file exists, its folder does not, or standard output cannot take the result.
    """
    path: Path | None = args.output
    if path is None:
        return
    multiple = getattr(args, "variations", 1) > 1
    if path == STDOUT:
        if multiple or args.json:
            raise UsageError("-o -: standard output takes one result and no --json.")
        if sys.stdout.isatty():
            raise UsageError("-o -: a terminal cannot show a video. Use a file or a pipe.")
        return
    if not path.absolute().parent.is_dir():
        raise UsageError(f"-o {path}: expected a folder that exists, got {path.parent}.")
    paths = [path.with_stem(f"{path.stem}-{index + 1}") for index in range(args.variations)] if multiple else [path]
    for candidate in paths:
        if candidate.is_dir() or (candidate.exists() and not args.force):
            raise UsageError(f"-o {candidate}: it exists. Choose another name, or overwrite it with --force.")


def save(client: Client, generation: Generation, target: Target, output: Output) -> None:
    """Download a result and report its path."""
    path = target.next(generation)
    if path == STDOUT:
        with tempfile.TemporaryDirectory() as folder:
            result = client.download(generation, Path(folder, "result"))
            with result.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    client.download(generation, path)
    size = path.stat().st_size
    output.event("saved", f"{path} ({size / 1e6:.1f} MB)", generationId=generation.id, path=str(path), sizeBytes=size)


def _file_names(generation: Generation) -> Iterator[Path]:
    stem = file_stem(generation.title or generation.prompt, "result")
    return (Path(f"{name}.{SUFFIXES[generation.type]}") for name in numbered(stem))
