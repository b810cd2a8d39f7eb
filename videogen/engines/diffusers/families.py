"""What a pipeline can make: sizes, frames, parameters. Most of it is read from its call; a table has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from videogen.engines.diffusers.model_files import ModelFiles
from videogen.engines.diffusers.signature import REQUIRED, call_parameters
from videogen.schemas.generations import GenerationType


@dataclass(frozen=True, slots=True)
class Family:
    """Pipelines whose class names begin alike. Sizes in pixels; `frame_step`: frames - 1 is a multiple of it."""

    prefix: str
    multiple: int
    frame_step: int = 1
    fps: int = 16
    size: tuple[int, int] = (832, 480)
    frames: int = 81
    steps: int = 50
    guidance: float = 5.0
    hub_word: str = ""
    """In the names of its models on the hub, by which a model that is not downloaded yet is recognised."""


_IMAGE: Final = (1024, 1024)
FAMILIES: Final = (
    Family("WanImageToVideo", 16, 4, hub_word="wan2.1-i2v wan2.2-i2v"),
    Family("Wan", 16, 4, hub_word="wan"),
    Family("SkyReels", 16, 4, 24, (960, 544), 97),
    Family("LTX2", 32, 8, 24, (768, 512), 121, 30, 3.0, hub_word="ltx-2"),
    Family("LTX", 32, 8, 24, (704, 512), 121, 50, 3.0, hub_word="ltx"),
    Family("CogVideoX", 16, 4, 8, (720, 480), 49, 50, 6.0, hub_word="cogvideox"),
    Family("HunyuanVideo15", 16, 4, 24, (848, 480), 121, 50, 6.0, hub_word="hunyuanvideo-1.5"),
    Family("HunyuanVideo", 16, 4, 24, (848, 480), 61, 50, 6.0, hub_word="hunyuanvideo"),
    Family("Mochi", 16, 6, 30, (848, 480), 61, 64, 4.5, hub_word="mochi"),
    Family("SanaVideo", 32, 4, 16, hub_word="sana-video"),
    Family("Kandinsky5", 16, 4, 24, (768, 512), 121),
    Family("StableDiffusionXL", 8, size=_IMAGE, hub_word="stable-diffusion-xl"),
    Family("StableDiffusion3", 16, size=_IMAGE, steps=28, guidance=7.0, hub_word="stable-diffusion-3"),
    Family("StableDiffusion", 8, size=(512, 512), guidance=7.5, hub_word="stable-diffusion"),
    Family("Flux", 16, size=_IMAGE, steps=28, guidance=3.5, hub_word="flux"),
    Family("QwenImage", 16, size=_IMAGE, guidance=4.0, hub_word="qwen-image"),
)
_VIDEO: Final = Family("", 32, 8, 16, (512, 288), 49)
"""For a pipeline that no row describes: these sizes and frames suit all known ones."""
_STILL: Final = Family("", 32, size=_IMAGE)
UNSUPPORTED: Final = {
    "AllegroPipeline": "diffusers decodes its videos in whole tiles only, which fit 1280 x 720 and 88 frames",
}
"""Why a pipeline cannot be used."""
_IMAGE_FAMILIES: Final = ("StableDiffusion", "Flux", "QwenImage")


@dataclass(frozen=True, slots=True)
class Traits:
    """What one pipeline takes and makes."""

    pipeline: str
    """Its class; empty while it is not known. It is a guess while only the model's name is known."""
    kind: GenerationType
    family: Family
    parameters: Mapping[str, Any] | None
    """Of its call; None while they are not known."""
    needs_last: bool = False
    """Whether it makes the frames between two pictures, and none without the second one."""

    @property
    def frames_argument(self) -> str:
        """The name of the parameter with the number of frames; empty for images."""
        return next((name for name in ("num_frames", "frames", "video_length") if self.takes(name)), "")

    @property
    def guidance_argument(self) -> str:
        """The name of the parameter with the guidance scale; empty if it is set elsewhere, or not at all."""
        return next((name for name in ("guidance_scale", "true_cfg_scale") if self.takes(name)), "")

    @property
    def has_guidance(self) -> bool:
        """Whether the guidance scale can be chosen. Some pipelines have a guider instead of a parameter."""
        return bool(self.guidance_argument) or self.parameters is None or self.pipeline.startswith("HunyuanVideo15")

    @property
    def first_frame(self) -> Literal["no", "optional", "required"]:
        """Whether it takes a picture to start from."""
        if not self.takes("image"):
            return "no"
        parameters = self.parameters or {}
        is_required = parameters["image"] is REQUIRED or "ImageToVideo" in self.pipeline
        return "required" if is_required and self.kind == "video" else "optional"

    @property
    def last_frame(self) -> Literal["no", "with_first", "alone"]:
        """Whether it takes a picture to end with: only beside a first one, or alone too."""
        if self.takes("last_image"):
            return "with_first"
        return "alone" if self.takes("frame_index") and self.takes("image") else "no"

    def takes(self, name: str) -> bool:
        """Whether the pipeline's call has a parameter of this name."""
        return name in (self.parameters or {})

    def width_or_height(self, pixels: int) -> int:
        """The size to render, in pixels: rounded down to what the pipeline can make."""
        return max(self.family.multiple, pixels // self.family.multiple * self.family.multiple)

    def frames(self, count: int) -> int:
        """The number of frames to render: the nearest one that the pipeline can make."""
        return max(0, round((count - 1) / self.family.frame_step)) * self.family.frame_step + 1


def traits_of(files: ModelFiles, pipeline: str | None = None) -> Traits:
    """What a model's pipeline takes and makes.

    Args:
        files: the model.
        pipeline: its class, if the operator named it; else it is read from the model.
    """
    guess = _by_hub_name(files.model)
    name = files.pipeline or pipeline or (f"{guess.prefix}Pipeline" if guess else "")
    parameters = _without_unused(call_parameters(name) if name else None, files)
    family = next((row for row in FAMILIES if name.startswith(row.prefix)), None)
    kind = _kind(family, parameters)
    family = family or _with_own_defaults(_VIDEO if kind == "video" else _STILL, parameters or {})
    # Its image encoder has a place for each of two pictures (Wan FLF2V).
    needs_last = bool(files.read("transformer/config.json").get("pos_embed_seq_len"))
    return Traits(name, kind, _with_own_grid(family, files), parameters, needs_last)


def _without_unused(parameters: Mapping[str, Any] | None, files: ModelFiles) -> Mapping[str, Any] | None:
    """The parameters without `last_image` where a model of its class makes nothing of it, as Wan 2.2 TI2V."""
    if parameters is None or not files.read("model_index.json").get("expand_timesteps"):
        return parameters
    return {name: default for name, default in parameters.items() if name != "last_image"}


def _by_hub_name(model: str) -> Family | None:
    name = model.rpartition("/")[2].lower()
    return next((row for row in FAMILIES if any(word in name for word in row.hub_word.split())), None)


def _kind(family: Family | None, parameters: Mapping[str, Any] | None) -> GenerationType:
    if parameters is None:
        return "image" if family and family.prefix.startswith(_IMAGE_FAMILIES) else "video"
    return "video" if parameters.keys() & {"num_frames", "frames", "video_length"} else "image"


def _with_own_defaults(family: Family, parameters: Mapping[str, Any]) -> Family:
    """The row for unknown pipelines with the defaults of this one's call."""

    def default(*names: str, otherwise: Any) -> Any:
        values = [parameters[name] for name in names if isinstance(parameters.get(name), int | float)]
        return values[0] if values else otherwise

    width, height = default("width", otherwise=family.size[0]), default("height", otherwise=family.size[1])
    return replace(
        family,
        size=(width, height),
        frames=default("num_frames", "frames", "video_length", otherwise=family.frames),
        steps=default("num_inference_steps", otherwise=family.steps),
        guidance=default("guidance_scale", "true_cfg_scale", otherwise=family.guidance),
    )


def _with_own_grid(family: Family, files: ModelFiles) -> Family:
    """The row with the compression that the model's own configuration states, where that is stricter."""
    vae, transformer = files.read("vae/config.json"), files.read("transformer/config.json")
    patch = transformer.get("patch_size")
    patch = patch[-1] if isinstance(patch, list) and patch else patch
    spatial = vae.get("scale_factor_spatial") or vae.get("spatial_compression_ratio")
    temporal = vae.get("scale_factor_temporal") or vae.get("temporal_compression_ratio")
    multiple, step = family.multiple, family.frame_step
    if isinstance(spatial, int) and isinstance(patch, int):
        multiple = max(multiple, spatial * patch)
    if isinstance(temporal, int) and family.frame_step > 1:
        step = max(step, temporal)
    return replace(family, multiple=multiple, frame_step=step)
