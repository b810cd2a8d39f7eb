"""What a check says: one frozen value for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Works, but somebody should look."""
    FAULT = "fault"
    """Something is lost, or does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """What was looked at, in a word or two."""
    level: Level
    text: str
    """What was found."""
    repair: str = ""
    """What a person does about it, with the command where there is one."""
    fix: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    """Repairs it without risk, and says what it did. Only called while nobody else works on the data folder."""


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, text)


def warning(check: str, text: str, repair: str = "", fix: Callable[[], str] | None = None) -> Finding:
    """Somebody should look."""
    return Finding(check, Level.WARNING, text, repair, fix)


def fault(check: str, text: str, repair: str = "", fix: Callable[[], str] | None = None) -> Finding:
    """Something is lost or does not work."""
    return Finding(check, Level.FAULT, text, repair, fix)


FIX = "`videogen doctor --fix`"


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def amount(size: int) -> str:
    """A size in bytes, as people write it: `12 kB`, `3.4 MB`, `81.9 GB`."""
    if size < 1_000_000:
        return f"{-(-size // 1000)} kB"
    return f"{size / 1e6:.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"
