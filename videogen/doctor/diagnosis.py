"""Runs all checks and the repairs, and shows the result as text or JSON."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

from videogen.core.config import AppConfig
from videogen.core.errors import VideogenError
from videogen.core.lock import DataLock, holder
from videogen.doctor import check_bucket, check_database, check_environment, check_files
from videogen.doctor.findings import Finding, Level, count, fault, ok

_ROUNDS: Final = 4
"""Rounds of repairs. A repair can show the next fault: a rebuilt database has rows whose files are missing."""
_COLOURS: Final = {Level.OK: "32", Level.WARNING: "33", Level.FAULT: "1;31"}
_MARKS: Final = {Level.OK: "ok", Level.WARNING: "warning", Level.FAULT: "FAULT"}
_INDENT: Final = 30


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings, and the repairs that were done."""

    findings: tuple[Finding, ...]
    repairs: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether there is no fault. Warnings do not count."""
        return all(finding.level is not Level.FAULT for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The diagnosis for programs; its shape is stable."""
        findings = [
            {name: getattr(finding, name) or None for name in ("check", "level", "text", "repair")}
            | {"fixable": finding.fix is not None}
            for finding in self.findings
        ]
        return {"ok": self.is_well, "repairs": list(self.repairs), "findings": findings}


def diagnose(config: AppConfig, *, fix: bool = False) -> Diagnosis:
    """Run all checks; with `fix`, do the safe repairs and run the checks again.

    Without `fix` nothing is changed, and a server may run meanwhile.

    Raises:
        StartError: `fix` is set, and a server uses the data folder.
    """
    if not fix or not config.data_dir.is_dir():
        return Diagnosis(tuple(_run_checks(config, holder(config.data_dir))))
    with closing(DataLock.take(config.data_dir)):
        return _repair(config)


def _repair(config: AppConfig) -> Diagnosis:
    done: list[str] = []
    failed: dict[str, Finding] = {}
    for _ in range(_ROUNDS):
        findings = tuple(_run_checks(config, None))
        fixable = [finding for finding in findings if finding.fix is not None and finding.text not in failed]
        if not fixable:
            break
        for finding in fixable:
            assert finding.fix is not None
            try:
                done.append(finding.fix())
            except (OSError, sqlite3.Error, VideogenError) as problem:
                text = f"the repair of {finding.check} failed: {problem}"
                failed[finding.text] = fault(finding.check, text, finding.repair)
    return Diagnosis(tuple(failed.get(finding.text, finding) for finding in findings), tuple(done))


def _run_checks(config: AppConfig, held_by: int | None) -> Iterator[Finding]:
    yield ok("settings", "every VIDEOGEN_* variable has an allowed value")
    process = "no server" if held_by is None else f"process {held_by}" if held_by else "a process"
    yield ok("server", f"{process} uses the data folder")
    yield from check_environment.folder(config)
    yield from check_environment.secret(config)
    if config.uses_postgresql:
        yield from check_database.server(config)
        if config.storage_url:
            yield from check_bucket.bucket(config)
    else:
        yield from _check_data(config, Path(make_url(config.database).database or ""), held_by)
    yield from check_environment.engines(config)
    yield from check_environment.encoder()
    yield from check_environment.port(config, held_by)


def _check_data(config: AppConfig, path: Path, held_by: int | None) -> Iterator[Finding]:
    log = check_database.write_ahead_log(path) if path.exists() else ()
    findings = [*check_database.integrity(config, path), *log]
    yield from findings
    if any(finding.level is Level.FAULT for finding in findings) or not path.exists() or path.stat().st_size == 0:
        return
    findings = [*check_database.schema(path)]
    yield from findings
    if any(finding.level is Level.FAULT and finding.check == "schema" for finding in findings):
        return
    yield from check_database.generations(config, path, held_by)
    yield from check_files.rows_without_files(config, path)
    yield from check_files.files_without_rows(config, path)
    yield from check_files.leftovers(config, path, held_by)


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
