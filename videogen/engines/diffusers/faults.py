"""Errors of torch, diffusers and the hub, as messages for the owner of a job: what is wrong, and what to do."""

from __future__ import annotations

import gc
import logging
import os
import re
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

from videogen.core.errors import is_disk_fault
from videogen.engines.base import Recipe, RenderFailed
from videogen.engines.diffusers.signature import installed

logger = logging.getLogger("videogen.render")

_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate")
_DEVICE: Final = (
    "cuda error", "hip error", "device-side assert", "device lost", "device is lost", "gpu is lost",
    "unspecified launch failure", "illegal memory access", "uncorrectable ecc", "cudnn_status_execution_failed",
)  # fmt: skip
_NO_NETWORK: Final = {
    "LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectError", "ConnectionError", "TimeoutException",
}  # fmt: skip
DEVICE_LOST_STATUS: Final = 75
"""The exit status of a renderer whose device is lost."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory of the device or of the machine ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _MEMORY)


def is_device_lost(error: BaseException) -> bool:
    """Whether the device accepts no more work of this process, whatever is tried."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return type(error).__name__ == "AcceleratorError" or any(text in str(error).lower() for text in _DEVICE)


def end_process(error: BaseException) -> NoReturn:
    """End this renderer: no other job could use the device in it. The job goes on in a new one."""
    first_line = next(iter(str(error).splitlines()), type(error).__name__)
    logger.critical("The device is lost, so this renderer ends, and the job goes on in a new one: %s", first_line)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(DEVICE_LOST_STATUS)


def free_memory() -> None:
    """Give back what no tensor uses any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def loading_failure(error: BaseException, label: str, revision: str | None, device: str) -> RenderFailed:
    """Why a model could not be loaded."""
    chain = list(_chain(error))
    if any(is_out_of_memory(link) for link in chain):
        text = (
            f'There is not enough memory to load {label} on {device}. Set offload = "model" (or "group") or '
            "fp8 = true for this engine, or use a smaller model."
        )
        return RenderFailed(text, code="out_of_memory")
    if any(is_disk_fault(link) for link in chain):
        text = f"The disk is full: {label} could not be downloaded. Make space in the hub's cache, then retry."
        return RenderFailed(text, code="model_missing", retryable=True)
    names = {base.__name__ for link in chain for base in type(link).__mro__}
    if hub := _hub_failure(names, label, revision):
        return hub
    for link in chain:
        # Of a model of the hub, the classes are known only when it is here. diffusers has two messages for it.
        if unknown := re.match(r"module diffusers has no attribute (\w+)|`diffusers` has no class `(\w+)`", str(link)):
            name = unknown[1] or unknown[2]
            now = f"{name} of {label} is unknown to diffusers {installed('diffusers')}"
            return RenderFailed(f"The class {now}. Run: pip install --upgrade diffusers", code="package_missing")
        if isinstance(link, ImportError):
            package = link.name or "a package"
            text = f"{label} needs {package}, which is not installed. Run: pip install {package}"
            return RenderFailed(text, code="package_missing")
    reason = next(iter(str(error).splitlines()), "")
    text = f"{label} could not be loaded ({type(error).__name__}: {reason[:300]}). Check that its files are complete."
    return RenderFailed(text, code="model_broken")


def _hub_failure(names: set[str], label: str, revision: str | None) -> RenderFailed | None:
    if "GatedRepoError" in names:
        text = (
            f"{label} is only for those who have accepted its terms. Accept them on its page, and set "
            'token = "env:HF_TOKEN" for this engine.'
        )
        return RenderFailed(text, code="model_missing")
    if "RevisionNotFoundError" in names:
        text = f"{label} has no revision {revision or 'main'}. Correct the engine's revision: a branch, tag or commit."
        return RenderFailed(text, code="model_missing")
    if "RepositoryNotFoundError" in names:
        text = (
            f"There is no model {label} on the hub, or it is private. Correct the engine's model, or set "
            'token = "env:HF_TOKEN" for it.'
        )
        return RenderFailed(text, code="model_missing")
    if names & _NO_NETWORK:
        text = f"{label} is not on this machine, and the hub cannot be reached. Check the network, then retry."
        return RenderFailed(text, code="model_missing", retryable=True)
    return None


def render_failure(error: BaseException, recipe: Recipe, phase: str, pipeline: str) -> RenderFailed | None:
    """Why a request could not be rendered; None for what is a fault of the code."""
    if is_out_of_memory(error):
        size = f"{recipe.width} x {recipe.height}"
        size += f" with {recipe.num_frames} frames" if recipe.type == "video" else ""
        also = ", not even in tiles" if phase == "decoding" else ""
        text = (
            f"There is not enough memory for {size}: it ran out while {phase}{also}. Choose a smaller size or fewer "
            "seconds, or set offload for this engine."
        )
        return RenderFailed(text, code="out_of_memory")
    if isinstance(error, ValueError):
        reason = next(iter(str(error).splitlines()), "")
        text = f"{pipeline} does not accept this request: {reason[:300]} Change the settings, and generate again."
        return RenderFailed(text, code="refused_by_model")
    return None


def invalid_numbers(step: int | None = None) -> RenderFailed:
    """The failure of a model that has made NaN or infinity."""
    where = "" if step is None else f" at step {step}"
    text = (
        f'The model made invalid numbers (NaN){where}. Set dtype = "bfloat16" or "float32" for this engine, or '
        "lower the guidance and the LoRA's weight."
    )
    return RenderFailed(text, code="invalid_numbers")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
