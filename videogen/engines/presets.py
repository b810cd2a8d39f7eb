"""Presets that engines bring along: what the world is told of them, and their pictures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from videogen.core.errors import NotFoundError
from videogen.core.validation import faults
from videogen.engines.base import Engine, Preset
from videogen.schemas.engines import PresetInfo

logger = logging.getLogger(__name__)


def presets_of(engine: Engine) -> list[Preset]:
    """The presets that an engine brings and itself accepts; what is wrong with another one is logged."""
    found: Sequence[object] = getattr(engine, "presets", None) or ()
    good: dict[str, Preset] = {}
    for preset in found:
        if not isinstance(preset, Preset):
            logger.warning("engine %s: expected its presets to be Preset, got %r; left out", engine.id, preset)
        elif preset.id in good:
            logger.warning("engine %s: two presets are called %r; the second is left out", engine.id, preset.id)
        elif fault := _fault(engine, preset):
            logger.warning("engine %s, preset %s: %s; left out", engine.id, preset.id, fault)
        else:
            good[preset.id] = preset
    return list(good.values())


def _fault(engine: Engine, preset: Preset) -> str:
    """Why this engine would refuse a preset, or nothing."""
    if preset.type not in (types := engine.probe().types):
        return f"type: expected {' or '.join(types)}, got {preset.type}"
    try:
        engine.settings.model_validate(preset.settings)
    except ValidationError as problem:
        first = faults(problem)[0]
        return f"settings.{first['field']}: expected {first['expected']}, got {first['got']}"
    return ""


def preset_infos(engine: Engine, base: str) -> tuple[PresetInfo, ...]:
    """What `GET /engines` tells of an engine's presets; `base` is the app's public address, or its path."""
    return tuple(
        PresetInfo(
            id=preset.id,
            title=preset.title,
            prompt=preset.prompt,
            negative_prompt=preset.negative_prompt,
            type=preset.type,
            settings=preset.settings,
            poster_url=_address(base, engine.id, preset.id) if preset.poster else None,
        )
        for preset in presets_of(engine)
    )


def _address(base: str, engine_id: str, preset_id: str) -> str:
    return f"{base}/api/v1/engines/{quote(engine_id, safe='')}/presets/{preset_id}/poster.webp"


def poster_of(engine: Engine | None, preset_id: str) -> Path:
    """The picture of a preset.

    Raises:
        NotFoundError: there is no such engine, preset or picture.
    """
    for preset in presets_of(engine) if engine is not None else ():
        if preset.id == preset_id and preset.poster is not None and preset.poster.is_file():
            return preset.poster
    raise NotFoundError
