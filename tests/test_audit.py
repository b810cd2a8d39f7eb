"""What `make audit` makes of the answers of pip-audit; and that docs/licences.md is of the locked packages."""

import importlib
import json
from pathlib import Path

import pytest

PACKAGES = {("one", "1.0"), ("two", "2.0")}
SOUND = [{"name": "One", "version": "1.0", "vulns": []}, {"name": "two", "version": "2.0", "vulns": []}]
FAULT = {"id": "PYSEC-1", "fix_versions": ["2.1"]}


@pytest.fixture
def audit(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "scripts")
    return importlib.import_module("audit")


def test_the_table_of_licences_is_up_to_date(audit):
    locks = ("requirements.lock", "requirements-distributed.lock", "requirements-dev.lock")
    packages = set().union(*map(audit.locked, locks))
    assert len(packages) > 100
    assert audit.in_table() == packages, "the lock files have changed: run `make audit`"


@pytest.mark.parametrize(
    ("reports", "status", "line"),
    [
        (SOUND, 0, "Audited: 2 of 2 packages."),
        ([SOUND[0], SOUND[1] | {"vulns": [FAULT]}], 1, "two 2.0: PYSEC-1, fixed in 2.1"),
        ([SOUND[0], {"name": "two", "skip_reason": "not found"}], 3, "Audited: 1 of 2 packages."),
        (SOUND[:1], 3, "Not audited, as the service of vulnerabilities does not know them: 1 (two)"),
        ([SOUND[0] | {"vulns": [FAULT]}], 1, "Audited: 1 of 2 packages."),
        ([], 3, "Audited: 0 of 2 packages."),
    ],
)
def test_only_what_was_audited_counts(audit, reports, status, line):
    assert audit.verdict(PACKAGES, json.dumps({"dependencies": reports}), "")[0] == status
    assert line in audit.verdict(PACKAGES, json.dumps({"dependencies": reports}), "")[1]


@pytest.mark.parametrize("output", ["", "No known vulnerabilities found", "{}"])
def test_an_audit_that_failed_is_one_line(audit, output):
    problem = "Traceback\n  File ...\nConnectionError: no route to pypi.org\n"
    assert audit.verdict(PACKAGES, output, problem) == (
        3,
        ["No package was audited: ConnectionError: no route to pypi.org"],
    )


@pytest.mark.parametrize(
    ("licence", "note"),
    [
        ("MIT", ""),
        ("DFSG approved; MIT License", ""),
        ("ISC License (ISCL)", ""),
        ("BSD-3-Clause AND (MIT OR Zlib)", ""),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "changes to its own files stay under it"),
        ("UNKNOWN", "**not known as permissive: UNKNOWN**"),
        ("GPL-3.0-only", "**not known as permissive: GPL-3.0-only**"),
        ("LGPL-3.0-only", "changes to its own files stay under it"),
    ],
)
def test_a_licence_that_is_not_permissive_has_a_note(audit, licence, note):
    assert audit.note("some", licence) == note
