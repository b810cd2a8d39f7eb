"""Puts the page into the app."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gradio as gr
from fastapi import FastAPI

from videogen.client.policy import direct_transport
from videogen.ui.agents import mcp_is_installed
from videogen.ui.blocks import build_blocks
from videogen.ui.document import Document
from videogen.ui.form_fields import engine_forms
from videogen.ui.gradio_app import guard, no_search_for_missing_modules
from videogen.ui.page_client import PageClient
from videogen.ui.settings import PageSettings
from videogen.ui.static_files import script_route
from videogen.ui.tab import Site
from videogen.ui.tabs import Tabs
from videogen.ui.theme import theme
from videogen.ui.uploads import Uploads, upload_routes


def mount_page(app: FastAPI, settings: PageSettings, path: str = "/") -> Callable[[str], None]:
    """Put the page into the app. It connects to nothing until somebody opens it.

    Returns:
        a function to call once before the first visit, with the secret with which the page seals what it stores in a
        browser; the secret must stay the same over restarts. It also removes what is left of an earlier run.
    """
    no_search_for_missing_modules()
    max_bytes = int(settings.limits.max_upload_mb * 1_000_000)
    uploads = Uploads(settings.upload_folder, max_bytes, settings.count_upload)
    # In the same process no proxy is between the page and the API.
    transport = None if settings.api_is_elsewhere else direct_transport()
    client = PageClient(settings.api_url, settings.visitor_headers, transport)
    app.include_router(upload_routes(uploads))
    app.include_router(script_route())
    app.add_middleware(Document, client=client, site=Site(engine_forms(settings.engines, settings.limits)))
    tabs = Tabs(settings.tabs)
    page = build_blocks(settings, client, tabs, uploads)
    gr.mount_gradio_app(
        app,
        page,
        path,
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
    guard(app, page, tabs)
    return partial(_start, page, uploads)


def _start(page: gr.Blocks, uploads: Uploads, secret: str) -> None:
    uploads.clear()
    for block in page.blocks.values():
        if isinstance(block, gr.BrowserState):
            block.secret = secret
    page.config = page.get_config_file()
    _shorten(page)


def _shorten(page: gr.Blocks) -> None:
    """Each document has the configuration: what describes private handlers to programs is left out of it."""
    public = [handler for handler in page.fns.values() if handler.api_visibility != "private"]
    described = {block._id for handler in public for block in (*handler.inputs, *handler.outputs)}
    for component in page.config["components"]:
        if component["id"] not in described:
            for name in ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs"):
                component.pop(name, None)
