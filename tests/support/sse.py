"""Server-sent events, read to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Frame:
    """One event as it was sent."""

    id: int
    event: str
    data: dict[str, Any]

    @property
    def terminal(self) -> bool:
        return self.event != "render_progress"


class Stream:
    """Iterates the frames of an open response, and keeps what stands beside them."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.retry: int | None = None
        self.comments: list[str] = []
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def __next__(self) -> Frame:
        return next(self._frames)

    def until(self, wanted: Any) -> Frame:
        """The next frame for which `wanted(frame)` holds."""
        for frame in self._frames:
            if wanted(frame):
                return frame
        raise AssertionError("the stream ended before the event that was waited for")

    def _read(self) -> Iterator[Frame]:
        fields: dict[str, str] = {}
        for line in self._lines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if "data" in fields:
                    # It is sent to whoever is there, and never again.
                    number = 0 if fields["event"] == "retention" else int(fields["id"])
                    yield Frame(number, fields["event"], json.loads(fields["data"]))
                fields = {}
            elif not name:
                self.comments.append(value)
            elif name == "retry":
                self.retry = int(value)
            else:
                assert name in ("id", "event", "data"), f"unknown field {line!r}"
                assert name not in fields, f"two {name} lines in one event"
                fields[name] = value
        assert not fields, f"the stream was cut in the middle of an event: {fields}"

    def _lines(self) -> Iterator[str]:
        # Not `iter_lines`, which also splits at what is no line end in an event stream, such as U+2028.
        rest = b""
        for chunk in self.response.iter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)
        assert not rest, f"the stream was cut in the middle of a line: {rest!r}"


def parse(chunks: bytes) -> list[Frame]:
    """The frames in these bytes."""
    return list(Stream(httpx.Response(200, content=chunks)))
