"""Runs all checks, and the repairs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

from videogen.core.config import AppConfig
from videogen.core.errors import VideogenError
from videogen.core.lock import DataLock, holder
from videogen.doctor import check_database, check_environment, check_files
from videogen.doctor.findings import Finding, Level, fault, ok

_ROUNDS: Final = 4
"""Rounds of repairs. A repair can show the next fault: a rebuilt database has rows whose files are missing."""


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
        return {
            "ok": self.is_well,
            "repairs": list(self.repairs),
            "findings": [
                {
                    "check": finding.check,
                    "level": finding.level.value,
                    "text": finding.text,
                    "repair": finding.repair or None,
                    "fixable": finding.fix is not None,
                }
                for finding in self.findings
            ],
        }


def diagnose(config: AppConfig, *, fix: bool = False) -> Diagnosis:
    """Run all checks; with `fix`, do the safe repairs and run the checks again.

    Without `fix` nothing is changed, and a server may run meanwhile.

    Raises:
        StartError: `fix` is set, and a server uses the data folder.
    """
    if not fix or not config.data_dir.is_dir():
        return Diagnosis(tuple(_run_checks(config, holder(config.data_dir))))
    lock = DataLock.take(config.data_dir)
    try:
        return _repair(config)
    finally:
        lock.close()


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
    if held_by is not None:
        process = f"process {held_by}" if held_by else "a process"
        yield ok("server", f"{process} uses the data folder")
    else:
        yield ok("server", "no server uses the data folder")
    yield from check_environment.folder(config)
    yield from check_environment.secret(config)
    yield from _check_data(config, Path(make_url(config.database).database or ""), held_by)
    yield from check_environment.engines(config)
    yield from check_environment.encoder(config)
    yield from check_environment.port(config, held_by)


def _check_data(config: AppConfig, path: Path, held_by: int | None) -> Iterator[Finding]:
    findings = [*check_database.integrity(config, path), *_check_log(path)]
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


def _check_log(path: Path) -> Iterator[Finding]:
    if path.exists():
        yield from check_database.write_ahead_log(path)
