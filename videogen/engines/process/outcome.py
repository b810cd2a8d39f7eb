"""From a call of an engine to exactly one terminal message."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from videogen.core.errors import StorageError, VideogenError, is_disk_fault
from videogen.engines.base import Artifact, NeedsAttention, RenderCancelled, RenderEnd, RenderFailed
from videogen.engines.process import protocol
from videogen.engines.process.context import ChildContext
from videogen.engines.registry import load_engine

logger = logging.getLogger("videogen.render")

_SUFFIXES: Final = (".mp4", ".webm", ".jpg", ".jpeg", ".png", ".webp")


def render_job(context: ChildContext) -> protocol.Message:
    """Run the engine of a job. Whatever it does, the result is one terminal message."""
    job = context.job
    try:
        context.raise_if_cancelled()
        engine = load_engine(job.engine)
        context.begin(engine)
        return protocol.Done(artifact=_check(engine.render(job.recipe, context), job.workdir))
    except RenderCancelled:
        return protocol.Cancelled(step=context.step)
    except BaseException as error:  # the last frame of the job: also SystemExit, which would end a thread silently
        logger.exception("the render ended with an error")
        # Stopping an engine may break what it is doing, and the owner has asked for that.
        return protocol.Cancelled(step=context.step) if context.cancelled else failure(error, job.workdir)


def failure(error: BaseException, workdir: Path | None = None) -> protocol.Failed:
    """The message for the owner of a render that raised `error`.

    Args:
        error: what was raised.
        workdir: a permission error below this folder is a fault of the disk, not of the engine.
    """
    name = type(error).__name__
    first_line = next(iter(str(error).splitlines()), "")
    if isinstance(error, RenderFailed):
        return protocol.Failed(code=error.code, message=first_line or name, retryable=error.retryable)
    if isinstance(error, NeedsAttention):
        return protocol.Failed(code="needs_attention", message=first_line or name)
    if isinstance(error, RenderEnd):
        return protocol.Failed(code="render_lost", message=first_line or name, retryable=True)
    if isinstance(error, MemoryError):
        return protocol.Failed(code="out_of_memory", message="Memory ran out. Choose a smaller size.")
    if is_disk_fault(error) or (workdir and _is_refused(error, workdir)):
        reason = (getattr(error, "strerror", None) or name).lower()
        message = f"The video could not be written: {reason}. Look at the disk of the data folder, then retry."
        return protocol.Failed(code=StorageError.code, message=message, retryable=True)
    if isinstance(error, VideogenError):
        return protocol.Failed(code=error.code, message=first_line)
    return protocol.Failed(code="engine_error", message=f"{name}: {first_line}" if first_line else name)


def _is_refused(error: BaseException, workdir: Path) -> bool:
    """Whether the work folder cannot be used: no permission, or a file in its place."""
    refused = isinstance(error, PermissionError | NotADirectoryError | FileExistsError)
    return refused and str(getattr(error, "filename", "")).startswith(str(workdir))


def _check(artifact: object, workdir: Path) -> Artifact:
    """Return the artifact if its file is a whole video or picture in the workdir.

    Raises:
        RenderFailed: it is not.
    """
    from videogen.media.image import probe_image
    from videogen.media.probe import probe

    if not isinstance(artifact, Artifact):
        got = type(artifact).__name__
        raise RenderFailed(f"Expected render() to return an Artifact, got {got}.", code="bad_artifact")
    for path in (artifact.path, artifact.poster_path):
        if path and not (path.is_file() and path.resolve().is_relative_to(workdir.resolve())):
            raise RenderFailed(f"Expected a file in ctx.workdir, got {path}.", code="bad_artifact")
        if path and path.suffix not in _SUFFIXES:
            expected = ", ".join(_SUFFIXES)
            raise RenderFailed(f"Expected a file named {expected}, got {path.name}.", code="bad_artifact")
    if artifact.content_type.startswith("video/"):
        probe(artifact.path)
    elif artifact.content_type.startswith("image/"):
        probe_image(artifact.path)
    return artifact
