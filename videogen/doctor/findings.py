"""The result of a check: one `Finding` for each thing that was checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    """Nothing is wrong."""
    WARNING = "warning"
    """It works, but somebody should look at it."""
    FAULT = "fault"
    """Something is lost or does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    level: Level
    check: str
    """The name of the check, in a word or two."""
    text: str
    """What was found, with all details."""
    repair: str = ""
    """What a person can do, with the command if there is one."""
    fix: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    """A repair without risk; returns what it did. Called only while no server uses the data folder."""


ok: Final = partial(Finding, Level.OK)
warning: Final = partial(Finding, Level.WARNING)
fault: Final = partial(Finding, Level.FAULT)
FIX = "`videogen doctor --fix`"


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def amount(size: int) -> str:
    """A size in bytes for people: `12 kB`, `3.4 MB`, `81.9 GB`."""
    if size < 1_000_000:
        return f"{-(-size // 1000)} kB"
    return f"{size / 1e6:.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"
