"""What a command says: bars on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import os
from typing import Any, Protocol, TextIO

from videogen.client import ConnectionChange, Watched
from videogen.schemas.base import Model
from videogen.schemas.events import RenderError, RenderProgress, RenderResult


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
        from videogen.cli.bars import Bars

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


def progress_text(event: RenderProgress) -> str:
    """Where a generation is, in words."""
    if event.status == "queued":
        return queued_text(event)
    steps = f" {event.step}/{event.total_steps}" if event.total_steps else ""
    eta = f", {event.eta_seconds:.0f} s left" if event.eta_seconds is not None else ""
    return f"{event.progress:.0f} % {event.stage}{steps}{eta}"


def queued_text(event: RenderProgress) -> str:
    """Where it stands in line, and when it should begin and end, where that is known."""
    place = f", place {event.queue_position}" if event.queue_position else ""
    wait = f", starts in {event.expected_wait_seconds:.0f} s" if event.expected_wait_seconds is not None else ""
    end = f", done in {event.eta_seconds:.0f} s" if event.eta_seconds is not None else ""
    return f"queued{place}{wait}{end}"


def end_text(event: RenderResult | RenderError) -> str:
    """How it ended, in words."""
    if isinstance(event, RenderError):
        return f"{event.status}: {event.message}"
    return f"completed, {event.width}x{event.height}"


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Model) else value
