"""A provider that does not exist, with a plain API of its own, for tests of what all remote engines share.

`POST /jobs {model, input, token}` makes a job, `GET /jobs/{id}` is its state, `GET /jobs?token=` finds it,
`/jobs/{id}/events` is its stream, `DELETE` stops it, and `GET /files/{id}.mp4` is its result. A job ends after two
looks at it, and two more for each second of its video, which has the size, length and rate that were asked for.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.providers.answers import Canned, Overrides, Truncated
from tests.support.providers.clips import clip
from tests.support.stand_in import StandIn
from videogen.engines.spec import EngineSpec


@dataclass
class StudioJob:
    """A job of the stand-in."""

    id: str
    body: dict[str, Any]
    """What came with the POST."""
    polls: int = 0
    is_cancelled: bool = False

    @property
    def total(self) -> int:
        return 2 + round(2 * self.input.get("seconds", 1))

    @property
    def input(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["input"]
        return found

    def video(self) -> bytes:
        given = self.input
        fps = given.get("fps", 8)
        return clip(given.get("width", 64), given.get("height", 48), fps, round(fps * given.get("seconds", 1)))


@dataclass
class StudioStandIn:
    """`app` is the server; the rest is for the test."""

    key: str = "studio-key-0123456789"
    instead: Overrides = field(default_factory=Overrides)
    """By operation: submit (before a job is made), submitted (after), poll, find, cancel, file."""
    held: threading.Event = field(default_factory=threading.Event)
    """While it is set, no job gets to its end."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, a POST makes a job and is not answered."""
    stuck: threading.Event = field(default_factory=threading.Event)
    """While it is set, a file is begun and does not go on."""
    truncates: bool = False
    files_at: str = ""
    """Where results lie; empty: here. `/away?to=` here redirects."""
    state: str = ""
    """Another name for the status `running`."""
    stands_still: bool = False
    jobs: dict[str, StudioJob] = field(default_factory=dict)
    streams: bool | Literal["silent"] = True
    """False: there are none. "silent": they stay open without an event."""

    def __post_init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/jobs", self._submit, methods=["POST"]),
                Route("/jobs", self._find),
                Route("/jobs/{id}", self._cancel, methods=["DELETE"]),
                Route("/jobs/{id}", self._poll),
                Route("/jobs/{id}/events", self._events),
                Route("/files/{id}.mp4", self._file),
                Route("/away", self._away),
            ]
        )

    def reset(self) -> None:
        """As at first."""
        self.instead.clear()
        for event in (self.held, self.silent, self.stuck):
            event.clear()
        self.truncates, self.files_at, self.state, self.stands_still, self.streams = False, "", "", False, True
        self.jobs.clear()

    def _refusal(self, request: Request, operation: str) -> Response | None:
        if operation != "file" and request.headers.get("authorization") != f"Bearer {self.key}":
            given = request.headers.get("authorization", "none")
            return JSONResponse({"error": {"type": "unauthorized", "message": f"Wrong key: {given}"}}, 401)
        answer = self.instead.take(operation)
        return answer.response() if isinstance(answer, Canned) else None

    async def _submit(self, request: Request) -> Response:
        if refusal := self._refusal(request, "submit"):
            return refusal
        job = StudioJob(f"job-{len(self.jobs) + 1}", await request.json())
        self.jobs[job.id] = job
        while self.silent.is_set():
            await asyncio.sleep(0.01)
        if answer := self.instead.take("submitted"):
            return answer.response()
        return JSONResponse(self._described(request, job), 201)

    async def _find(self, request: Request) -> Response:
        if refusal := self._refusal(request, "find"):
            return refusal
        token = request.query_params.get("token")
        found = [self._described(request, job) for job in self.jobs.values() if job.body.get("token") == token]
        return JSONResponse({"items": found})

    async def _poll(self, request: Request) -> Response:
        if refusal := self._refusal(request, "poll"):
            return refusal
        if (job := self.jobs.get(request.path_params["id"])) is None:
            return JSONResponse({"error": {"type": "not_found", "message": "There is no such job."}}, 404)
        job.polls += 1
        return JSONResponse(self._described(request, job))

    async def _cancel(self, request: Request) -> Response:
        if refusal := self._refusal(request, "cancel"):
            return refusal
        self.jobs[request.path_params["id"]].is_cancelled = True
        return JSONResponse({"status": "cancelled", "charged": 0.5})

    async def _events(self, request: Request) -> Response:
        if not self.streams:
            return JSONResponse({"error": {"type": "not_found", "message": "There are no streams."}}, 404)
        job = self.jobs[request.path_params["id"]]

        async def events() -> AsyncIterator[str]:
            while True:
                if self.streams == "silent":
                    await asyncio.sleep(0.02)
                    continue
                job.polls += 1
                made = self._described(request, job)
                yield f"data: {json.dumps(made)}\n\n"
                if made["status"] in ("done", "cancelled"):
                    return
                await asyncio.sleep(0.02)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _file(self, request: Request) -> Response:
        if refusal := self._refusal(request, "file"):
            return refusal
        video = self.jobs[request.path_params["id"]].video()
        if self.truncates:
            return Truncated(video, media_type="video/mp4")
        if not self.stuck.is_set():
            return Response(video, media_type="video/mp4")

        async def slowly() -> AsyncIterator[bytes]:
            yield video[:100]
            while self.stuck.is_set():
                await asyncio.sleep(0.01)
            yield video[100:]

        return StreamingResponse(slowly(), media_type="video/mp4", headers={"Content-Length": str(len(video))})

    async def _away(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["to"])

    def _described(self, request: Request, job: StudioJob) -> dict[str, Any]:
        base = str(request.base_url).rstrip("/")
        is_done = job.polls > job.total and not self.held.is_set()
        running = self.state or "running"
        status = "cancelled" if job.is_cancelled else "done" if is_done else running if job.polls > 1 else "queued"
        step = 0 if self.stands_still else min(job.polls, job.total)
        found: dict[str, Any] = {"id": job.id, "status": status, "url": f"{base}/jobs/{job.id}", "total": job.total}
        found |= {"position": 2} if status == "queued" else {"step": step}
        if is_done:
            found |= {"video": f"{self.files_at or f'{base}/files'}/{job.id}.mp4", "price": 0.25}
        return found


MODULE = Path(__file__).parents[2] / "engines" / "remote" / "studio.py"


class ServedStudio(StudioStandIn):
    """The stand-in with the server at which it is served."""

    served: StandIn

    def engine(self, kind: str = "create", **options: Any) -> str:
        """The reference of an engine at it. Waits are short unless they are given."""
        waits = {"poll_seconds": 0.01, "forgotten_seconds": 0.1, "request_seconds": 5, "download_seconds": 5}
        given = {"base_url": self.served.url, **waits, **options}
        kind = kind if ":" in kind else f"{MODULE}:{kind}"
        return EngineSpec(id="studio", kind=kind, model="studio/cat-1", options=given).reference
