"""Audit what is locked (make audit): known vulnerabilities, and the licences, as the table in docs/licences.md.

Exit status: 0 nothing was found in any package; 1 a package has a known vulnerability; 3 not everything could be
audited, for instance without a network. The table needs none: it comes from the metadata of the installed packages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "licences.md"
VULNERABLE, NOT_AUDITED = 1, 3
Package = tuple[str, str]
"""Name and version."""

PERMISSIVE = {
    *("0BSD", "Apache Software License", "Apache-2.0", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0"),
    *("ISC License", "MIT", "MIT License", "MIT-0", "MIT-CMU", "PSF-2.0", "Python Software Foundation License"),
    *("Unlicense", "Zlib"),
}
WEAK_COPYLEFT = re.compile(r"MPL|Mozilla|LGPL|Lesser")
NOTES = {
    "av": "its wheels bring FFmpeg with x264 and x265, which are under the GPL",
    "fal-client": "Apache-2.0 in its repository",
    **dict.fromkeys(("psycopg", "psycopg-binary", "psycopg-pool"), "for the extra `distributed` alone"),
}
HEAD = """# Licences

Made by `make audit` from the lock files and the metadata of the installed packages; do not edit. A licence that is not
permissive has a note.
"""


def locked(name: str) -> set[Package]:
    """The packages of a lock file, those for other systems too."""
    lines = (ROOT / name).read_text().splitlines()
    found = [Requirement(line.rstrip("\\ ")) for line in lines if "==" in line and not line.startswith(("#", " "))]
    return {(canonicalize_name(one.name), str(one.specifier).removeprefix("==")) for one in found}


def note(package: str, licence: str) -> str:
    """What to know of a licence; nothing for a permissive one."""
    full_names = licence.replace(" (ISCL)", "").replace(" (MPL 2.0)", "")
    names = {part.strip("() ") for part in re.split(r" AND | OR |;", full_names)} - {"", "DFSG approved"}
    others = sorted(names - PERMISSIVE)
    notes = [NOTES[package]] if package in NOTES else []
    if any(WEAK_COPYLEFT.search(other) for other in others):
        notes.append("changes to its own files stay under it")
    if others := [other for other in others if not WEAK_COPYLEFT.search(other)]:
        notes.append(f"**not known as permissive: {', '.join(others)}**")
    return "; ".join(notes)


def table(packages: set[Package], licences: dict[Package, str]) -> str:
    """The licences of these packages in Markdown."""
    rows = ["| package | version | licence | note |", "|---|---|---|---|"]
    for name, version in sorted(packages):
        licence = licences.get((name, version))
        about = "for other systems or another Python" if licence is None else note(name, licence)
        rows.append(f"| {name} | {version} | {licence or ''} | {about} |")
    return "\n".join(rows) + "\n"


def page(licences: dict[Package, str]) -> str:
    """The text of docs/licences.md."""
    runtime, distributed = locked("requirements.lock"), locked("requirements-distributed.lock")
    parts = {
        "What runs": runtime,
        "What runs on several machines": distributed - runtime,
        "What only tests and builds": locked("requirements-dev.lock") - runtime - distributed,
    }
    return HEAD + "".join(f"\n## {title}\n\n{table(packages, licences)}" for title, packages in parts.items())


def in_table() -> set[Package]:
    """The packages that docs/licences.md lists."""
    return set(re.findall(r"^\| (\S+) \| (\d\S*) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE))


def installed_licences() -> dict[Package, str]:
    """The licences of all installed packages."""
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--from=mixed", "--with-system"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = json.loads(output)
    return {(canonicalize_name(row["Name"]), row["Version"]): licence_name(row["License"]) for row in rows}


def licence_name(text: str) -> str:
    """The name of a licence; some packages have its whole text in the place of the name."""
    text = " ".join(text.split())
    return "Apache-2.0" if text.startswith("Apache License Version 2.0, January 2004") else text


def verdict(packages: set[Package], output: str, problem: str) -> tuple[int, list[str]]:
    """The exit status and the lines to print for what pip-audit said of these packages.

    Args:
        packages: what it was asked about.
        output: its JSON; anything else means that it failed.
        problem: what it printed as errors.
    """
    try:
        reports = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = (problem.strip().splitlines() or ["no output"])[-1]
        return NOT_AUDITED, [f"No package was audited: {last[:200]}"]
    audited = {(canonicalize_name(report["name"]), report["version"]) for report in reports if "vulns" in report}
    faults = [(report, fault) for report in reports for fault in report.get("vulns", ())]
    lines = [
        f"{report['name']} {report['version']}: {fault['id']}, fixed in {' or '.join(fault['fix_versions']) or 'none'}"
        for report, fault in faults
    ]
    missing = sorted(packages - audited)
    if missing:
        names = ", ".join(name for name, _ in missing[:5]) + (", ..." if len(missing) > 5 else "")
        lines.append(f"Not audited, as the service of vulnerabilities does not know them: {len(missing)} ({names})")
    lines.append(f"Audited: {len(packages & audited)} of {len(packages)} packages.")
    return (VULNERABLE if faults else NOT_AUDITED if missing else 0), lines


def main() -> int:
    """Write the table, then ask for vulnerabilities."""
    packages = locked("requirements.lock") | locked("requirements-distributed.lock") | locked("requirements-dev.lock")
    TABLE.write_text(text := page(installed_licences()), encoding="utf-8")
    print(f"Licences: {TABLE.relative_to(ROOT)}")
    print(*(line for line in text.splitlines() if "**" in line), sep="\n")
    # Without the markers of the lock, or those for other systems would be left out.
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("".join(f"{name}=={version}\n" for name, version in sorted(packages)))
        requirements.flush()
        command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format=json", "--desc=off"]
        command += ["--progress-spinner=off", "--requirement", requirements.name, *sys.argv[1:]]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    status, lines = verdict(packages, done.stdout, done.stderr)
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
