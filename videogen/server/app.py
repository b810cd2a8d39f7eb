"""The root: builds the parts, puts the edges around them, and serves."""

from __future__ import annotations

import threading
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from pydantic.warnings import UnsupportedFieldAttributeWarning

from videogen.api import bulk, events, files, generations, health, media, portability, sessions, shares
from videogen.api import engines as engine_routes
from videogen.core.clock import SteadyClock
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.core.lock import DataLock
from videogen.core.security import Signer, load_secret
from videogen.core.version import __version__
from videogen.db.database import Database
from videogen.db.integrity import require_sound
from videogen.db.migrate import migrate
from videogen.engines.base import Engine
from videogen.engines.registry import load_engines, references_by_id
from videogen.jobs.cleanup import look_for_damage
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.worker import WorkerPool, WorkerSettings
from videogen.live.hub import Hub
from videogen.services.archives import Zips
from videogen.services.device_transfer import Transfers
from videogen.services.exports import Exports
from videogen.services.generations import Service
from videogen.services.imports import ImportService
from videogen.services.parts import Parts
from videogen.services.serializers import Serializer
from videogen.services.shares import Shares
from videogen.services.submission import engine_infos
from videogen.services.trash import Trash
from videogen.share import routes as share_routes
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Store
from videogen.web import problems
from videogen.web.proxy_headers import TrustedProxy
from videogen.web.public_url import PublicUrl
from videogen.web.sessions import SessionCookie

# FastAPI mutes this where it builds its fields; ours are built later, at the first use, where it means no more.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)


def build_parts(config: AppConfig) -> Parts:
    """Open the data folder and the database, load the engines, and put the parts together.

    Raises:
        StartError: something is not as it must be; one line that says what, and what to do.
    """
    data_folder = DataFolder(config.data_dir, config.reserve_mb * 1_000_000)
    data_folder.open()
    storage = DiskStorage(data_folder.files)
    signer = Signer(load_secret(config.data_dir, config.secret_key))
    database = Database(config.database)
    checked = require_sound(database.path, has_files=any(storage.list()))
    migrate(config.database)
    if not checked:
        threading.Thread(target=look_for_damage, args=(database,), name="look-for-damage", daemon=True).start()
    clock = SteadyClock()
    store = Store(database, clock, config.workers)
    clock.not_before(store.newest_time())
    presenter = Serializer(signer, config.base_url + config.root_path)
    hub = Hub(presenter.event_bytes, presenter.public_event_bytes)
    database.listen(hub.publish)
    engines = _engines(config)
    queue = EmbeddedQueue(store, lease_seconds=config.lease_seconds, max_attempts=config.max_attempts)
    workers = WorkerPool(
        store,
        queue,
        storage,
        data_folder,
        references_by_id(config.engines),
        WorkerSettings(config.workers, config.lease_seconds, config.stall_seconds),
    )
    return Parts(config, store, hub, storage, data_folder, signer, presenter, engines, queue, workers)


def _engines(config: AppConfig) -> Mapping[str, Engine]:
    engines = load_engines(config.engines)
    if config.engine and config.engine not in engines:
        raise ConfigError("VIDEOGEN_ENGINE", f"one of {', '.join(engines)} (from VIDEOGEN_ENGINES)", config.engine)
    return engines


def create_app(config: AppConfig, *, page: bool = True) -> FastAPI:
    """Build the whole app: API, media, health, and with `page` the Gradio page at `/`.

    Raises:
        StartError: see `build_parts`.
    """
    lock = DataLock.take(config.data_dir)
    parts = build_parts(config)
    service = Service(parts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.hub.open()
        service.uploads.begin()
        parts.workers.start()
        try:
            yield
        finally:
            parts.hub.close()
            parts.workers.stop()
            parts.store.database.close()
            lock.close()

    app = FastAPI(
        title="videogen",
        version=__version__,
        summary="A video generation app whose work cannot be lost.",
        description=_ABOUT,
        lifespan=lifespan,
    )
    _with_edges(app, service, parts)
    whole = _with_page(app, parts) if page else app
    # Added last, so that it comes first: what follows may believe scheme, host and client.
    whole.add_middleware(TrustedProxy, trusted=config.trusted_proxies, root_path=config.root_path)
    return whole


def _with_edges(app: FastAPI, service: Service, parts: Parts) -> None:
    config, store, storage = parts.config, parts.store, parts.storage
    app.state.service, app.state.parts, app.state.address = service, parts, ""
    app.state.public, app.state.shares = PublicUrl(config), Shares(store, parts.hub, storage)
    app.state.transfers = Transfers(store, parts.signer)
    app.state.exports = exports = Exports(store, storage)
    trash = Trash(store, config.trash_minutes * 60, parts.workers.check_trash)
    app.state.desk = bulk.Desk(trash, Zips(store, exports), config.base_url + config.root_path)
    app.state.imports = ImportService(
        store, storage, config.data_dir / "imports", round(config.max_import_mb * 1_000_000)
    )
    problems.install(app)
    app.include_router(bulk.zips)
    # Its paths are more exact than those of `generations`, and come first.
    for edge in (
        bulk,
        generations,
        engine_routes,
        files,
        events,
        shares,
        share_routes,
        sessions,
        portability,
        media,
        health,
    ):
        app.include_router(edge.router)
    app.add_middleware(SessionCookie, service=lambda: service)


def _with_page(app: FastAPI, parts: Parts) -> FastAPI:
    # Gradio takes seconds to import: whatever can go wrong before it should have been told by now.
    from videogen.ui.form import Limits
    from videogen.ui.page import PageSettings, mount_page

    config = parts.config
    settings = PageSettings(
        api_url=lambda: config.api_url or app.state.address,
        secret=parts.signer.derive("browser-state"),
        engines=engine_infos(parts.engines, config),
        limits=Limits(
            max_pixels=config.max_pixels,
            max_seconds=config.max_seconds,
            max_prompt_chars=config.max_prompt_chars,
            max_upload_mb=config.max_upload_mb,
        ),
        root_path=config.root_path,
        api_is_elsewhere=bool(config.api_url),
        links_from_api=lambda: bool(config.api_url) or app.state.public.fixed is not None,
    )
    return mount_page(app, settings)


_ABOUT: Final = """
Make a session, submit a prompt, follow its events, fetch the video:

1. `POST /api/v1/sessions` gives a `token`; send it as `Authorization: Bearer <token>` from then on.
2. `POST /api/v1/generations` with `{"prompt": "ocean at sunset"}` gives a project with one generation.
3. `GET /api/v1/generations/{id}/events` tells its progress as server-sent events, and ends with `render_result`.
   Reconnect with `Last-Event-ID` and nothing is missed.
4. `videoUrl` is a signed link to the MP4; it answers `Range`.

Errors are `application/problem+json` with a stable `code`.
"""
