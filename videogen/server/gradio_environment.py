"""The environment in which Gradio is loaded: without variables that would stop it, or change the page."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from videogen.core.network import unusable_variables

FOLDER: Final = "GRADIO_TEMP_DIR"
KEPT: Final = (FOLDER, "GRADIO_SHARE_SERVER_ADDRESS")
"""Settings of Gradio that have an effect here. The others are for its own server, which is not used."""
logger = logging.getLogger(__name__)


@contextmanager
def gradio_environment() -> Iterator[None]:
    """Take variables out of the environment in this block. Not thread-safe.

    Gradio makes clients of httpx when it is imported, which fails where httpx cannot use the proxies or certificates
    that the environment names. The app itself talks to loopback addresses only, so it needs neither.
    """
    _ensure_folder()
    hidden = {name for name in os.environ if name.startswith("GRADIO_") and name not in KEPT}
    for name, reason in _faults().items():
        # Not its value, which may hold a password.
        logger.warning("%s cannot be used, and is ignored (%s).", name, reason)
        hidden.add(name)
    values = {name: os.environ.pop(name) for name in hidden}
    try:
        yield
    finally:
        os.environ.update(values)


def _ensure_folder() -> None:
    """Give Gradio a folder for files if its own cannot be used: /tmp/gradio may belong to another user."""
    given = os.environ.get(FOLDER)
    folder = Path(given or Path(tempfile.gettempdir(), "gradio"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as problem:
        if given:
            logger.warning("%s cannot be used, and is ignored (%s).", FOLDER, problem.strerror)
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="videogen-gradio-")
        atexit.register(shutil.rmtree, os.environ[FOLDER], ignore_errors=True)


def _faults() -> dict[str, str]:
    try:
        httpx.Client().close()
    except Exception:
        # It is of many kinds: ImportError, ValueError, OSError, httpx.InvalidURL.
        return unusable_variables()
    return {}
