"""Renders a diagnosis as text: coloured and wrapped for a terminal, else plain with one line for each finding."""

from __future__ import annotations

import textwrap
from typing import Final

from videogen.doctor.diagnosis import Diagnosis
from videogen.doctor.findings import Finding, Level, count

_COLOURS: Final = {Level.OK: "32", Level.WARNING: "33", Level.FAULT: "1;31"}
_MARKS: Final = {Level.OK: "ok", Level.WARNING: "warning", Level.FAULT: "FAULT"}
_INDENT: Final = 30


def show(diagnosis: Diagnosis, *, width: int | None = None) -> str:
    """The text of a diagnosis.

    Args:
        diagnosis: the findings and repairs.
        width: columns of the terminal; None: no terminal, so no colours and no wrapping.
    """
    lines = [line for finding in diagnosis.findings for line in _finding(finding, width)]
    for repair in diagnosis.repairs:
        lines += _lines(_mark("repaired", "36", width), "", repair, width)
    return "\n".join([*lines, "", _summary(diagnosis)])


def _finding(finding: Finding, width: int | None) -> list[str]:
    mark = _mark(_MARKS[finding.level], _COLOURS[finding.level], width)
    lines = _lines(mark, finding.check, finding.text, width)
    if finding.repair:
        lines += _lines(" " * 10, "", f"-> {finding.repair}", width)
    return lines


def _mark(word: str, colour: str, width: int | None) -> str:
    padded = f"{word:<10}"
    return padded if width is None else f"\033[{colour}m{padded}\033[0m"


def _lines(mark: str, check: str, text: str, width: int | None) -> list[str]:
    columns = 10**6 if width is None else max(width - _INDENT, 30)
    first, *rest = textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"  {mark}{check:<18}{first}".rstrip(), *(" " * _INDENT + line for line in rest)]


def _summary(diagnosis: Diagnosis) -> str:
    levels = [finding.level for finding in diagnosis.findings]
    faults, warnings = levels.count(Level.FAULT), levels.count(Level.WARNING)
    if not faults and not warnings:
        return "All is well."
    counts = [count(number, word) for number, word in ((faults, "fault"), (warnings, "warning")) if number]
    hint = ""
    if any(finding.fix is not None for finding in diagnosis.findings) and not diagnosis.repairs:
        hint = " `videogen doctor --fix` does the safe repairs; stop the server first."
    return f"{' and '.join(counts)}.{hint}"
