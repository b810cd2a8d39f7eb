"""Beside the prompt: how long it is, near the limit and above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.ui.tab import Tab

NEAR: Final = 0.9
"""From this part of the limit on the length is shown."""


def prompt_count(tab: Tab) -> Mapping[str, Any]:
    """How many characters the prompt has, or the longest of several, of how many; nothing while it is short."""
    engine = tab.site.engine(str(tab.form.get("engine") or "")) or next(iter(tab.site.engines), None)
    prompt = str(tab.form.get("prompt") or "").strip()
    prompts = prompt.splitlines() if tab.form.get("per_line") is True else [prompt]
    number = max((len(one.strip()) for one in prompts), default=0)
    if engine is None or number < NEAR * engine.max_prompt_chars:
        return {"number": 0, "most": 0}
    return {"number": number, "most": engine.max_prompt_chars}
