"""Which of the files that a workflow has saved are its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from videogen.schemas.generations import GenerationType

_VIDEOS: Final = (".mp4", ".webm", ".mkv", ".mov", ".avi", ".m4v")
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff")
Outputs = Mapping[str, Any]
"""By the id of a node: what it has made, as ComfyUI reports it."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a node has saved, as `/view` takes it."""

    filename: str
    subfolder: str
    type: str
    """"output", or "temp" for what only a preview shows."""
    is_video: bool
    is_animated: bool
    """A GIF or WebP of several frames."""

    @property
    def query(self) -> dict[str, str]:
        """The query of its `/view`."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


def find_result(outputs: Outputs, kind: GenerationType, marked: str = "") -> tuple[OutputFile, ...]:
    """The files that make up the result: one video or picture, or the frames of a video, in order.

    Videos come before animations, and those before pictures; saved files come before those of a preview. Of several
    nodes that are equal, the last one counts.

    Args:
        outputs: of the job.
        kind: what is wanted.
        marked: the id of the only node that counts; empty: all do.
    """
    by_node = [
        tuple(_files(made)) for node, made in outputs.items() if marked in ("", node) and isinstance(made, Mapping)
    ]
    ranked = [(rank, files) for files in by_node if files and (rank := _rank(files, kind)) > 0]
    if not ranked:
        return ()
    best = max(rank for rank, _ in ranked)
    files = [files for rank, files in ranked if rank == best][-1]
    if kind == "image":
        return tuple(file for file in files if not file.is_video)[:1]
    whole = [file for file in files if file.is_video] or [file for file in files if file.is_animated]
    return tuple(whole[:1]) or files


def _rank(files: tuple[OutputFile, ...], kind: GenerationType) -> int:
    """How well the files of a node fit; 0: not at all."""
    is_saved = any(file.type == "output" for file in files)
    if kind == "image":
        return 0 if all(file.is_video for file in files) else 1 + is_saved
    value = 5 if any(file.is_video for file in files) else 3 if any(file.is_animated for file in files) else 1
    return value + is_saved


def _files(made: Mapping[str, Any]) -> Iterator[OutputFile]:
    """The files under all keys (`images`, `gifs`, `video`, ...) of what a node has made."""
    animated = made.get("animated") or ()
    for entries in made.values():
        if not isinstance(entries, list):
            continue
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or not isinstance(name := entry.get("filename"), str):
                continue
            suffix = PurePosixPath(name).suffix.lower()
            is_animated = suffix == ".gif" or (suffix == ".webp" and index < len(animated) and bool(animated[index]))
            is_video = suffix in _VIDEOS or str(entry.get("format", "")).startswith("video/")
            if is_video or suffix in _PICTURES:
                place = str(entry.get("type", "output"))
                yield OutputFile(name, str(entry.get("subfolder", "")), place, is_video, is_animated)
