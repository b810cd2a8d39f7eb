"""Gradio's theme in the colours of the page."""

from __future__ import annotations

from typing import Final

import gradio as gr

# System fonts only: the page must look right without the internet.
SANS: Final = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono", "monospace")


_COLOURS: Final = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "soft",
    "background_fill_primary": "sheet",
    "background_fill_secondary": "well",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "color_accent_soft": "wash",
    "block_background_fill": "none",
    "block_border_color": "none",
    "block_info_text_color": "soft",
    "block_label_background_fill": "none",
    "block_label_text_color": "soft",
    "block_title_text_color": "soft",
    "accordion_text_color": "ink",
    "input_background_fill": "sheet",
    "input_background_fill_focus": "sheet",
    "input_border_color": "edge",
    "input_border_color_focus": "accent",
    "input_border_color_hover": "ink",
    "input_placeholder_color": "soft",
    "checkbox_background_color": "sheet",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "edge",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "none",
    "checkbox_label_background_fill_hover": "well",
    "checkbox_label_background_fill_selected": "ink",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "paper",
    "error_text_color": "bad",
    "error_background_fill": "wash",
    "error_border_color": "bad",
    "slider_color": "accent",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent-strong",
    "button_primary_border_color": "accent",
    "button_primary_text_color": "on-accent",
    "button_secondary_background_fill": "sheet",
    "button_secondary_background_fill_hover": "well",
    "button_secondary_border_color": "edge",
    "button_secondary_text_color": "ink",
}
"""Gradio's variables, and the colour of `static/base.css` that each takes."""


def theme() -> gr.themes.Base:
    """Gradio's plainest theme in the page's colours. They change with light and dark, so both have the same."""
    colours = {name: f"var(--{colour})" for name, colour in _COLOURS.items()}
    return gr.themes.Base(font=SANS, font_mono=MONO, radius_size="md").set(
        **colours,
        **{f"{name}_dark": colour for name, colour in colours.items()},
        block_border_width="0px",
        block_padding="0px",
        block_shadow="none",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        input_border_width="1px",
        input_shadow="none",
        input_shadow_focus="none",
        input_padding="10px 12px",
        checkbox_label_border_width="0px",
        checkbox_label_shadow="none",
        button_border_width="1px",
        button_large_radius="9px",
        button_transform_hover="none",
        button_transform_active="none",
        layout_gap="16px",
        form_gap_width="16px",
        loader_color="var(--accent)",
    )
