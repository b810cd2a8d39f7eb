"""What is changed in Gradio's own app: the guards around it, and what it keeps of each tab."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import gradio as gr
from fastapi import FastAPI
from gradio.state_holder import SessionState, StateHolder
from starlette.routing import Mount

from videogen.ui.agents import mcp_is_installed
from videogen.ui.gradio_calls import GradioCalls
from videogen.ui.gradio_guard import GradioGuard
from videogen.ui.tab_guard import TabGuard
from videogen.ui.tabs import Tabs


def no_search_for_missing_modules() -> None:
    """Mark what is not installed, and looked for on the disk again and again: by Gradio for each frame, by httpcore for
    each call."""
    for name in ("matplotlib", "sniffio"):
        if name not in sys.modules and find_spec(name) is None:
            sys.modules[name] = None  # type: ignore[assignment]  # the import system's own word for "not here"


class _SharedState(StateHolder):
    """One state for all tabs: the page has no `gr.State`. One for each would take 100 kB and a millisecond."""

    def __getitem__(self, session_id: str) -> SessionState:
        return super().__getitem__("")

    def __contains__(self, session_id: str) -> bool:
        return "" in self.session_data


def guard(app: FastAPI, page: gr.Blocks, tabs: Tabs) -> None:
    """Put the guards around Gradio's own app, which was mounted last."""
    mounted = app.router.routes[-1]
    assert isinstance(mounted, Mount)
    assert isinstance(mounted.app, gr.routes.App)
    mounted.app.state_holder = _SharedState()  # type: ignore[no-untyped-call]
    mounted.app.state_holder.set_blocks(page)
    mounted.app = GradioGuard(GradioCalls(TabGuard(mounted.app, tabs), page), agents=mcp_is_installed())
