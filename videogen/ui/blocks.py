"""The page: where its parts stand, and which event leads to what."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Any, Final

import gradio as gr
import orjson

from videogen.core.version import __version__
from videogen.ui.agents import Agents, mcp_is_installed
from videogen.ui.events import Events
from videogen.ui.file_events import FITTED, PLAIN, FileEvents, upload_button
from videogen.ui.form import EngineForm
from videogen.ui.form_fields import MAX_LINES, FormFields, build_form, engine_updates
from videogen.ui.pace import Pace
from videogen.ui.page_client import PageClient
from videogen.ui.pages import Visit
from videogen.ui.panels import PANELS, panel_mark
from videogen.ui.settings import PageSettings
from videogen.ui.static_files import head, read
from videogen.ui.tabs import MAX_TABS, Tabs
from videogen.ui.texts import TITLE, mark
from videogen.ui.uploads import Uploads
from videogen.ui.watch import Frame, Watch, Watched

STORAGE_KEY: Final = "videogen-session"
# No handler is an endpoint of its own: programs use the HTTP API, and agents the tools in `agents`.
QUIET: Final[dict[str, Any]] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
# Values pass as they are: Gradio's own steps would cost a thread for each, and the API checks what it gets.
RAW: Final[dict[str, Any]] = {**QUIET, "preprocess": False, "postprocess": False}
SHORT: Final[dict[str, Any]] = {**RAW, "queue": False, "trigger_mode": "multiple"}
# Runs in the browser alone.
LOCAL: Final[dict[str, Any]] = {"fn": None, **SHORT}


class Parts:
    """The components that events read and write."""

    def __init__(self) -> None:
        self.panels: dict[str, gr.HTML] = {}
        self.session = gr.BrowserState(None, storage_key=STORAGE_KEY)
        self.bridge = gr.HTML(None, html_template=" ", js_on_load=read("bridge.js"), visible="hidden")
        self.file: gr.UploadButton
        self.file_given = gr.JSON(visible="hidden")
        self.search: gr.Textbox

    def panel(self, name: str) -> gr.HTML:
        """Put a panel here."""
        self.panels[name] = gr.HTML(
            panel_mark(name), elem_id=f"{name}-panel", apply_default_css=False, js_on_load=None, padding=False
        )
        return self.panels[name]


def build_blocks(settings: PageSettings, client: PageClient, tabs: Tabs, uploads: Uploads) -> gr.Blocks:
    """Build the page."""
    site = settings.site
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        parts = Parts()
        video, fields, generate, error = _lay_out(parts, site.engines, settings)
        events = Events(client, tabs.pages, fields, site)
        _wire_form(page, fields, generate, error, events, parts)
        _wire_files(fields, FileEvents(events, fields, uploads), parts)
        parts.bridge.act(events.act, parts.session, parts.search, **SHORT)
        filling = {**SHORT, "postprocess": True}
        form = [*fields.all(), parts.session]
        parts.bridge.fill(events.fill, form, fields.filled(), **filling)
        parts.bridge.explain(events.explain, form, **{**SHORT, "trigger_mode": "always_last"})
        parts.bridge.resend(events.resend, parts.session, error, **SHORT)
        typed = {**SHORT, "trigger_mode": "always_last"}
        parts.search.change(events.search, [parts.search, parts.session], **typed)
        page.load(outputs=parts.search, js="() => new URLSearchParams(location.search).get('q') ?? ''", **LOCAL)
        parts.bridge.keep(outputs=parts.session, js="() => ({ token: signals.session.token })", **LOCAL)
        _wire_watch(page, parts, video, client, Watched(tabs, Pace(), site, settings.new_token, build_name(settings)))
        if mcp_is_installed():
            Agents(client).offer()
    # Gradio runs this many events at once and lets all others wait; each open page is one that never ends.
    # Set as its own `launch` sets it: `queue()` would build all of Gradio's routes once more.
    page.max_threads = page._queue.max_thread_count = MAX_TABS
    # Or a call would start a watcher beside the queue.
    page.api_open = False
    # It would count every event that has ended, again at each end.
    page._queue.ANALYTICS_MAX_EVENTS = 0
    tabs.serve(page)
    return page


def build_name(settings: PageSettings) -> str:
    """Names what a document of this page consists of: an open one with another name is loaded anew."""
    engines = "".join(engine.model_dump_json() for engine in settings.engines)
    return sha256(f"{__version__}{head()}{engines}{settings.limits}".encode()).hexdigest()[:12]


def _lay_out(
    parts: Parts, engines: Sequence[EngineForm], settings: PageSettings
) -> tuple[gr.Video, FormFields, gr.Button, gr.HTML]:
    with gr.Row(elem_id="masthead"):
        parts.panel("masthead")
        parts.panel("link")
    parts.panel("notice")
    parts.panel("login")
    parts.panel("expiring")
    with gr.Row(elem_id="room"):
        with gr.Column(scale=7, elem_id="main"):
            video = _lay_out_stage(parts)
            parts.panel("presets")
        with gr.Column(scale=4, elem_id="desk", min_width=300):
            fields, generate, error = _lay_out_form(parts, engines, settings)
            parts.panel("queue")
    with gr.Column(elem_id="history-section"):
        parts.panel("filters")
        parts.search = gr.Textbox(
            label=mark("history.search_in"),
            placeholder=mark("history.search_in"),
            show_label=False,
            container=False,
            lines=1,
            max_lines=1,
            max_length=200,
            elem_id="history-search",
        )
        parts.panel("history")
        parts.panel("selection")
    parts.panel("devices")
    parts.panel("archive")
    parts.panel("keys")
    parts.panel("dialog")
    return video, fields, generate, error


def _lay_out_stage(parts: Parts) -> gr.Video:
    with gr.Column(elem_id="screen"):
        parts.panel("stage")
        video = gr.Video(
            elem_id="result-video",
            show_label=False,
            container=False,
            interactive=False,
            autoplay=True,
            loop=True,
            buttons=[],
        )
    with gr.Column(elem_id="job"):
        for name in ("job", "actions", "about"):
            parts.panel(name)
    return video


def _lay_out_form(
    parts: Parts, engines: Sequence[EngineForm], settings: PageSettings
) -> tuple[FormFields, gr.Button, gr.HTML]:
    prompt = gr.Textbox(
        label=mark("form.prompt"), placeholder=mark("form.prompt_hint"), lines=4, max_lines=10, elem_id="prompt"
    )
    parts.panel("prompt_count")
    per_line = gr.Checkbox(
        label=mark("form.per_line"), info=mark("form.per_line_hint", most=f"{MAX_LINES}"), elem_id="per-line"
    )
    generate = gr.Button(mark("form.generate"), variant="primary", elem_id="generate", size="lg")
    parts.panel("outbox")
    error = gr.HTML("", elem_id="form-error", apply_default_css=False, js_on_load=None)
    parts.panel("engine")
    parts.panel("understood")
    _lay_out_files(parts, settings.limits.max_upload_mb)
    fields = build_form(engines, settings.limits)
    fields.fields |= {"prompt": prompt, "per_line": per_line}
    return fields, generate, error


def _lay_out_files(parts: Parts, megabytes: float) -> None:
    with gr.Column(elem_id="files"):
        parts.file = upload_button()
        gr.HTML(
            mark("files.hint", megabytes=f"{megabytes:g}"),
            elem_id="file-hint",
            apply_default_css=False,
            js_on_load=None,
            padding=False,
        )
        parts.panel("image")


def _wire_form(
    page: gr.Blocks, fields: FormFields, generate: gr.Button, error: gr.HTML, events: Events, parts: Parts
) -> None:
    names, components = orjson.dumps(list(fields.fields)).decode(), fields.all()
    generate.click(
        events.generate,
        [*components, parts.session],
        error,
        js=f"(...values) => outbox.put({names}, values)",
        **SHORT,
    )
    # The browser keeps the form as it is left, and fills it in at the next visit.
    keep = f"(...values) => draft.keep({names}, values)"
    gr.on([one.change for one in components], inputs=components, js=keep, **LOCAL)
    page.load(inputs=components, outputs=components, js=keep.replace("keep", "restore"), **LOCAL)
    engine = fields.fields["engine"]
    changed = list(engine_updates(fields, None))
    engine.input(events.engine, [engine, parts.session], changed, **{**SHORT, "postprocess": True})


def _wire_files(fields: FormFields, events: FileEvents, parts: Parts) -> None:
    filling = {**SHORT, "postprocess": True}
    form = [*fields.all(), parts.session]
    inputs = [parts.file, parts.file_given, *form]
    parts.file.upload(events.given, inputs, [parts.file, *fields.filled()], js=PLAIN, **filling)
    put = {name: fields.fields[name] for name in FITTED}
    outputs = [put[name] for name in ("image_id", "last_id", "extend_id", "shape", "width", "height")]
    triggers = [one.input if name in ("width", "height") else one.change for name, one in put.items()]
    gr.on(triggers, events.fit, [*put.values(), parts.session], outputs, **filling)


def _wire_watch(page: gr.Blocks, parts: Parts, video: gr.Video, client: PageClient, watched: Watched) -> None:
    """The page's one endless event."""

    async def watch(visit: Any, request: gr.Request) -> AsyncGenerator[Frame, None]:
        name = str(request.session_hash)
        if not await watched.tabs.started(name):
            return
        search = visit.get("search") if isinstance(visit, dict) else None
        presets = visit.get("presets") if isinstance(visit, dict) else None
        search = search if isinstance(search, str) else ""
        watch = Watch(watched, client.of(request), name, search=search, presets=presets)
        async with aclosing(watch.frames(Visit.read(visit, request.cookies, request.headers))) as frames:
            async for frame in frames:
                yield frame
                await watched.tabs.taken(name)

    outputs = [*(parts.panels[panel.name] for panel in PANELS), video, parts.bridge]
    # It starts with the page; and again after a break, and where it was paused.
    for start in (page.load, parts.bridge.connect):
        start(watch, parts.session, outputs, js=read("arrive.js"), trigger_mode="multiple", **RAW)
