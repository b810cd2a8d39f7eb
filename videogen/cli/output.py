"""The output of a command: progress bars on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import os
from typing import Any, TextIO

from videogen.client import ConnectionChange, Watched
from videogen.core.streams import takes_any_letter
from videogen.schemas.base import Model
from videogen.schemas.events import RenderError, RenderProgress
from videogen.schemas.status import ENGINE_UNAVAILABLE


class Output:
    """Where a command reports. `message` is for people; `event` has a name and values, for programs too."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def message(self, text: str) -> None:
        """Show a text. JSON output leaves it out."""

    def event(self, name: str, text: str, **values: Any) -> None:
        """Report an event: `text` for people, the name and the values as JSON."""
        self.message(text)

    def update(self, item: Watched) -> None:
        """Show an item of a watch."""

    def close(self) -> None:
        """Finish the output."""


def open_output(stream: TextIO, *, as_json: bool) -> Output:
    """The output for `stream`."""
    if as_json:
        return JsonLines(stream)
    return ProgressBars(stream) if stream.isatty() and os.environ.get("TERM") != "dumb" else TextLines(stream)


class TextLines(Output):
    """A line of text for each event."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._written: dict[str, tuple[object, ...]] = {}

    def message(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def update(self, item: Watched) -> None:
        """Write a line when the stage, the queue position, the attempt or the tens of the percentage change."""
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                self.message(f"connection lost ({item.reason}), trying again")
        elif isinstance(item, RenderProgress):
            state = (item.stage, item.queue_position, int(item.progress // 10), item.attempt)
            if self._written.get(item.generation_id) != state:
                self._written[item.generation_id] = state
                steps = f" {item.step}/{item.total_steps}" if item.total_steps else ""
                about = "about " if item.estimated else ""
                # Nothing yet is no percentage: many services count nothing before the end.
                percent = f"{about}{item.progress:.0f} % " if item.progress and item.status != "queued" else ""
                self.message(f"{item.generation_id} {percent}{_state(item, steps)}")


class JsonLines(Output):
    """One JSON object per line, each with `event`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._escapes = not takes_any_letter(stream)

    def event(self, name: str, text: str, **values: Any) -> None:
        """Write an object."""
        fields = {key: _json_value(value) for key, value in values.items() if value is not None}
        self._stream.write(json.dumps({"event": name, **fields}, ensure_ascii=self._escapes) + "\n")
        self._stream.flush()

    def update(self, item: Watched) -> None:
        """Write an object for each item."""
        if isinstance(item, ConnectionChange):
            self.event("connection", "", state=item.state, reason=item.reason or None)
        else:
            values = {"type": item.type, "id": item.id, **_json_value(item)}
            self.event(values.pop("type"), "", **values)


class ProgressBars(Output):
    """One bar per generation, and lines of text above them."""

    def __init__(self, stream: TextIO) -> None:
        # Imported here: it is slow, and only a terminal needs it.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

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

    def update(self, item: Watched) -> None:
        """Update the bar of the generation."""
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                self.message("Connection lost, trying again ...")
            return
        if item.generation_id not in self._tasks:
            self._progress.start()
            self._tasks[item.generation_id] = self._progress.add_task(item.generation_id, total=100.0, note="")
        if isinstance(item, RenderProgress):
            note = ("estimated, " if item.estimated else "") + _state(item)
        elif isinstance(item, RenderError):
            note = f"{item.status}: {item.message}"
        else:
            note = f"completed, {item.width}x{item.height}"
        self._progress.update(self._tasks[item.generation_id], completed=item.progress, note=note)

    def close(self) -> None:
        """Stop the updates; the bars stay on the screen."""
        self._progress.stop()


def _state(event: RenderProgress, steps: str = "") -> str:
    """The stage with the expected end; for a queued generation the position, the expected start and end."""
    eta = event.eta_seconds
    if event.status != "queued":
        # A service's own queue is in the message only.
        message = f": {event.message}" if event.message and event.stage == "waiting" else ""
        return f"{event.stage}{steps}{message}" + (f", {eta:.0f} s left" if eta is not None else "")
    if event.stage == ENGINE_UNAVAILABLE:
        return f"waits, its engine is not available: {event.message}"
    position = f", place {event.queue_position}" if event.queue_position else ""
    wait = f", starts in {event.expected_wait_seconds:.0f} s" if event.expected_wait_seconds is not None else ""
    state = "paused" if event.stage == "paused" else "queued"
    return f"{state}{position}{wait}" + (f", done in {eta:.0f} s" if eta is not None else "")


def _json_value(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Model) else value
