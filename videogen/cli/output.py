"""The output of a command: progress bars on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import os
from typing import Any, Protocol, TextIO

from videogen.cli.wording import progress_text
from videogen.client import ConnectionChange, Watched
from videogen.schemas.base import Model
from videogen.schemas.events import RenderProgress


class Output(Protocol):
    """Where a command reports. `message` is for people; `event` has a name and values, for programs too."""

    def message(self, text: str) -> None:
        """Show a text. JSON output leaves it out."""

    def event(self, name: str, text: str, **values: Any) -> None:
        """Report an event: `text` for people, the name and the values as JSON."""

    def update(self, item: Watched) -> None:
        """Show an item of a watch."""

    def close(self) -> None:
        """Finish the output."""


def open_output(stream: TextIO, *, as_json: bool) -> Output:
    """The output for `stream`."""
    if as_json:
        return JsonLines(stream)
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        from videogen.cli.progress_bars import ProgressBars

        return ProgressBars(stream)
    return TextLines(stream)


class TextLines:
    """A line of text for each event."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._written: dict[str, tuple[object, ...]] = {}

    def message(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def event(self, name: str, text: str, **values: Any) -> None:
        """Write the text."""
        self.message(text)

    def update(self, item: Watched) -> None:
        """Write a line when the stage, the queue position, the attempt or the tens of the percentage change."""
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                self.message(f"connection lost ({item.reason}), trying again")
            return
        if not isinstance(item, RenderProgress):
            return
        state = (item.stage, item.queue_position, int(item.progress // 10), item.attempt)
        if self._written.get(item.generation_id) != state:
            self._written[item.generation_id] = state
            self.message(f"{item.generation_id} {progress_text(item)}")

    def close(self) -> None:
        """Do nothing."""


class JsonLines:
    """One JSON object per line, each with `event`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def message(self, text: str) -> None:
        """Do nothing."""

    def event(self, name: str, text: str, **values: Any) -> None:
        """Write an object."""
        fields = {key: _json_value(value) for key, value in values.items() if value is not None}
        self._stream.write(json.dumps({"event": name, **fields}, ensure_ascii=False) + "\n")
        self._stream.flush()

    def update(self, item: Watched) -> None:
        """Write an object for each item."""
        if isinstance(item, ConnectionChange):
            self.event("connection", "", state=item.state, reason=item.reason or None)
        else:
            values = {"type": item.type, "id": item.id, **_json_value(item)}
            self.event(values.pop("type"), "", **values)

    def close(self) -> None:
        """Do nothing."""


def _json_value(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Model) else value
