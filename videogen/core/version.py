"""The version of this release; `pyproject.toml` names the same one, which a test holds."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.2.0"
