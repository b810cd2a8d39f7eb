"""Folders with wrong permissions."""

from __future__ import annotations

import os
from pathlib import Path


def read_only_folder(folder: Path) -> Path:
    """A folder in which no file can be made, even by root."""
    folder.mkdir()
    folder.chmod(0o500)
    return Path("/proc/self") if os.access(folder, os.W_OK) else folder
