"""Puts the page into the app, and builds it anew when the engines have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import gradio as gr
from fastapi import FastAPI, Request
from starlette.routing import Mount

from videogen.client.policy import direct_transport
from videogen.core.addresses import visitor_name
from videogen.core.errors import LoginRequiredError
from videogen.schemas.engines import EngineInfo
from videogen.ui.agents import mcp_is_installed
from videogen.ui.blocks import build_blocks, build_name
from videogen.ui.document import Document
from videogen.ui.gradio_app import guard, no_search_for_missing_modules
from videogen.ui.page_client import PageClient
from videogen.ui.settings import PageSettings
from videogen.ui.static_files import script_route
from videogen.ui.tabs import Tabs
from videogen.ui.theme import theme
from videogen.ui.uploads import Uploads, upload_routes


class MountedPage:
    """The page in an app. It connects to nothing until somebody opens it."""

    def __init__(self, app: FastAPI, settings: PageSettings, path: str = "/") -> None:
        """Put it into the app, below a path."""
        no_search_for_missing_modules()
        max_bytes = int(settings.limits.max_upload_mb * 1_000_000)
        self._settings, self._path = settings, path
        self._uploads = Uploads(settings.upload_folder, max_bytes, self._admit_upload)
        # In the same process no proxy is between the page and the API.
        transport = None if settings.api_is_elsewhere else direct_transport()
        self._client = PageClient(settings.api_url, settings.visitor_headers, transport)
        self._secret = ""
        app.include_router(upload_routes(self._uploads))
        app.include_router(script_route())
        app.add_middleware(Document, client=self._client, site=lambda: self._site)
        self._page = self._build(app)
        self._mount = _newest_mount(app)

    def start(self, secret: str) -> None:
        """Call this once before the first visit. It also removes what is left of an earlier run.

        Args:
            secret: the page seals with it what it stores in a browser; it must stay the same over restarts.
        """
        self._secret = secret
        self._uploads.clear()
        _finish(self._page, self._settings, secret)

    async def replace(self, engines: Sequence[EngineInfo], stack: AsyncExitStack) -> None:
        """Build the page with these engines, and serve it instead. Open pages then load themselves again.

        Args:
            engines: what the form offers from now on.
            stack: ends what the page runs, in the task that calls this.
        """
        self._settings = replace(self._settings, engines=engines)
        before, whole = self._tabs, FastAPI()
        # It takes a second, in which the other pages must go on.
        self._page = await asyncio.to_thread(self._build, whole)
        _finish(self._page, self._settings, self._secret)
        await stack.enter_async_context(whole.router.lifespan_context(whole))
        self._mount.app = _newest_mount(whole).app
        before.end_all()

    def end_tabs(self) -> None:
        """End the streams of all open pages: the server stops, and the browsers look for it again."""
        self._tabs.end_all()

    def _admit_upload(self, request: Request) -> None:
        """Count an upload. In a frame it may come without a cookie: its address is as much as can be asked."""
        address = visitor_name(request.client.host if request.client else "")
        if self._settings.requires_login and not self._tabs.serves(address):
            raise LoginRequiredError
        self._settings.count_upload(request)

    def _build(self, app: FastAPI) -> gr.Blocks:
        settings, self._tabs = self._settings, Tabs(self._settings.tabs)
        self._site = settings.site
        page = build_blocks(settings, self._client, self._tabs, self._uploads)
        gr.mount_gradio_app(
            app,
            page,
            self._path,
            root_path=settings.root_path or None,
            theme=theme(),
            footer_links=[],
            # The page has a history of its own, which lives on the server.
            run_history=False,
            show_error=False,
            ssr_mode=False,
            mcp_server=mcp_is_installed(),
            pwa=False,
        )
        guard(app, page, self._tabs)
        return page


def _newest_mount(app: FastAPI) -> Mount:
    mount = app.router.routes[-1]
    assert isinstance(mount, Mount)
    return mount


def _finish(page: gr.Blocks, settings: PageSettings, secret: str) -> None:
    for block in page.blocks.values():
        if isinstance(block, gr.BrowserState):
            block.secret = secret
    # The document names its build: if the first watcher that it gets is of another one, it loads itself again.
    page.config = {**page.get_config_file(), "build": build_name(settings)}  # type: ignore[typeddict-unknown-key]
    _shorten(page)


def _shorten(page: gr.Blocks) -> None:
    """Each document has the configuration: what describes private handlers to programs is left out of it."""
    public = [handler for handler in page.fns.values() if handler.api_visibility != "private"]
    described = {block._id for handler in public for block in (*handler.inputs, *handler.outputs)}
    for component in page.config["components"]:
        if component["id"] not in described:
            for name in ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs"):
                component.pop(name, None)
