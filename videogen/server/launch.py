"""Starts the app from a script or a notebook: `videogen.launch`, and `videogen.mount` for another FastAPI app."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

from fastapi import FastAPI

from videogen.core.config import PREFIX, AppConfig
from videogen.core.errors import StartError
from videogen.engines.imports import ImportEndedError
from videogen.engines.process.protocol import MARK
from videogen.engines.sources import reference_to
from videogen.server.app import create_app
from videogen.server.run import Server, listen
from videogen.storage import DataFolder
from videogen.web.public_url import local_url

CLOSE_SECONDS: Final = 15.0
_launched: Final[dict[Path, Launched]] = {}
"""The apps of this process, by data folder."""


def launch(*engines: Any, share: bool = False, **settings: Any) -> Launched:
    """Serve the page and the API on a thread of this process, print the address, and return.

    What is rendered, is rendered in child processes. They import the file of the engine again, up to the call of
    `launch`; what only the start needs belongs behind that, or under `if __name__ == "__main__":`. For an engine in a
    notebook, the statements that it needs are written to a file in the data folder. An app that was launched before on
    the same data folder is closed first; the new one takes its port.

    Args:
        engines: functions, classes, engines, or references as in `VIDEOGEN_ENGINES`. The first is the default one.
            Without any, those of `VIDEOGEN_ENGINES`.
        share: get a public address through Gradio's share tunnel; it is printed, and in `share_url`.
        settings: any setting by its name in lower case, such as `port=8000` or `data_dir="videos"`; the others come
            from the environment. Without a port, 7860 is taken, or any free one.

    Raises:
        TypeError: there is no such setting.
        StartError, ConfigError: the app cannot start; the message says what to do.
    """
    _end_import_in_renderer(sys._getframe(1).f_globals)
    config = _config(engines, {"share": share or None, **settings})
    folder = config.data_dir.resolve()
    port = config.port
    if (before := _launched.pop(folder, None)) is not None:
        before.close()
        port = before.port
    is_free = "port" not in settings and PREFIX + "PORT" not in os.environ
    DataFolder(config.data_dir).open()
    launched = _launched[folder] = Launched(config, _listen(config, port if is_free else config.port, any_port=is_free))
    print(f"Ready on {launched.url}", flush=True)
    return launched


def mount(app: FastAPI, path: str = "/videogen", *, engines: Sequence[Any] = (), **settings: Any) -> FastAPI:
    """Put the page and the API into another FastAPI app, below a path. They start and stop with that app.

    Args:
        app: the other app. Its own lifespan begins before and ends after that of videogen.
        path: where it is mounted.
        engines: as for `launch`.
        settings: as for `launch`; `host` and `port` have no effect.

    Returns:
        the mounted app.

    Raises:
        TypeError: there is no such setting.
        StartError, ConfigError: an engine cannot be loaded.
    """
    _end_import_in_renderer(sys._getframe(1).f_globals)
    path = f"/{path.strip('/')}".rstrip("/")
    inner = create_app(_config(engines, {"root_path": path, **settings}))
    app.mount(path, inner)
    outer = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(whole: FastAPI) -> AsyncIterator[Any]:
        async with outer(whole) as state, inner.router.lifespan_context(inner):
            yield state

    app.router.lifespan_context = lifespan
    return inner


class Launched:
    """An app that runs on a thread of this process. A context manager: it is closed at the end of the block."""

    def __init__(self, config: AppConfig, listener: socket.socket) -> None:
        """Start it, and wait until it serves. Raises StartError."""
        host, self.port = listener.getsockname()[:2]
        self.url = local_url(host, self.port)
        """The address on this machine."""
        self._config, self._listener = config, listener
        self._server: Server | None = None
        self._is_ready, self._has_ended = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="videogen", daemon=True)
        self._thread.start()
        self._is_ready.wait()
        if self._error is not None:
            raise self._error
        atexit.register(self._close_at_exit)

    @property
    def share_url(self) -> str | None:
        """The public address of `share=True`, once the tunnel is open."""
        return self._server.public_url.tunnel or None if self._server else None

    def wait(self) -> None:
        """Block until Ctrl-C, or until the app is closed by another thread; then close it."""
        try:
            # Not the thread's own `join`, which takes a thread for ended once it was interrupted.
            self._has_ended.wait()
        except KeyboardInterrupt:
            pass
        self.close()

    def close(self) -> None:
        """Stop the app. What is rendering goes on at the next start. A second call does nothing."""
        atexit.unregister(self._close_at_exit)
        if self._server is not None and not self._has_ended.is_set():
            self._server.stop()
        self._has_ended.wait(CLOSE_SECONDS)
        if _launched.get(self._config.data_dir.resolve()) is self:
            del _launched[self._config.data_dir.resolve()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<videogen {'closed, was on' if self._has_ended.is_set() else 'on'} {self.url}>"

    def _serve(self) -> None:
        try:
            with self._listener:
                self._server = Server(create_app(self._config), self.url, self._is_ready.set)
                self._server.run(sockets=[self._listener])
        except BaseException as error:  # the thread that started this one raises it
            self._error = error
        finally:
            self._has_ended.set()
            self._is_ready.set()

    def _close_at_exit(self) -> None:
        if not hasattr(sys, "ps1"):
            text = "The script has ended, and with it the app. Call wait() on what launch() returns to go on serving."
            print(text, file=sys.stderr)
        self.close()


def _listen(config: AppConfig, port: int, *, any_port: bool) -> socket.socket:
    try:
        return listen(config.model_copy(update={"port": port}))
    except StartError:
        if not any_port:
            raise
        return listen(config.model_copy(update={"port": 0}))


def _config(engines: Sequence[Any], settings: Mapping[str, Any]) -> AppConfig:
    given = {name: value for name, value in settings.items() if value is not None}
    if unknown := given.keys() - AppConfig.model_fields.keys():
        raise TypeError(f"expected settings of {', '.join(AppConfig.model_fields)}; got {', '.join(sorted(unknown))}")
    config = AppConfig.from_env({**os.environ, **{PREFIX + name.upper(): _text(given[name]) for name in given}})
    if not engines:
        return config
    references = tuple(reference_to(engine, config.data_dir) for engine in engines)
    return config.model_copy(update={"engines": references, "engine": str(given.get("engine", ""))})


def _text(value: object) -> str:
    """A setting as it stands in the environment."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _end_import_in_renderer(namespace: Mapping[str, Any]) -> None:
    """In a renderer process, end the import of the module that is about to start an app: it runs already."""
    if os.environ.get(MARK, "").split()[1:] == [str(os.getpid())]:
        raise ImportEndedError(sys.modules[namespace["__name__"]])
