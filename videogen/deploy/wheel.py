"""A wheel of this videogen: built from the checkout that runs, or packed again from the installed files."""

from __future__ import annotations

import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from videogen.core.errors import StartError
from videogen.core.version import __version__

PACKAGE: Final = Path(__file__).parents[1]
CHECKOUT: Final = PACKAGE.parent
LOCK: Final = "requirements.lock"
_NAME: Final = f"videogen-{__version__}"
_TAG: Final = "py3-none-any"
_OF_THE_INSTALLATION: Final = ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD")


class WheelError(StartError, code="no_wheel"):
    """No wheel of videogen can be made."""


def is_checkout(root: Path = CHECKOUT) -> bool:
    """Whether the code that runs is the one of a checkout, and not of an installed wheel."""
    return (root / "pyproject.toml").is_file() and (root / LOCK).is_file()


def locked_requirements() -> str:
    """The lock file: with the wheel it is in the package."""
    return (CHECKOUT / LOCK if is_checkout() else PACKAGE / "deploy" / LOCK).read_text()


def write_wheel(folder: Path) -> Path:
    """Write the wheel into a folder.

    Raises:
        WheelError: neither the tools to build it are there, nor what was installed.
    """
    return build_wheel(folder) if is_checkout() else repack_wheel(folder)


def build_wheel(folder: Path) -> Path:
    """Build it from the checkout.

    Raises:
        WheelError: the build fails.
    """
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder.resolve())]
    built = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if built.returncode:
        reason = (built.stderr.strip().splitlines() or ["no message"])[-1]
        raise WheelError(f"the wheel could not be built ({reason}). `pip install hatchling`, then run it again.")
    return folder / f"{_NAME}-{_TAG}.whl"


def repack_wheel(folder: Path) -> Path:
    """Pack the installed files, as their RECORD lists them, into a wheel.

    Raises:
        WheelError: there is no RECORD, or a file is gone.
    """
    try:
        installed = distribution("videogen")
        files = sorted(file for file in installed.files or () if _belongs(file))
    except PackageNotFoundError:
        files = []
    if not files:
        raise WheelError(
            "videogen is not installed by pip here, so there is nothing to pack. Install it, or use a checkout."
        )
    target = folder / f"{_NAME}-{_TAG}.whl"
    record = f"{_NAME}.dist-info/RECORD"
    lines = []
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for file in files:
            path = Path(str(file.locate()))
            if not path.is_file():
                raise WheelError(f"{path}: it is missing from the installed videogen. Install videogen again.")
            data = path.read_bytes()
            digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{file.as_posix()},sha256={digest},{len(data)}")
            _add(archive, file.as_posix(), data)
        _add(archive, record, "\n".join([*lines, f"{record},,", ""]).encode())
    return target


def _belongs(file: PackagePath) -> bool:
    """Whether a file came with the wheel, and was not made by the installation (scripts, bytecode, its notes)."""
    own = file.parts[0] in ("videogen", f"{_NAME}.dist-info")
    return own and "__pycache__" not in file.parts and file.name not in _OF_THE_INSTALLATION


def _add(archive: ZipFile, name: str, data: bytes) -> None:
    # With a fixed time the same files give the same wheel.
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)
