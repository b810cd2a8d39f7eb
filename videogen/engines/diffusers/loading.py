"""Loads a pipeline in a renderer: from a folder or the hub, to a device, with what its operator has set."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from diffusers import DiffusionPipeline

from videogen.engines.base import Recipe, RenderContext, RenderEnd, RenderFailed
from videogen.engines.diffusers import faults
from videogen.engines.diffusers.families import Traits, traits_of
from videogen.engines.diffusers.gate import Gate, is_denoiser
from videogen.engines.diffusers.heartbeat import Heartbeat, memory_gigabytes
from videogen.engines.diffusers.model_files import ModelFiles, find_model
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.diffusers.preview import fit_projection

logger = logging.getLogger("videogen.render")
_DTYPES: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass
class LoadedPipeline:
    """A pipeline on its device, watched by a gate. `projection` is None where previews are not possible."""

    gate: Gate
    traits: Traits
    options: DiffusersOptions
    label: str
    device: str
    dtype: str
    projection: Any
    loras: set[str] = field(default_factory=set)
    """Names of the LoRAs that are loaded."""

    @property
    def pipe(self) -> Any:
        """The pipeline itself."""
        return self.gate.pipe

    def origin(self, recipe: Recipe) -> dict[str, Any]:
        """What two attempts must have in common for one to go on where the other ended, bit by bit."""
        kind = self.device.partition(":")[0]
        name = torch.cuda.get_device_name(self.device) if kind == "cuda" else kind
        return {"recipe": recipe.digest, "device": name, "dtype": self.dtype, "fp8": self.options.fp8}


def load(files: ModelFiles, recipe: Recipe, options: DiffusersOptions, ctx: RenderContext) -> LoadedPipeline:
    """Load the pipeline of a model. Progress is reported while it works.

    Raises:
        RenderFailed: it is not there, is broken, or does not fit.
    """
    steps = int(recipe.settings.get("steps", 0))
    step = min(int((ctx.checkpoint or {}).get("step", 0)), steps)

    def beat() -> None:
        text = f"Loading {files.label} on {device}, {memory_gigabytes():.1f} GB of memory"
        ctx.report(step, steps, "loading", text)

    device = choose_device(options.device)
    try:
        with Heartbeat(beat):
            return _load(files, options, device)
    except RenderEnd:
        raise
    except Exception as error:
        logger.exception("the model could not be loaded")
        failure = faults.loading_failure(error, files.label, options.revision, device)
    # Outside of the block, nothing holds what was loaded already.
    faults.free_memory()
    raise failure


def choose_device(name: str) -> str:
    """The device that an option names; `auto`: the best one of this machine.

    Raises:
        RenderFailed: the machine does not have it.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "mps" if has_mps else "cpu"
    number = int(name.partition(":")[2] or 0)
    if name.startswith("cuda") and not (has_cuda and number < torch.cuda.device_count()):
        count = torch.cuda.device_count() if has_cuda else 0
        text = f'Device {name}: torch {torch.__version__} sees {count} CUDA devices here. Set device = "auto" or "cpu".'
        raise RenderFailed(text, code="device_missing")
    if name == "mps" and not has_mps:
        text = 'Device mps: this is no Mac with Metal. Set device = "auto" or "cpu".'
        raise RenderFailed(text, code="device_missing")
    return name


def _load(files: ModelFiles, options: DiffusersOptions, device: str) -> LoadedPipeline:
    dtype = options.dtype if options.dtype != "auto" else "bfloat16" if device.startswith("cuda") else "float32"
    pipe = _from_pretrained(files, options, _DTYPES[dtype])
    pipe.set_progress_bar_config(disable=True)
    if options.fp8:
        for name, component in pipe.components.items():
            if is_denoiser(name, component):
                component.enable_layerwise_casting(torch.float8_e4m3fn, compute_dtype=_DTYPES[dtype])
    _place(pipe, options, device)
    vae = getattr(pipe, "vae", None)
    if vae is not None and options.tiling and hasattr(vae, "use_tiling"):
        vae.enable_tiling()
    projection = fit_projection(pipe, device) if vae is not None else None
    traits = traits_of(find_model(files.model, options.revision), type(pipe).__name__)
    return LoadedPipeline(Gate(pipe), traits, options, files.label, device, dtype, projection)


def _from_pretrained(files: ModelFiles, options: DiffusersOptions, dtype: Any) -> Any:
    if files.problem:
        raise RenderFailed(files.problem, code="model_missing")
    if files.is_local:
        where: dict[str, Any] = {"pretrained_model_name_or_path": str(files.folder), "local_files_only": True}
    else:
        revision = files.commit or options.revision
        where = {"pretrained_model_name_or_path": files.model, "revision": revision}
    if options.token:
        where["token"] = options.token
    # Half precision is too coarse for the VAE of most models.
    precision = {"default": dtype, "vae": torch.float32}
    return DiffusionPipeline.from_pretrained(**where, variant=options.variant, dtype=precision)


def _place(pipe: Any, options: DiffusersOptions, device: str) -> None:
    """Put the pipeline where it computes."""
    if device == "cpu":
        if options.offload != "none":
            logger.info("offload = %r has no use on the CPU", options.offload)
    elif options.offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif options.offload == "group":
        is_cuda = device.startswith("cuda")
        pipe.enable_group_offload(torch.device(device), offload_type="leaf_level", use_stream=is_cuda)
    else:
        pipe.to(device)
