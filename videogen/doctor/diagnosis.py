"""One examination of everything, and as many repairs as there are."""

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
"""One repair may bring the next fault to light: a rebuilt database has rows whose files are gone."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, and what was done about it."""

    findings: tuple[Finding, ...]
    repairs: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether there is no fault; warnings are none."""
        return all(finding.level is not Level.FAULT for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The same for programs; the shape is stable."""
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
    """Look at everything; with `fix`, repair what is safe, and look again.

    Without `fix` nothing is changed, and a server may run meanwhile.

    Raises:
        StartError: a server works on the data folder, and repairs were asked for.
    """
    if not fix or not config.data_dir.is_dir():
        return Diagnosis(tuple(_examine(config, holder(config.data_dir))))
    lock = DataLock.take(config.data_dir)
    try:
        return _repaired(config)
    finally:
        lock.close()


def _repaired(config: AppConfig) -> Diagnosis:
    done: list[str] = []
    failed: dict[str, Finding] = {}
    for _ in range(_ROUNDS):
        findings = tuple(_examine(config, None))
        wanted = [finding for finding in findings if finding.fix is not None and finding.text not in failed]
        if not wanted:
            break
        for finding in wanted:
            assert finding.fix is not None
            try:
                done.append(finding.fix())
            except (OSError, sqlite3.Error, VideogenError) as problem:
                text = f"the repair of {finding.check} failed: {problem}"
                failed[finding.text] = fault(finding.check, text, finding.repair)
    return Diagnosis(tuple(failed.get(finding.text, finding) for finding in findings), tuple(done))


def _examine(config: AppConfig, held_by: int | None) -> Iterator[Finding]:
    yield ok("settings", "every VIDEOGEN_* variable has a value that is allowed")
    if held_by is not None:
        who = f"process {held_by}" if held_by else "a process"
        yield ok("server", f"{who} works on the data folder")
    else:
        yield ok("server", "none works on the data folder")
    yield from check_environment.folder(config)
    yield from check_environment.secret(config)
    yield from _data(config, Path(make_url(config.database).database or ""), held_by)
    yield from check_environment.engines(config)
    yield from check_environment.encoder(config)
    yield from check_environment.port(config, held_by)


def _data(config: AppConfig, path: Path, held_by: int | None) -> Iterator[Finding]:
    found = [*check_database.soundness(config, path), *_log(path)]
    yield from found
    if any(finding.level is Level.FAULT for finding in found) or not path.exists() or path.stat().st_size == 0:
        return
    made = [*check_database.schema(path)]
    yield from made
    if any(finding.level is Level.FAULT and finding.check == "schema" for finding in made):
        return
    yield from check_database.states(config, path, held_by)
    yield from check_files.rows_without_files(config, path)
    yield from check_files.files_without_rows(config, path)
    yield from check_files.leftovers(config, path, held_by)


def _log(path: Path) -> Iterator[Finding]:
    if path.exists():
        yield from check_database.write_ahead_log(path)
