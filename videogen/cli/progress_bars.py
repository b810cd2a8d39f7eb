"""Progress bars on a terminal."""

from __future__ import annotations

from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from videogen.cli.wording import end_text, queued_text
from videogen.client import ConnectionChange, Watched
from videogen.schemas.events import RenderProgress


class ProgressBars:
    """One bar per generation, and lines of text above them."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        # No markup in text that users wrote.
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}", markup=False, style="dim"),
        )
        self._progress = Progress(*columns, console=self._console)
        self._tasks: dict[str, TaskID] = {}

    def message(self, text: str) -> None:
        """Write a line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def event(self, name: str, text: str, **values: Any) -> None:
        """Write the text above the bars."""
        self.message(text)

    def update(self, item: Watched) -> None:
        """Update the bar of the generation."""
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                self.message("Connection lost, trying again ...")
            return
        if item.generation_id not in self._tasks:
            self._progress.start()
            self._tasks[item.generation_id] = self._progress.add_task(item.generation_id, total=100.0, note="")
        note = _note(item) if isinstance(item, RenderProgress) else end_text(item)
        self._progress.update(self._tasks[item.generation_id], completed=item.progress, note=note)

    def close(self) -> None:
        """Stop the updates; the bars stay on the screen."""
        self._progress.stop()


def _note(event: RenderProgress) -> str:
    if event.status == "queued":
        return queued_text(event)
    eta = f", {event.eta_seconds:.0f} s left" if event.eta_seconds is not None else ""
    return f"{event.stage}{eta}"
