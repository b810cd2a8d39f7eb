"""The options of an engine of this kind: its own keys in the engine's configuration."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Lora(BaseModel):
    """A LoRA that people may choose in the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="what people choose")
    path: str = Field(min_length=1, description="a .safetensors file, a folder, or a name on the hub")
    file: str | None = Field(default=None, description="the file in the folder, where it has several")
    weight: float = Field(default=1.0, ge=-4, le=4, description="how strong it is where the form does not change it")


class DiffusersOptions(BaseModel):
    """What an operator can set for one model. Every default suits a model that fits on the device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: str | None = Field(default=None, description="branch, tag or commit of a model on the hub")
    variant: str | None = Field(default=None, description="of the weights' files, such as fp16")
    pipeline: str | None = Field(default=None, description="the pipeline's class, for a model that is not here yet")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$", description="auto: the best one")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto", description="of all models but the VAE, which has float32; auto: bfloat16 on CUDA, else float32"
    )
    offload: Literal["none", "group", "model"] = Field(
        default="none", description="what does not compute is in main memory: layer by layer, or model by model"
    )
    fp8: bool = Field(default=False, description="keep the denoiser's weights in 8 bits; half the memory, other bits")
    tiling: bool = Field(default=False, description="always decode in tiles; without it, after memory ran out")
    loras: tuple[Lora, ...] = ()
    token: str | None = Field(default=None, pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$", description='"env:HF_TOKEN"')
    call: dict[str, Any] = Field(default_factory=dict, description="further arguments of the pipeline's call")
    checkpoint_steps: int = Field(default=1, ge=1, description="a checkpoint after each so many steps")
    idle_seconds: float = Field(default=600.0, ge=0, description="the renderer ends after so long without a job")
