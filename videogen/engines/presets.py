"""The presets of engines: which of them are valid, their public form, and their posters."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from videogen.core.errors import NotFoundError
from videogen.core.validation import faults
from videogen.engines.availability import capabilities_of
from videogen.engines.base import Engine, Preset
from videogen.schemas.engines import PresetInfo

logger = logging.getLogger(__name__)


def presets_of(engine: Engine) -> list[Preset]:
    """Return the valid presets of an engine. For each other one, the reason is logged."""
    valid: dict[str, Preset] = {}
    for preset in getattr(engine, "presets", None) or ():
        if not isinstance(preset, Preset):
            logger.warning("engine %s: expected each preset to be a Preset, got %r; left out", engine.id, preset)
        elif preset.id in valid:
            logger.warning("engine %s: two presets have the id %r; the second is left out", engine.id, preset.id)
        elif fault := _fault(engine, preset):
            logger.warning("engine %s, preset %s: %s; left out", engine.id, preset.id, fault)
        else:
            valid[preset.id] = preset
    return list(valid.values())


def _fault(engine: Engine, preset: Preset) -> str:
    """Why this engine would refuse a preset; empty: it would not."""
    if preset.type not in (types := capabilities_of(engine).types):
        return f"type must be {' or '.join(types)}; this was {preset.type}"
    try:
        engine.settings.model_validate(preset.settings)
    except ValidationError as error:
        first = faults(error)[0]
        return f"settings.{first['field']} must be {first['expected']}; this was {first['got']}"
    return ""


def preset_infos(engine: Engine, base: str) -> tuple[PresetInfo, ...]:
    """The presets of an engine for `GET /engines`; `base` is the public address of the app, or its path."""
    path = f"{base}/api/v1/engines/{quote(engine.id, safe='')}/presets"
    return tuple(
        PresetInfo(
            **preset.model_dump(exclude={"poster"}),
            poster_url=f"{path}/{preset.id}/poster.webp" if preset.poster else None,
        )
        for preset in presets_of(engine)
    )


def poster_path(engine: Engine | None, preset_id: str) -> Path:
    """The file of a preset's poster.

    Raises:
        NotFoundError: there is no such engine, preset or poster.
    """
    for preset in presets_of(engine) if engine is not None else ():
        if preset.id == preset_id and preset.poster is not None and preset.poster.is_file():
            return preset.poster
    raise NotFoundError
