"""Checkpoints of a denoising loop: written by a thread, while the next step is computed."""

from __future__ import annotations

import logging
import pickle
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final

import torch

from videogen.core.atomic_files import replacing
from videogen.core.errors import is_disk_fault
from videogen.engines.base import RenderContext
from videogen.engines.diffusers.faults import invalid_numbers

logger = logging.getLogger("videogen.render")
STATE_NAME: Final = "denoising.pt"


class CheckpointWriter:
    """Writes the states of one render. At most one is on its way, so a lost render repeats at most one step."""

    def __init__(self, ctx: RenderContext, origin: dict[str, Any]) -> None:
        """Make one. `origin` is what a later attempt must have in common with this one to go on from here."""
        self.problem = ""
        """Why there is no newer checkpoint; empty while all is well."""
        self._ctx, self._origin = ctx, origin
        self._pool = ThreadPoolExecutor(1, "checkpoints")
        self._pending: Future[None] | None = None

    def submit(self, state: dict[str, Any], total: int) -> None:
        """Write a state, after the one before is durable.

        Raises:
            RenderFailed: the model has made NaN.
            RenderCancelled: the job was cancelled.
        """
        self._await()
        self._pending = self._pool.submit(copy_context().run, self._write, state, total)

    def close(self, *, wait: bool = True) -> None:
        """End the thread. With `wait`, the last state is durable then, and its error is raised."""
        try:
            if wait:
                self._await()
        finally:
            self._pool.shutdown()

    def _await(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _write(self, state: dict[str, Any], total: int) -> None:
        if not _is_finite(state["outputs"]):
            raise invalid_numbers(state["step"])
        try:
            _write_state(self._ctx.workdir / STATE_NAME, {"origin": self._origin, "state": state})
            self._ctx.save({"step": state["step"], "total": total, "file": STATE_NAME})
        except (OSError, RuntimeError) as error:
            # torch raises a RuntimeError of its own while it handles that of the file.
            fault = error if isinstance(error, OSError) else error.__context__
            if fault is None or not is_disk_fault(fault):
                raise
            if not self.problem:
                logger.warning("no checkpoint of step %d: %s", state["step"], fault)
            self.problem = "The disk is full, so there is no new checkpoint. Make space in the data folder."
        else:
            self.problem = ""


def read_state(ctx: RenderContext, origin: dict[str, Any], device: str) -> dict[str, Any] | None:
    """The state that an earlier attempt has left; None if there is none that fits.

    Args:
        ctx: names the file and its folder.
        origin: see `CheckpointWriter`.
        device: where the tensors of a device go; those of the main memory stay there.
    """
    name = (ctx.checkpoint or {}).get("file")
    if name != STATE_NAME:
        return None
    path = ctx.workdir / STATE_NAME
    device = device if ":" in device or device == "cpu" else f"{device}:0"
    places = {f"cuda:{index}": device for index in range(16)} | {"mps:0": device, "mps": device}
    try:
        # Only tensors and plain data: a file that was tampered with cannot run code.
        content = torch.load(path, weights_only=True, map_location=places)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        logger.warning("the checkpoint cannot be read (%s); the render begins at step 0", _first_line(error))
        return None
    if not isinstance(content, dict) or content.get("origin") != origin:
        logger.warning("the checkpoint is of another request, device or dtype; the render begins at step 0")
        return None
    state: dict[str, Any] = content["state"]
    return state


def remove_state(workdir: Path) -> None:
    """Remove the file of a render that has its result."""
    (workdir / STATE_NAME).unlink(missing_ok=True)


def _write_state(path: Path, content: dict[str, Any]) -> None:
    # The file replaces the one before as a whole, so checksums of its parts, which take longest, tell nothing new.
    torch.serialization.set_crc32_options(compute_crc32=False)
    with replacing(path) as part, part.open("wb", buffering=0) as file:
        torch.save(content, file)


def _is_finite(outputs: list[list[Any]]) -> bool:
    tensors = [part for parts in outputs for part in parts if torch.is_tensor(part) and part.is_floating_point()]
    return all(bool(torch.isfinite(tensor.sum(dtype=torch.float32))) for tensor in tensors)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
