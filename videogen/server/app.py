"""The ASGI application: puts the HTTP edges and the page around the services."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from pydantic.warnings import UnsupportedFieldAttributeWarning

from videogen.admin import routes as admin_routes
from videogen.api import (
    account,
    admin,
    devices,
    docs,
    events,
    exports,
    files,
    generations,
    health,
    media,
    metrics,
    portability,
    queue,
    reports,
    retention,
    sessions,
    shares,
    webhooks,
)
from videogen.api import engines as engine_routes
from videogen.core.config import AppConfig
from videogen.core.errors import VideogenError
from videogen.core.json_log import JSON, log_as_json, log_as_json_if_set
from videogen.core.version import __version__
from videogen.engines.base import Engine
from videogen.login import routes as login_routes
from videogen.server.build import build_engines
from videogen.server.gradio_environment import gradio_environment
from videogen.server.lifespan import StartErrorInOneLine, run_parts, start_error
from videogen.server.reload import EngineReloader
from videogen.services import openid
from videogen.services.submission import engine_infos
from videogen.share import routes as share_routes
from videogen.web import problems
from videogen.web.body_limit import BodyLimit
from videogen.web.proxy_headers import TrustedProxy
from videogen.web.public_url import LocalUrlFromRequest, PublicUrl
from videogen.web.request_log import RequestLog
from videogen.web.security_headers import SecurityHeaders
from videogen.web.sessions import SessionCookie
from videogen.web.visitor import visitor, visitor_headers

if TYPE_CHECKING:
    from videogen.ui.page import MountedPage

START_FAILED: Final = 3
"""Exit status of a start that failed. Uvicorn's supervisor then stops too, instead of starting the worker again."""
_EDGES: Final = (
    *(generations, queue, engine_routes, files, events, exports, shares),
    *(
        retention,
        share_routes,
        sessions,
        account,
        login_routes,
        devices,
        webhooks,
        reports,
        portability,
        media,
        admin,
        admin_routes,
        health,
        metrics,
        docs,
    ),
)

# FastAPI silences this warning while it builds its fields; ours are built at their first use.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)
# It warns of forms that are malformed; whoever sent one gets the answer.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


def create_app(config: AppConfig | None = None, *, page: bool = True) -> FastAPI:
    """Build the app: API, media, health, and with `page` the Gradio page at `/`.

    It is an ASGI factory: the data folder is opened, and the workers started, when its lifespan begins.

    Args:
        config: the settings; None reads them from the environment, and exits with one line where they are wrong.
        page: whether to serve the page.

    Raises:
        StartError, ConfigError: an engine cannot be loaded.
    """
    if config is None:
        log_as_json_if_set()
        try:
            return create_app(AppConfig.from_env(), page=page)
        except VideogenError as error:
            print(start_error(error), file=sys.stderr)
            raise SystemExit(START_FAILED) from error
    if config.log_format == JSON:
        log_as_json()
    engines, public_url = build_engines(config), PublicUrl(config)
    app = _build_api()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with run_parts(app, config, engines, public_url, mounted.end_tabs if mounted else lambda: None) as parts:
            if mounted is not None:
                mounted.start(parts.signer.derive("browser-state"))
            async with EngineReloader(config, engines, parts.workers, mounted).running():
                yield

    app.router.lifespan_context = lifespan
    with gradio_environment() if page else nullcontext():
        mounted = _mount_page(app, config, engines, public_url) if page else None
    _add_middleware(app, config, public_url)
    return app


def _add_middleware(app: FastAPI, config: AppConfig, public_url: PublicUrl) -> None:
    app.add_middleware(LocalUrlFromRequest, public_url=public_url)
    app.add_middleware(BodyLimit, max_kb=config.max_body_kb)
    # All that is refused before it gets to a route has these headers too.
    app.add_middleware(SecurityHeaders, frame_ancestors=config.frame_ancestors, files_origin=config.files_origin)
    app.add_middleware(RequestLog, writes_lines=config.log_format == JSON)
    # Added last, so that it comes first: everything after it can trust scheme, host and client address.
    app.add_middleware(TrustedProxy, trusted=config.trusted_proxies, root_path=config.root_path)
    app.add_middleware(StartErrorInOneLine)


def _build_api() -> FastAPI:
    app = FastAPI(
        title="videogen",
        version=__version__,
        summary="A video generation app whose work cannot be lost.",
        description=_ABOUT,
        # `api.docs` has a page that asks no other host.
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for edge in _EDGES:
        app.include_router(edge.router)
    app.add_middleware(SessionCookie)
    return app


def _mount_page(app: FastAPI, config: AppConfig, engines: Mapping[str, Engine], public_url: PublicUrl) -> MountedPage:
    # Importing Gradio takes seconds.
    from videogen.ui.form import Limits
    from videogen.ui.page import MountedPage
    from videogen.ui.settings import PageSettings
    from videogen.ui.tabs import TabLimits

    settings = PageSettings(
        # A proxy may strip the root path, and this app takes both; where it is mounted into another, it must be there.
        api_url=lambda: config.api_url or public_url.local + config.root_path,
        engines=engine_infos(engines, config),
        limits=Limits(
            max_pixels=config.max_pixels,
            max_seconds=config.max_seconds,
            max_prompt_chars=config.max_prompt_chars,
            max_upload_mb=config.max_upload_mb,
        ),
        root_path=config.root_path,
        upload_folder=config.data_dir / "page-uploads",
        tabs=TabLimits(config.max_streams_per_session, config.max_streams_per_address),
        api_is_elsewhere=bool(config.api_url),
        # It is there from the start of the lifespan on.
        visitor_headers=partial(visitor_headers, app),
        count_upload=lambda request: app.state.videogen.services.rates.count("uploads", visitor(request)),
        new_token=lambda: app.state.videogen.services.sessions.new_token(),  # noqa: PLW0108
        keeps_data=config.keeps_data,
        recent_loss=lambda: "" if config.api_url else app.state.videogen.services.system.recent_loss(),
        links_from_api=lambda: bool(config.api_url) or public_url.fixed is not None,
        login=openid.title(config),
        requires_login=config.login_is_required,
    )
    return MountedPage(app, settings)


_ABOUT: Final = """
Make a session, submit a prompt, follow its events, fetch the video:

1. `POST /api/v1/sessions` gives a `token`; send it as `Authorization: Bearer <token>` from then on.
2. `POST /api/v1/generations` with `{"prompt": "ocean at sunset"}` gives a project with one generation.
3. `GET /api/v1/generations/{id}/events` sends its progress as server-sent events, and ends with `render_result`.
   Reconnect with `Last-Event-ID` and you miss nothing.
4. `videoUrl` is a signed link to the MP4; it supports `Range`.

Errors are `application/problem+json` with a stable `code`.
"""
