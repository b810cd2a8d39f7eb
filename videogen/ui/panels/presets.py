"""Presets: those of the engines as pictures, and the person's own by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.schemas.engines import PresetInfo
from videogen.ui.form import EngineForm
from videogen.ui.tab import Tab

MAX_ON_STAGE: Final = 8


def presets(tab: Tab) -> Mapping[str, Any]:
    """All presets."""
    own = [
        {"id": one.id, "title": one.title, "prompt": str(one.form["prompt"]), "seed": str(one.form.get("seed") or "")}
        for one in tab.presets
    ]
    return {"own": own, "items": _cards(tab)}


def on_stage(tab: Tab) -> list[dict[str, Any]]:
    """The first ones, for a stage that shows nothing else."""
    return _cards(tab)[:MAX_ON_STAGE]


def _cards(tab: Tab) -> list[dict[str, Any]]:
    return [_card(tab, engine, preset) for engine in tab.site.engines if engine.available for preset in engine.presets]


def _card(tab: Tab, engine: EngineForm, preset: PresetInfo) -> dict[str, Any]:
    seed = preset.settings.get("seed")
    return {
        "key": f"{engine.id}/{preset.id}",
        "title": tab.texts.preset_text(engine.id, preset.id, "title") or preset.title,
        "prompt": tab.texts.preset_text(engine.id, preset.id, "prompt") or preset.prompt,
        "poster": preset.poster_url,
        "seed": "" if seed is None else str(seed),
    }
