"""Parts of the page that are markup alone."""

from __future__ import annotations

from typing import Any

import gradio as gr

from videogen.ui import assets


def static(name: str, **options: Any) -> gr.HTML:
    """A file of `assets/html`, as it stands; the scripts find what is in it by id."""
    return gr.HTML(assets.read(f"html/{name}.html"), js_on_load=None, apply_default_css=False, **options)
