"""What a command says: bars on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import os
from typing import Any, Protocol, TextIO

from videogen.cli.wording import progress_text
from videogen.client import ConnectionChange, Watched
from videogen.schemas.base import Model
from videogen.schemas.events import RenderProgress


class Output(Protocol):
    """Where news goes. `say` is for people alone, `tell` is a named fact with values, which JSON gets whole."""

    def say(self, text: str) -> None:
        """Tell a person something."""

    def tell(self, event: str, text: str, **values: Any) -> None:
        """Tell a fact: `text` for a person, the rest for a program."""

    def watched(self, item: Watched) -> None:
        """Show what a watch yields."""

    def close(self) -> None:
        """Leave the screen as it should stay."""


def open_output(stream: TextIO, *, as_json: bool) -> Output:
    """The output that fits: `stream` is where people or programs read."""
    if as_json:
        return JsonLines(stream)
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        from videogen.cli.progress_bars import Bars

        return Bars(stream)
    return Lines(stream)


class Lines:
    """One line for each thing worth a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: dict[str, tuple[object, ...]] = {}

    def say(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def tell(self, event: str, text: str, **values: Any) -> None:
        """Write its text."""
        self.say(text)

    def watched(self, item: Watched) -> None:
        """Write what has changed: the stage, the place in the queue, every ten percent."""
        if isinstance(item, ConnectionChange):
            if item.state == "reconnecting":
                self.say(f"connection lost ({item.reason}), trying again")
            return
        if not isinstance(item, RenderProgress):
            return
        now = (item.stage, item.queue_position, int(item.progress // 10), item.attempt)
        if self._last.get(item.generation_id) != now:
            self._last[item.generation_id] = now
            self.say(f"{item.generation_id} {progress_text(item)}")

    def close(self) -> None:
        """Nothing is left to do."""


class JsonLines:
    """One JSON object per line, each with `event`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        """What is for people alone is not for programs."""

    def tell(self, event: str, text: str, **values: Any) -> None:
        """Write the object."""
        plain = {key: _plain(value) for key, value in values.items() if value is not None}
        self._stream.write(json.dumps({"event": event, **plain}, ensure_ascii=False) + "\n")
        self._stream.flush()

    def watched(self, item: Watched) -> None:
        """Write it as it came."""
        if isinstance(item, ConnectionChange):
            self.tell("connection", "", state=item.state, reason=item.reason or None)
        else:
            values = {"type": item.type, "id": item.id, **_plain(item)}
            self.tell(values.pop("type"), "", **values)

    def close(self) -> None:
        """Nothing is left to do."""


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Model) else value
