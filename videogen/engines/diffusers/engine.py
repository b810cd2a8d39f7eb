"""The engine kind `diffusers`: one model, whose pipeline a renderer loads once and keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from videogen.engines.base import Artifact, ProcessPolicy, Recipe, RenderContext, RenderRequest
from videogen.engines.diffusers.families import UNSUPPORTED, traits_of
from videogen.engines.diffusers.model_files import ModelFiles, find_model
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.diffusers.settings import normalised, pinned_lora, settings_model
from videogen.engines.diffusers.signature import call_parameters, installed, missing_packages
from videogen.engines.settings import video_recipe
from videogen.engines.spec import EngineSpec
from videogen.schemas.engines import Capabilities

if TYPE_CHECKING:
    from videogen.engines.diffusers.loading import LoadedPipeline

_IMPORTS = ("videogen.engines.frames", "torch", "diffusers", "videogen.engines.diffusers.job")
"""What a spare renderer has behind it. None of these touches the device."""
_VERSION = "1"
_NVIDIA = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""What a Linux machine has where torch can find a CUDA or ROCm device."""


def create(spec: EngineSpec) -> DiffusersEngine:
    """Make an engine of its configuration.

    Raises:
        ConfigError: no model is named, or an option is not allowed.
    """
    if not spec.model:
        raise spec.error("model", "the folder of a pipeline, or its name on the hub, such as owner/name", spec.model)
    return DiffusersEngine(spec, spec.parse(DiffusersOptions))


class DiffusersEngine:
    """Renders with one pipeline of diffusers. The web process imports neither torch nor diffusers."""

    def __init__(self, spec: EngineSpec, options: DiffusersOptions) -> None:
        self.spec, self._options = spec, options
        self._loaded: LoadedPipeline | None = None
        files = self._files
        self.traits = traits_of(files, options.pipeline)
        """What the pipeline takes and makes."""
        self.id = spec.id
        # Another release of torch or diffusers may give another video, so a render does not go on in it.
        releases = (f"{name} {installed(name) or 'not installed'}" for name in ("diffusers", "torch"))
        self.version = ", ".join([_VERSION, *releases])
        self.title = spec.title or files.label.rpartition("/")[2]
        device = "" if options.device == "auto" else f", on {options.device}"
        self.description = f"{files.label}, {self.traits.pipeline or 'a pipeline'} of diffusers{device}."
        self.settings: type[BaseModel] = settings_model(self.traits, options)
        self.presets = spec.presets
        self.concurrency = spec.concurrency or 1
        """One job at a time: two would need the memory of two models."""
        self.process = ProcessPolicy(
            mode="sequential",
            imports=_IMPORTS,
            idle_seconds=options.idle_seconds,
        )

    @property
    def _files(self) -> ModelFiles:
        # Not kept: a download may have put them into the hub's cache by now.
        return find_model(self.spec.model, self._options.revision)

    def probe(self) -> Capabilities:
        """See `Engine.probe`. It looks for files and packages, and imports none."""
        traits = self.traits
        reason = self._problem()
        return Capabilities(
            available=not reason,
            reason=reason or None,
            types=(traits.kind,),
            negative_prompt=traits.parameters is None or traits.takes("negative_prompt"),
            image_input=traits.first_frame != "no",
            last_frame=traits.last_frame != "no",
            last_frame_alone=traits.last_frame == "alone",
            exact_progress=True,
            resume=True,
        )

    def _problem(self) -> str:
        """Why this engine cannot render here, and what to do; empty if nothing is known to be missing."""
        if missing := missing_packages():
            return f"Not installed: {', '.join(missing)}. Run: pip install 'videogen[diffusers]'"
        files = self._files
        if problem := files.problem:
            return problem
        name = files.pipeline or self._options.pipeline
        if name is not None and call_parameters(name) is None:
            now = f"diffusers {installed('diffusers')}"
            return f"The pipeline {name} of {files.label} is unknown to {now}. Run: pip install --upgrade diffusers"
        if name is not None and name in UNSUPPORTED:
            return f"The pipeline {name} of {files.label} cannot be used: {UNSUPPORTED[name]}. Use another model."
        if self._options.device.startswith("cuda") and Path("/dev").is_dir() and not any(p.exists() for p in _NVIDIA):
            return f"Device {self._options.device}: this machine has no GPU for it. Set device = “auto” or “cpu”."
        return ""

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`. Sizes and frames become those that the pipeline makes."""
        recipe = normalised(video_recipe(self, request), request, self.traits)
        files = self._files
        pinned: dict[str, Any] = {"model": files.label, "revision": files.commit or self._options.revision}
        pinned |= pinned_lora(recipe, self._options)
        return recipe.model_copy(update={"settings": recipe.settings | pinned})

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The pipeline is loaded for the first job, and kept."""
        # Imported here: it imports torch, which the web process never does.
        from videogen.engines.diffusers import job, loading

        if self._loaded is None:
            options = self._options.model_copy(update={"token": self.spec.resolve().get("token")})
            self._loaded = loading.load(self._files, recipe, options, ctx)
        return job.render(self._loaded, recipe, ctx)
