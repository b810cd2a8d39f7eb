"""The Gradio page: its parts, where they stand, and what leads to what."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import gradio as gr
from fastapi import FastAPI, Request

from videogen.client.calls import API
from videogen.client.policy import direct_transport
from videogen.core.security import new_token
from videogen.schemas.engines import EngineInfo
from videogen.ui import assets, form
from videogen.ui.actions import Actions
from videogen.ui.agents import Agents, mcp_is_installed
from videogen.ui.beside import PATH, passing_on
from videogen.ui.fields import Buttons, Fields, build_form
from videogen.ui.first_paint import FirstPaint, early_room
from videogen.ui.gradio_app import guard, no_search_for_matplotlib
from videogen.ui.pace import Pace
from videogen.ui.page_client import PageClient, VisitorHeaders
from videogen.ui.pages import Visit
from videogen.ui.sharing import Sharing
from videogen.ui.tabs import MAX_TABS, TabLimits, Tabs
from videogen.ui.texts import TITLE
from videogen.ui.theme import theme
from videogen.ui.uploads import Uploads, upload_routes
from videogen.ui.views import View, packed
from videogen.ui.watcher import Watcher

STORAGE_KEY: Final = "videogen-session"
# No handler is an endpoint of its own: programs use the HTTP API, and agents the tools in `agents`.
QUIET: Final[dict[str, Any]] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_limit": None,
    # Values pass as they are: Gradio's own steps would cost a thread for each, and the API checks what it gets.
    "preprocess": False,
    "postprocess": False,
}
SHORT: Final[dict[str, Any]] = {"queue": False, **QUIET}
# A click brings the session that the page knows; Gradio's own copy is empty until it has read the browser's storage.
CLICK: Final[dict[str, Any]] = {"js": "videogen.session.ofClick", **SHORT}
# Runs in the browser alone.
LOCAL: Final[dict[str, Any]] = {"fn": None, "trigger_mode": "multiple", **SHORT}


@dataclass(frozen=True, slots=True)
class Carriers:
    """Invisible parts that carry state from here to the scripts, and clicks back."""

    room: gr.HTML
    outcome: gr.HTML
    browser: gr.BrowserState


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the page must know of the app around it."""

    api_url: str | Callable[[], str]
    """Where the API is, without `/api/v1`; a callable is asked at the first visit."""
    engines: Sequence[EngineInfo]
    """What the form offers."""
    limits: form.Limits = field(default_factory=form.Limits)
    api_is_elsewhere: bool = False
    """Whether a browser finds another API than this one below the page's own address, or none."""
    root_path: str = ""
    """The path under which a proxy shows the app."""
    upload_folder: Path = field(default_factory=lambda: Path(gettempdir(), "videogen-uploads"))
    """Where chosen images lie for a few minutes; a folder for them alone."""
    count_upload: Callable[[Request], None] = lambda _request: None
    """Counts an uploaded image for its visitor. Raises LimitExceededError."""
    new_token: Callable[[], str] = new_token
    """Makes a signed token for a visitor who has none."""
    tabs: TabLimits = field(default_factory=TabLimits)
    visitor_headers: VisitorHeaders = lambda _address: {}
    """Makes the headers with which the page names its visitor to the API, from the address."""
    links_from_api: Callable[[], bool] = lambda: True
    """Whether the API knows the public address of shared links; where it does not, the browser does."""


def mount_page(app: FastAPI, settings: PageSettings, path: str = "/") -> Callable[[str], None]:
    """Put the page into the app. It connects to nothing until somebody opens it.

    Returns:
        a function to call once before the first visit, with the secret with which the page seals what it stores in a
        browser; the secret must stay the same over restarts. It also removes what is left of an earlier run.
    """
    if os.environ.get("VIDEOGEN_PAGE") == "python":  # the new page, until it takes this one's place
        from videogen.ui.mount import mount_page as mount

        return mount(app, settings, path)
    no_search_for_matplotlib()
    max_bytes = int(settings.limits.max_upload_mb * 1_000_000)
    uploads = Uploads(settings.upload_folder, max_bytes, settings.count_upload)
    client = _own_client(settings)
    app.include_router(early_room(client))
    app.include_router(upload_routes(uploads))
    if settings.api_is_elsewhere:
        app.include_router(passing_on(client))
    api = (PATH if settings.api_is_elsewhere else API).removeprefix("/")
    head = partial(assets.head, _forms(settings), api=api)
    app.add_middleware(FirstPaint, head=head, shell=assets.shell)
    tabs = Tabs(settings.tabs)
    page = build_page(settings, client, tabs)
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


def _own_client(settings: PageSettings) -> PageClient:
    """The page's client. In the same process no proxy is between them, and browsers know the address of the links."""
    transport = None if settings.api_is_elsewhere else direct_transport()
    return PageClient(settings.api_url, settings.visitor_headers, transport)


def _start(page: gr.Blocks, uploads: Uploads, secret: str) -> None:
    uploads.clear()
    for block in page.blocks.values():
        if isinstance(block, gr.BrowserState):
            block.secret = secret
    page.config = page.get_config_file()


def build_page(settings: PageSettings, client: PageClient, tabs: Tabs) -> gr.Blocks:
    """Build the page's parts, and what leads to what."""
    forms = _forms(settings)
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        carriers = _carriers()
        _place("masthead")
        with gr.Row(elem_classes="vg-room"):
            with gr.Column(elem_id="set"):
                video = _stage()
                _place("job")
            with gr.Column(elem_id="desk"):
                fields, buttons = build_form(forms, settings.limits)
                _place("active")
        _place("presets")
        _place("history")
        _place("shared")
        _place("take")
        _place("help")
        _place("compare")
        _wire_form(page, fields, buttons, carriers)
        _wire_actions(Actions(client, tabs.pages, forms), fields, buttons, carriers)
        _wire_sharing(Sharing(client, tabs.pages, settings.links_from_api), carriers)
        _wire_player(video, carriers)
        _wire_watcher(page, carriers, (client, tabs, Pace()), settings.new_token)
        if mcp_is_installed():
            Agents(client).offer()
    # Gradio runs this many events at once and lets all others wait; each open page is one that never ends.
    # Said as its own `launch` says it: `queue()` would build all of Gradio's routes once more.
    page.max_threads = page._queue.max_thread_count = MAX_TABS
    # Or a call would start a watcher beside the queue.
    page.api_open = False
    # It would count every event that has ended, again at each end.
    page._queue.ANALYTICS_MAX_EVENTS = 0
    tabs.serve(page)
    return page


def _forms(settings: PageSettings) -> list[form.EngineForm]:
    """The default engine first."""
    ordered = sorted(settings.engines, key=lambda engine: not engine.default)
    return [form.engine_form(engine, settings.limits) for engine in ordered]


def _carriers() -> Carriers:
    def carrier(name: str) -> gr.HTML:
        script = assets.read(f"js/mount/{name}.js")
        return gr.HTML(None, html_template=" ", js_on_load=script, visible="hidden", elem_id=f"{name}-carrier")

    browser = gr.BrowserState(None, storage_key=STORAGE_KEY)
    return Carriers(carrier("room"), carrier("outcome"), browser)


def _place(name: str) -> gr.HTML:
    """Where a part of the shell moves in, once Gradio has started."""
    script = assets.read("js/mount/place.js").replace("@@name@@", name)
    return gr.HTML(None, html_template=" ", js_on_load=script, apply_default_css=False)


def _stage() -> gr.Video:
    with gr.Column(elem_id="screen"):
        _place("stage")
        return gr.Video(
            elem_id="result-video",
            show_label=False,
            container=False,
            interactive=False,
            autoplay=True,
            loop=True,
            buttons=[],
        )


def _wire_form(page: gr.Blocks, fields: Fields, buttons: Buttons, carriers: Carriers) -> None:
    """What happens in the browser alone: the draft, the dice, the engine's own choices."""
    every = fields.all()
    save = {"inputs": every, "js": "videogen.draft.save", **LOCAL}
    page.load(outputs=every, js="videogen.draft.restore", **LOCAL).then(js="videogen.draft.settled", **LOCAL)
    gr.on([one.input for one in every if one is not fields.engine], **save)
    carriers.room.draft(**save)
    fields.engine.input(inputs=every, outputs=every, js="videogen.engines.switched", **LOCAL).then(**save)
    buttons.dice.click(outputs=fields.seed, js="videogen.draft.roll", **LOCAL).then(**save)
    carriers.room.use(outputs=every, js="videogen.draft.use", **LOCAL).then(**save)


def _wire_player(video: gr.Video, carriers: Carriers) -> None:
    """The player and the browser's own storage take their values from the room, without asking the server.

    Gradio's server would download a video that it is given by address; the browser plays it as it is.
    """
    carriers.room.play(outputs=video, js="videogen.player.value", **LOCAL)
    carriers.room.keep(outputs=carriers.browser, js="videogen.session.value", **LOCAL)


def _wire_actions(actions: Actions, fields: Fields, buttons: Buttons, carriers: Carriers) -> None:
    """What goes to the server: short calls, whose effects come back through the watcher."""
    room, browser, outcome = carriers.room, carriers.browser, carriers.outcome
    form_and_session = [*fields.all(), browser]
    buttons.generate.click(actions.generate, form_and_session, outcome, js="videogen.draft.submit", **SHORT)
    room.choose(actions.choose, browser, outcome, trigger_mode="always_last", **CLICK)
    room.cancel(actions.cancel, browser, outcome, trigger_mode="multiple", **CLICK)
    room.again(actions.again, browser, outcome, trigger_mode="multiple", **CLICK)
    room.run(actions.generate, form_and_session, outcome, js="videogen.draft.run", **SHORT)
    room.move(actions.move, browser, outcome, trigger_mode="multiple", **CLICK)
    room.away(actions.away, browser, outcome, **CLICK)
    room.retry(actions.retry, browser, outcome, **CLICK)
    room.gone(actions.gone, browser, outcome, trigger_mode="multiple", **CLICK)
    room.transfer(actions.transfer, browser, outcome, **CLICK)
    room.revoke(actions.revoke, browser, outcome, **CLICK)


def _wire_sharing(sharing: Sharing, carriers: Carriers) -> None:
    """What goes to the server about public links; the answer always tells all of them."""
    room, browser, outcome = carriers.room, carriers.browser, carriers.outcome
    room.publish(sharing.share, browser, outcome, trigger_mode="multiple", **CLICK)
    room.unpublish(sharing.unshare, browser, outcome, trigger_mode="multiple", **CLICK)
    room.links(sharing.shares, browser, outcome, trigger_mode="always_last", **CLICK)


def _wire_watcher(
    page: gr.Blocks, carriers: Carriers, parts: tuple[PageClient, Tabs, Pace], new_token: Callable[[], str]
) -> None:
    """The page's one endless handler: it starts with the page and ends with it."""
    client, tabs, pace = parts

    async def watch(browser: Any, request: gr.Request) -> AsyncGenerator[View, None]:
        name = str(request.session_hash)
        if not await tabs.started(name):
            return
        watcher = Watcher(client.of(request), tabs.pages, pace, name, new_token)
        async with aclosing(watcher.frames(Visit.read(browser, request.cookies, request.headers))) as frames:
            async for frame in frames:
                yield packed(frame)
                await tabs.taken(name)

    page.load(watch, carriers.browser, carriers.room, js="videogen.arrive", **QUIET)
