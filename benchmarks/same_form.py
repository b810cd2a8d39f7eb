"""The peer: a plain Gradio page with the components of the app's page, and nothing behind them."""

from __future__ import annotations

import gradio as gr
from fastapi import FastAPI

from benchmarks.bare_page import serve
from videogen.core.config import AppConfig
from videogen.server.build import build_engines
from videogen.services.submission import engine_infos
from videogen.ui.form import Limits, engine_form
from videogen.ui.form_fields import build_form
from videogen.ui.panels import PANELS


def build() -> gr.Blocks:
    """The same form, player and number of panels; its button does nothing."""
    config = AppConfig()
    forms = [engine_form(engine, Limits()) for engine in engine_infos(build_engines(config), config)]
    page = gr.Blocks(analytics_enabled=False)
    with page:
        for panel in PANELS:
            gr.HTML(panel.name)
        gr.Video()
        gr.Textbox(label="Prompt", elem_id="prompt")
        button = gr.Button("Generate", elem_id="generate")
        fields = build_form(forms, Limits())
        button.click(lambda *_: None, fields.all(), None)
    return page


if __name__ == "__main__":
    serve(gr.mount_gradio_app(FastAPI(), build(), "/"))
