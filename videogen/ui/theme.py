"""What Gradio needs to know of the look before the page's own style sheet is there."""

from __future__ import annotations

from typing import Final

import gradio as gr

# System fonts only: the page must look right without the internet.
SANS: Final = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with the page's own first colours; everything else is in `assets/css`."""
    return gr.themes.Base(font=SANS, font_mono=MONO).set(
        body_background_fill="#f5f2ec",
        body_background_fill_dark="#100e0c",
        body_text_color="#1d1a16",
        body_text_color_dark="#f1ebe1",
    )
