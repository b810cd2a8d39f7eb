"""LoRAs: small files that change what a model draws. One for each job, by name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from videogen.engines.base import Recipe, RenderFailed
from videogen.engines.diffusers.loading import LoadedPipeline
from videogen.engines.diffusers.options import Lora
from videogen.engines.diffusers.settings import NO_LORA

logger = logging.getLogger("videogen.render")


def apply_lora(loaded: LoadedPipeline, recipe: Recipe) -> None:
    """Use the LoRA of a recipe, or none. It is loaded for its first job, and kept.

    Raises:
        RenderFailed: it does not exist, or was made for another model.
    """
    name = recipe.settings.get("lora") or NO_LORA
    if name == NO_LORA:
        if loaded.loras:
            loaded.pipe.disable_lora()
        return
    lora = next((lora for lora in loaded.options.loras if lora.name == name), None)
    if lora is None:
        raise RenderFailed(f"The LoRA {name} is not on offer any more. Choose another one.", code="lora_missing")
    if name not in loaded.loras:
        _load(loaded, lora)
        loaded.loras.add(name)
    loaded.pipe.enable_lora()
    loaded.pipe.set_adapters([name], [recipe.settings["lora_weight"]])


def _load(loaded: LoadedPipeline, lora: Lora) -> None:
    pipe, path = loaded.pipe, Path(lora.path).expanduser()
    if not hasattr(pipe, "load_lora_weights"):
        raise _mismatch(lora, loaded, "it takes none")
    is_local = path.exists() or lora.path.startswith((".", "/", "~")) or path.suffix == ".safetensors"
    if is_local and not path.exists():
        text = f"The file of the LoRA {lora.name} does not exist. Correct its path, or choose none."
        raise RenderFailed(text, code="lora_missing")
    file = lora.file or (path.name if path.is_file() else None)
    source = str(path.parent if path.is_file() else path) if is_local else lora.path
    try:
        pipe.load_lora_weights(source, weight_name=file, adapter_name=lora.name)
    except (ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        logger.exception("the LoRA %s could not be loaded", lora.name)
        _unload(pipe, lora.name)
        raise _mismatch(lora, loaded, next(iter(str(error).splitlines()), "")) from error
    except OSError as error:
        logger.exception("the LoRA %s could not be read", lora.name)
        text = f"The LoRA {lora.name} cannot be read. Check its path and file in the engine's loras, or choose none."
        raise RenderFailed(text, code="lora_missing") from error
    # A file without a single layer of this model is only a warning to diffusers.
    if not any(lora.name in names for names in pipe.get_list_adapters().values()):
        raise _mismatch(lora, loaded, "none of its layers are in this model")


def _unload(pipe: Any, name: str) -> None:
    """Remove what was put into the model before the error."""
    try:
        pipe.delete_adapters(name)
    except Exception:
        logger.debug("nothing of the LoRA %s was loaded", name, exc_info=True)


def _mismatch(lora: Lora, loaded: LoadedPipeline, reason: str) -> RenderFailed:
    text = (
        f"The LoRA {lora.name} does not fit {loaded.label} ({reason[:200]}). Choose none, or one that was made for "
        "this model."
    )
    return RenderFailed(text, code="lora_mismatch")
