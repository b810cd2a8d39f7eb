"""The environment in which Gradio is loaded: without variables that would stop it, or change the page.

It also leaves out what takes half of Gradio's import and serves only those who write programs with it: for each
component, Gradio makes a type stub (`.pyi`) from its source, and compares it with the one beside it.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
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
    sys.meta_path.insert(0, _WithoutStubs)
    try:
        yield
    finally:
        sys.meta_path.remove(_WithoutStubs)
        os.environ.update(values)


class _WithoutStubs:
    """Finds the module of Gradio that makes the type stubs, and takes that function out of it."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == "gradio.component_meta" else None
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_without_stubs(module: ModuleType) -> None:
            run(module)
            vars(module)["create_or_modify_pyi"] = lambda *_: None

        vars(spec.loader)["exec_module"] = run_without_stubs
        return spec


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
