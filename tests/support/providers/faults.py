"""What can go wrong at a provider, as switches that its stand-in and a test share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.responses import HTMLResponse, JSONResponse, Response


@dataclass(frozen=True)
class Refusal:
    """An answer with an error status, in place of the usual one. `times` is how often it is given."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass
class Faults:
    """The switches. All are off at first."""

    on_submit: Refusal | None = None
    """Answers to POST, before a job is made."""
    on_poll: Refusal | None = None
    """Answers to GET of a job."""
    on_result: Refusal | None = None
    """Answers to GET of a file."""
    silent_seconds: float = 0.0
    """Make a job, and then do not answer the POST for so long."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Other names for a status, by the usual one."""
    stands_still: bool = False
    """Progress stays at 0."""
    failure: str = ""
    """The model fails with this message."""
    result: Literal["whole", "truncated", "html"] = "whole"
    forgets: bool = False
    """No job is known any more, as after a restart of the server."""
    held: threading.Event = field(default_factory=threading.Event)
    """While it is set, no job gets to its end."""
    given: dict[str, int] = field(default_factory=dict)
    """How often each of the first three was given."""

    def refusal(self, kind: Literal["on_submit", "on_poll", "on_result"]) -> Response | None:
        """The refusal that is due, if any."""
        refusal: Refusal | None = getattr(self, kind)
        if refusal is None or self.given.get(kind, 0) >= refusal.times:
            return None
        self.given[kind] = self.given.get(kind, 0) + 1
        return JSONResponse(refusal.body, refusal.status, dict(refusal.headers))

    def file(self, video: bytes) -> Response:
        """The result, or what comes in its place."""
        if self.result == "html":
            return HTMLResponse("<html><title>Sign in</title><body>Please sign in.</body></html>")
        whole = self.result == "whole"
        return Response(video if whole else video[: len(video) // 2], media_type="video/mp4")

    async def be_silent(self) -> None:
        """Wait as long as `silent_seconds` says."""
        if self.silent_seconds:
            await asyncio.sleep(self.silent_seconds)
