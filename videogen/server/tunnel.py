"""A public address for an app on a private machine, through the share tunnel of Gradio."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from videogen.web.public_url import PublicUrl

logger = logging.getLogger(__name__)
Opener = Callable[[str, int], str]
"""Opens a tunnel to this host and port and returns its public address; may take a minute."""
VALIDITY: Final = "It is valid while this process runs, for a week at most."


def gradio_tunnel(host: str, port: int) -> str:
    """Open Gradio's tunnel. It ends with this process.

    Raises:
        Exception: Gradio raises any kind (no network, no program for this platform, no answer).
    """
    from gradio.networking import setup_tunnel

    return setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)


def open_in_background(address: PublicUrl, opener: Opener = gradio_tunnel) -> threading.Thread:
    """Open a tunnel while the app serves; print the public address, or in one line why there is none."""
    thread = threading.Thread(target=_open, args=(address, opener), name="share-tunnel", daemon=True)
    thread.start()
    return thread


def _open(address: PublicUrl, opener: Opener) -> None:
    local = urlsplit(address.local)
    try:
        public = opener(local.hostname or "127.0.0.1", local.port or 80).rstrip("/")
        if urlsplit(public).scheme not in ("http", "https"):
            raise ValueError(f"expected an http(s) address, got {public!r}")
    except Exception as problem:
        # Gradio raises any kind of error, and none may stop the app.
        logger.debug("The share tunnel failed.", exc_info=problem)
        print(
            f"No public address: the share tunnel could not be opened ({_one_line(problem)}). "
            f"The app runs on at {address.local}",
            file=sys.stderr,
            flush=True,
        )
        return
    address.tunnel = public
    print(f"Public address {address.fixed} (anyone who has it can use this app). {VALIDITY}", flush=True)


def _one_line(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text[:160]}" if text else type(problem).__name__
