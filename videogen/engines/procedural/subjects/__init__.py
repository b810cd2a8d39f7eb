"""What can be seen, by kind: one table from the words of a scene to the layers that show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.subjects import life, places, skies, things, weather
from videogen.engines.procedural.subjects.entry import Entry

SUBJECTS: Final[Mapping[str, Entry]] = {
    **places.ENTRIES,
    **skies.ENTRIES,
    **weather.ENTRIES,
    **things.ENTRIES,
    **life.ENTRIES,
}
"""Every kind that can be painted."""

__all__ = ["SUBJECTS", "Entry"]
