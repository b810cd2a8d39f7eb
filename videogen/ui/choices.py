"""What a visitor has chosen for the page itself. The browser keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

THEMES: Final = {"": "app.theme_system", "light": "app.theme_light", "dark": "app.theme_dark"}
"""With their words. Empty: as the system has it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All of them, with what holds until something is chosen."""

    theme: str = ""
    notify: bool = False
    """Whether the system tells when something has ended."""
    sound: bool = False
    """Whether a sound is played when something has ended."""
    keys: bool = True
    """Whether single keys do something."""

    @classmethod
    def read(cls, stored: object) -> Choices:
        """Read what the browser has stored; what is not possible is as if it was not chosen."""
        values: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
        switches = {name: values[name] for name in ("notify", "sound", "keys") if isinstance(values.get(name), bool)}
        theme = values.get("theme")
        return cls(theme=theme if isinstance(theme, str) and theme in THEMES else "", **switches)
