"""The check of what an engine returns, in the child, before the job is done."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from videogen.core.atomic_files import replacing
from videogen.engines.base import Artifact, RenderFailed
from videogen.engines.process.context import ChildContext
from videogen.engines.registry import process_policy

STAGE: Final = "converting"
"""The stage of a job whose file is made one that browsers play."""
_POSTER_NAME: Final = "poster.jpg"
_POSTERS: Final = (".jpg", ".jpeg", ".png", ".webp")


def make_playable(artifact: object, context: ChildContext) -> Artifact:
    """Return the artifact with a file that every browser plays, which may be another one, and with its real values.

    Raises:
        RenderFailed: it is no artifact, its files are not in the workdir, or its size is not that of the file.
        BrokenMediaError: its file cannot be decoded, has another duration than the recipe, or cannot be converted.
        RenderCancelled: the job was cancelled while the file was converted.
        OSError: the disk accepts no bytes.
        StorageError: a process that reads or converts the file could not be started.
    """
    # Imported here: they take long, and a process that waits for its first job has no use for them.
    from videogen.media.playable import playable_picture, playable_video

    job = context.job
    made = _checked(artifact, job.workdir, job.recipe.type)

    def watch(progress: tuple[int, int] | None) -> None:
        context.raise_if_cancelled()
        if progress is not None:
            context.report(*progress, STAGE)

    # One child has all jobs of such an engine, which only fetches their files: a decoder that crashes would end all.
    is_foreign = process_policy(job.engine).mode == "concurrent"
    if job.recipe.type == "video":
        seconds = job.recipe.duration_seconds if made.num_frames else None
        path, found = playable_video(made.path, seconds, watch, is_foreign=is_foreign)
    else:
        path, found = playable_picture(made.path, is_foreign=is_foreign)
    _check_size(made, found.width, found.height)
    real = {"path": path, "width": found.width, "height": found.height, "has_audio": found.has_audio}
    if job.recipe.type == "video":
        fps = max(1, round(found.fps))
        real |= {"content_type": "video/mp4", "fps": fps, "num_frames": max(1, round(found.duration_seconds * fps))}
    else:
        real |= {"content_type": f"image/{path.suffix[1:]}", "fps": 0, "num_frames": 1}
    return made.model_copy(update={**real, "poster_path": made.poster_path or _poster(found.poster, job.workdir)})


def _check_size(made: Artifact, width: int, height: int) -> None:
    # An odd size was made even.
    sizes = ((width, made.width), (height, made.height))
    if any(expected and abs(got - expected) > 1 for got, expected in sizes):
        text = f"Expected a file of {made.width} x {made.height} pixels, as the artifact says, got"
        raise RenderFailed(f"{text} {width} x {height}.", code="wrong_size")


def _poster(data: str, workdir: Path) -> Path | None:
    """Write a poster that came in base64 from the process that read the file; None if there is none."""
    if not data:
        return None
    with replacing(workdir / _POSTER_NAME) as part:
        part.write_bytes(base64.b64decode(data))
    return workdir / _POSTER_NAME


def _checked(artifact: object, workdir: Path, kind: str) -> Artifact:
    if not isinstance(artifact, Artifact):
        text = f"Expected render() to return an Artifact, got {type(artifact).__name__}."
        raise RenderFailed(text, code="bad_artifact")
    if not artifact.content_type.startswith(f"{kind}/"):
        raise RenderFailed(f"Expected a file of type {kind}/..., got {artifact.content_type}.", code="bad_artifact")
    for path in (artifact.path, artifact.poster_path, *artifact.frame_paths.values()):
        if path and not (path.is_file() and path.resolve().is_relative_to(workdir.resolve())):
            raise RenderFailed(f"Expected a file in ctx.workdir, got {path}.", code="bad_artifact")
    poster = artifact.poster_path
    if poster and poster.suffix not in _POSTERS:
        raise RenderFailed(f"Expected a poster named {', '.join(_POSTERS)}, got {poster.name}.", code="bad_artifact")
    return artifact
