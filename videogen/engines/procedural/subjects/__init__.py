"""All subjects that can be drawn: kind -> definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.subjects import environments, living, objects, sky, weather
from videogen.engines.procedural.subjects.definition import SubjectDefinition

SUBJECTS: Final[Mapping[str, SubjectDefinition]] = {
    **environments.DEFINITIONS,
    **sky.DEFINITIONS,
    **weather.DEFINITIONS,
    **objects.DEFINITIONS,
    **living.DEFINITIONS,
}
"""Every kind that can be drawn."""

__all__ = ["SUBJECTS", "SubjectDefinition"]
