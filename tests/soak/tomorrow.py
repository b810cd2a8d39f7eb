"""The cleanup of the next day, on a stopped server's data folder."""

from __future__ import annotations

from pathlib import Path


def clean_up(data_dir: Path) -> None:
    """Do what the cleanup thread will do in 25 hours."""
