"""Folders that are not as they should be."""

from __future__ import annotations

import os
from pathlib import Path


def read_only_folder(folder: Path) -> Path:
    """A folder in which nothing can be made, even by root."""
    folder.mkdir()
    folder.chmod(0o500)
    return Path("/proc/self") if os.access(folder, os.W_OK) else folder
