"""Parts of the page that are markup alone."""

from __future__ import annotations

from typing import Any

import gradio as gr

from videogen.ui import assets


def place(name: str) -> gr.HTML:
    """Where a part of the shell moves in, once Gradio has started."""
    script = assets.read("js/mount/place.js").replace("@@name@@", name)
    return gr.HTML(None, html_template=" ", js_on_load=script, apply_default_css=False)


def static(name: str, **options: Any) -> gr.HTML:
    """A file of `assets/html`, as it stands; the scripts find what is in it by id."""
    return gr.HTML(assets.read(f"html/{name}.html"), js_on_load=None, apply_default_css=False, **options)
