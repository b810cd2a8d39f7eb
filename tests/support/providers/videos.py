"""A server of `/v1/videos`, in three dialects: vLLM-Omni, SGLang, and a LiteLLM gateway before one of them.

Read in the sources of vLLM-Omni and SGLang, and in the SDK `openai`. A job ends after `polls` looks at it, and renders
a video of the size, length and frame rate that were asked for.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.clips import clip
from tests.support.providers.faults import Faults

Dialect = Literal["vllm", "sglang", "litellm"]


@dataclass
class VideoJob:
    """A job of the stand-in."""

    id: str
    fields: dict[str, Any]
    """What came with the POST."""
    picture: bytes
    """The image to start from; empty: none."""
    content_type: str
    """Of the POST: application/json or multipart/form-data."""
    polls: int = 0
    is_deleted: bool = False
    created_at: int = field(default_factory=lambda: int(time.time()))

    @property
    def seconds(self) -> int:
        return int(self.fields.get("seconds") or 4)

    @property
    def video(self) -> bytes:
        width, height = map(int, str(self.fields.get("size") or "64x48").split("x"))
        fps = int(self.fields.get("fps") or 8)
        return clip(width, height, fps, fps * self.seconds)


@dataclass
class VideosStandIn:
    """`app` is the server; the rest is for the test."""

    dialect: Dialect = "vllm"
    key: str = ""
    """The key that is needed; empty: none."""
    model: str = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
    polls: int = 3
    """Looks at a job until it is done, and one more for each second of its video."""
    cloud: str = ""
    """SGLang with a cloud storage: its address, without a slash at its end. Tests point it at `/cloud` of this app."""
    takes_multipart: bool = True
    is_cancelling: bool = False
    """vLLM-Omni: the engine has not yet stopped a job that is deleted."""
    faults: Faults = field(default_factory=Faults)
    jobs: dict[str, VideoJob] = field(default_factory=dict)
    """Each that was ever made, also if it was deleted."""

    def __post_init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/v1/videos", self._create, methods=["POST"]),
                Route("/v1/videos", self._list),
                Route("/v1/videos/{id}", self._retrieve, methods=["GET"]),
                Route("/v1/videos/{id}", self._delete, methods=["DELETE"]),
                Route("/v1/videos/{id}/content", self._content, methods=["GET"]),
                Route("/cloud/{id}.mp4", self._cloud, methods=["GET"]),
            ]
        )
        self._numbers = itertools.count(1)

    # Routes

    async def _create(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_submit")) is not None:
            return refused
        content_type = request.headers.get("content-type", "").partition(";")[0]
        fields, picture = await self._read(request, content_type)
        if (wrong := self._wrong(fields)) is not None:
            return wrong
        job = VideoJob(f"video_gen_{next(self._numbers)}", fields, picture, content_type)
        self.jobs[job.id] = job
        await self.faults.be_silent()
        return JSONResponse(self._body(job, "queued", 0))

    async def _list(self, request: Request) -> Response:
        if (refused := self._unauthorized(request)) is not None:
            return refused
        known = [job for job in self.jobs.values() if self._known(job.id) is not None]
        data = [self._body(job, *self._state(job)) for job in reversed(known)]
        ids = [one["id"] for one in data] or [None]
        body = {"object": "list", "data": data}
        if self.dialect != "sglang":
            body |= {"first_id": ids[0], "last_id": ids[-1], "has_more": False}
        return JSONResponse(body)

    async def _retrieve(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_poll")) is not None:
            return refused
        if (job := self._known(request.path_params["id"])) is None:
            return self._error(404, "Video not found")
        if not self.faults.held.is_set():
            job.polls += 1
        status, progress = self._state(job)
        body = self._body(job, status, progress)
        # vLLM-Omni gives a failed job the status of its error.
        failed = status == "failed" and self.dialect == "vllm"
        return JSONResponse(body, body["error"]["code"] if failed else 200)

    async def _delete(self, request: Request) -> Response:
        if (refused := self._unauthorized(request)) is not None:
            return refused
        if self.dialect == "litellm":
            return JSONResponse({"detail": "Method Not Allowed"}, 405)
        if (job := self._known(request.path_params["id"])) is None:
            return self._error(404, "Video not found")
        if self.dialect == "vllm" and self.is_cancelling:
            return self._error(409, "Cancellation in progress. Please try again later.")
        job.is_deleted = True
        if self.dialect == "sglang":
            return JSONResponse(self._body(job, "deleted", self._state(job)[1]))
        return JSONResponse({"id": job.id, "deleted": True, "object": "video.deleted"})

    async def _content(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_result")) is not None:
            return refused
        if (job := self._known(request.path_params["id"])) is None:
            return self._error(404, "Video not found")
        status, _ = self._state(job)
        if status == "failed" and self.dialect == "vllm":
            return self._error(422, "Video generation failed. Check job status for error details.")
        if status != "completed":
            return self._error(404, "Generation is still in-progress")
        if self.cloud:
            url = f"{self.cloud}/{job.id}.mp4"
            return self._error(400, f"Video has been uploaded to cloud storage. Please use the cloud URL: {url}")
        return self.faults.file(job.video)

    async def _cloud(self, request: Request) -> Response:
        return self.faults.file(self.jobs[request.path_params["id"]].video)

    # What the answers are made of

    async def _read(self, request: Request, content_type: str) -> tuple[dict[str, Any], bytes]:
        if content_type == "application/json":
            if self.dialect == "vllm":
                return {}, b""  # it reads forms only
            return dict(json.loads(await request.body())), b""
        if not self.takes_multipart:
            return {}, b""
        async with request.form() as form:
            files = {name: value for name, value in form.items() if not isinstance(value, str)}
            picture = await files["input_reference"].read() if "input_reference" in files else b""
            return {name: value for name, value in form.items() if isinstance(value, str)}, picture

    def _wrong(self, fields: dict[str, Any]) -> Response | None:
        if not fields.get("prompt"):
            if self.dialect == "vllm":
                missing = "{'type': 'missing', 'loc': ('body', 'prompt'), 'msg': 'Field required', 'input': None}"
                return self._error(400, f"1 validation error:\n  {missing}")
            return self._error(400, "prompt is required")
        for name, pattern in (("seconds", r"[1-9]\d*"), ("size", r"\d+x\d+")):
            if name in fields and not re.fullmatch(pattern, str(fields[name])):
                return self._error(400, f"{name}: String should match pattern '^{pattern}$'")
        if self.dialect == "vllm" and (model := fields.get("model")) and model != self.model:
            return self._error(
                400, f"Model mismatch: request specifies '{model}' but server is running '{self.model}'."
            )
        return None

    def _state(self, job: VideoJob) -> tuple[str, int]:
        needed = self.polls + job.seconds
        if job.polls >= needed and not self.faults.held.is_set():
            return ("failed", 0) if self.faults.failure else ("completed", 100)
        if job.polls <= 1:
            return "queued", 0
        return "in_progress", 0 if self.faults.stands_still else 100 * job.polls // needed

    def _body(self, job: VideoJob, status: str, progress: int) -> dict[str, Any]:
        body = {
            "id": job.id,
            "object": "video",
            "model": job.fields.get("model") or self.model,
            "status": self.faults.names.get(status, status),
            "progress": progress,
            "created_at": job.created_at,
            "size": job.fields.get("size", ""),
            "seconds": str(job.seconds),
            "error": None,
            "completed_at": job.created_at if status == "completed" else None,
        }
        if self.dialect == "vllm":
            body |= {"prompt": job.fields["prompt"], "quality": "default"}
        if self.dialect == "sglang":
            is_there = self.cloud and status == "completed"
            body |= {"quality": "standard", "url": f"{self.cloud}/{job.id}.mp4" if is_there else None}
        if status == "failed":
            body["error"] = {"message": self.faults.failure}
            if self.dialect != "sglang":
                body["error"]["code"] = 500 if self.dialect == "vllm" else "video_generation_failed"
        return body

    def _known(self, name: str) -> VideoJob | None:
        job = self.jobs.get(name)
        return None if job is None or job.is_deleted or self.faults.forgets else job

    def _unauthorized(self, request: Request) -> Response | None:
        if not self.key or request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        if self.dialect == "litellm":
            return self._error(401, "Authentication Error, Invalid proxy server token passed.", "auth_error")
        return JSONResponse({"error": "Unauthorized"}, 401)

    def _error(self, status: int, message: str, kind: str = "invalid_request_error") -> Response:
        if self.dialect == "sglang":
            return JSONResponse({"detail": message}, status)
        error = {"message": message, "type": kind, "param": None, "code": status}
        return JSONResponse({"error": error}, status)
