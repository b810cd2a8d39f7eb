"""Speaks fal's contract: the queue, the storage that pictures are uploaded to, and the router of Hugging Face.

    fal = Fal()
    with serve(fal.app) as provider:
        client.post(f"{provider.url}/fal-ai/ltx-video", json={"prompt": "..."}, headers=...)

A job is `waiting` polls in the queue, then `rendering` polls on a runner; each of the latter adds a line to its log.
Switches of faults: the attributes, and `answers`, whose operations are submit, status, response, cancel, file, upload.
Read in fal-client 1.0.3, in huggingface_hub's provider fal-ai and in fal's documentation, November 2026.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.answers import Canned, Overrides, Truncated
from tests.support.providers.clips import clip

WRONG_KEY = Canned(401, {"detail": "Cannot access application. Authentication is required."})
REVOKED_KEY = Canned(401, {"detail": "No user found for Key ID and Secret"})
NO_ACCESS = Canned(403, {"detail": "Access denied. This key has no permission for this endpoint."})
NO_CREDIT = Canned(
    403,
    {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."},
)
RATE_LIMIT = Canned(429, {"detail": "Too many requests"}, {"retry-after": "7"})
MODERATION = Canned(
    422,
    {
        "detail": [
            {
                "loc": ["body", "prompt"],
                "msg": "The content could not be processed because it contained material flagged by a content checker.",
                "type": "content_policy_violation",
                "url": "https://docs.fal.ai/errors#content_policy_violation",
                "input": {"prompt": "..."},
            }
        ]
    },
    {"x-fal-retryable": "false"},
)
INVALID = Canned(
    422,
    {
        "detail": [
            {
                "loc": ["body", "num_frames"],
                "msg": "ensure this value is less than or equal to 161",
                "type": "less_than_equal",
                "ctx": {"le": 161},
            }
        ]
    },
)
NOT_STARTED = Canned(
    504,
    {"detail": "Request timed out", "error_type": "request_timeout"},
    {"x-fal-request-timeout-type": "user", "x-fal-error-type": "request_timeout"},
)
RUNNER_LOST = Canned(
    503,
    {"detail": "The runner disconnected during processing", "error_type": "runner_disconnected"},
    {"x-fal-error-type": "runner_disconnected"},
)
GENERATION_TIMEOUT = Canned(
    504, {"detail": [{"loc": ["body"], "msg": "Generation took too long", "type": "generation_timeout"}]}
)
NOT_FOUND = Canned(404, {"detail": "Request not found"})


@dataclass
class FalJob:
    """One request in the queue."""

    id: str
    model: str
    input: dict[str, Any]
    headers: dict[str, str]
    polls: int = 0
    is_cancelled: bool = False

    @property
    def app(self) -> str:
        """Owner and name, without the path below."""
        return "/".join(self.model.split("/")[:2])


@dataclass
class Fal:
    """The state of the stand-in: keys, jobs, and switches."""

    key: str = "fal-id:fal-secret"
    token: str = "hf_stand_in"
    """Of the router; empty: it takes any."""
    waiting: int = 2
    rendering: int = 3
    unknown_state: str = ""
    """A name that the status has once, before the job is on a runner."""
    failure: Canned | None = None
    """What a completed job has in place of a result; its status carries `error` and `error_type` if there are some."""
    held: bool = False
    """Whether jobs stay on their runner: progress never moves."""
    is_forgetful: bool = False
    """Whether no job is found any more."""
    is_truncated: bool = False
    units: float | None = None
    """What `x-fal-billable-units` reports; None: nothing."""
    answers: Overrides = field(default_factory=Overrides)
    jobs: dict[str, FalJob] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Forget all jobs and switch all faults off."""
        self.__dict__.update(Fal().__dict__)

    @property
    def app(self) -> Starlette:
        """What is served."""
        below = "{owner}/{name}/requests/{id}"
        routes = [
            Route("/files/{name}", self._file),
            Route("/rest/storage/auth/token", self._token, methods=["POST"]),
            Route("/rest/storage/upload/initiate", self._initiate, methods=["POST"]),
            Route("/cdn/files/upload", self._upload, methods=["POST"]),
            Route("/uploads/{name}", self._put, methods=["PUT"]),
        ]
        for prefix in ("/router/fal-ai/", "/"):
            routes += [
                Route(f"{prefix}{below}/status", self._status),
                Route(f"{prefix}{below}/cancel", self._cancel, methods=["PUT"]),
                Route(f"{prefix}{below}", self._response),
                Route(prefix + "{model:path}", self._submit, methods=["POST"]),
            ]
        return Starlette(routes=routes)

    def _refusal(self, request: Request, operation: str) -> Response | None:
        """Why a request is not answered as usual: a fault that was put, or no key."""
        if answer := self.answers.take(operation):
            return answer.response()
        is_routed = request.url.path.startswith("/router/")
        expected = f"Bearer {self.token}" if is_routed else f"Key {self.key}"
        given = request.headers.get("authorization", "")
        if given != expected and not (is_routed and not self.token and given.startswith("Bearer ")):
            return WRONG_KEY.response()
        if is_routed and request.query_params.get("_subdomain") != "queue":
            return Canned(404, {"error": "Not Found"}).response()
        return None

    def _job(self, request: Request) -> FalJob | None:
        job = self.jobs.get(request.path_params["id"])
        app = "{owner}/{name}".format(**request.path_params)
        return job if job and job.app == app and not self.is_forgetful else None

    async def _submit(self, request: Request) -> Response:
        if refusal := self._refusal(request, "submit"):
            return refusal
        job = FalJob(str(uuid.uuid4()), request.path_params["model"], await request.json(), dict(request.headers))
        with self.lock:
            self.jobs[job.id] = job
        return JSONResponse({"status": "IN_QUEUE", "queue_position": self.waiting, **self._urls(request, job)})

    def _urls(self, request: Request, job: FalJob) -> dict[str, str]:
        """The addresses of a job. The router passes on those of fal itself."""
        is_routed = request.url.path.startswith("/router/")
        base = "https://queue.fal.run" if is_routed else str(request.base_url).rstrip("/")
        url = f"{base}/{job.app}/requests/{job.id}"
        return {
            "request_id": job.id,
            "response_url": url,
            "status_url": f"{url}/status",
            "cancel_url": f"{url}/cancel",
        }

    async def _status(self, request: Request) -> Response:
        if refusal := self._refusal(request, "status"):
            return refusal
        if (job := self._job(request)) is None:
            return NOT_FOUND.response()
        with self.lock:
            before = self.waiting + bool(self.unknown_state)
            job.polls = min(job.polls + 1, before + self.rendering - self.held)
            on_runner = job.polls - before
        urls, has_logs = self._urls(request, job), request.query_params.get("logs") in ("1", "true")
        if job.polls <= self.waiting:
            return JSONResponse({"status": "IN_QUEUE", "queue_position": self.waiting - job.polls, **urls}, 202)
        if on_runner <= 0:
            return JSONResponse({"status": self.unknown_state, **urls}, 202)
        lines = _tqdm(min(on_runner, self.rendering), self.rendering)
        logs = {"logs": lines if has_logs else None}
        if on_runner < self.rendering and not job.is_cancelled:
            return JSONResponse({"status": "IN_PROGRESS", **logs, **urls}, 202)
        ended = {"status": "COMPLETED", "metrics": {"inference_time": 1.5}, **logs, **urls}
        body = self.failure.body if self.failure else None
        if isinstance(body, dict) and "error_type" in body:
            ended |= {"error": body["detail"], "error_type": body["error_type"]}
        return JSONResponse(ended, 200)

    async def _response(self, request: Request) -> Response:
        if refusal := self._refusal(request, "response"):
            return refusal
        if (job := self._job(request)) is None:
            return NOT_FOUND.response()
        if job.is_cancelled:
            return Canned(499, {"detail": "Request was cancelled", "error_type": "request_cancelled"}).response()
        if job.polls < self.waiting + bool(self.unknown_state) + self.rendering:
            return Canned(400, {"detail": "Request is still in progress"}).response()
        if self.failure:
            return self.failure.response()
        headers = {} if self.units is None else {"x-fal-billable-units": str(self.units)}
        url = f"{request.base_url}files/{job.id}.mp4"
        file = {"url": url, "content_type": "video/mp4", "file_name": "output.mp4", "file_size": len(_result(job))}
        return JSONResponse({"video": file, "seed": job.input.get("seed", 1)}, headers=headers)

    async def _cancel(self, request: Request) -> Response:
        if refusal := self._refusal(request, "cancel"):
            return refusal
        if (job := self._job(request)) is None:
            return Canned(404, {"status": "NOT_FOUND"}).response()
        if job.polls >= self.waiting + bool(self.unknown_state) + self.rendering:
            return Canned(400, {"status": "ALREADY_COMPLETED"}).response()
        with self.lock:
            job.is_cancelled = True
        return Canned(202, {"status": "CANCELLATION_REQUESTED"}).response()

    async def _file(self, request: Request) -> Response:
        if answer := self.answers.take("file"):
            return answer.response()
        data = _result(self.jobs[request.path_params["name"].removesuffix(".mp4")])
        return (Truncated if self.is_truncated else Response)(data, media_type="video/mp4")

    # Storage

    async def _token(self, request: Request) -> Response:
        if refusal := self._refusal(request, "upload"):
            return refusal
        cdn = f"{request.base_url}cdn"
        token = {
            "token": "cdn-token",
            "token_type": "Bearer",
            "base_url": cdn,
            "expires_at": "2999-01-01T00:00:00+00:00",
        }
        return JSONResponse(token)

    async def _upload(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer cdn-token":
            return WRONG_KEY.response()
        return JSONResponse({"access_url": await self._keep(request, f"{uuid.uuid4()}")})

    async def _initiate(self, request: Request) -> Response:
        if refusal := self._refusal(request, "upload"):
            return refusal
        body = await request.json()
        name = f"{uuid.uuid4()}-{body['file_name']}"
        base = f"{request.base_url}uploads/{name}"
        return JSONResponse({"upload_url": f"{base}?signature=once", "file_url": base})

    async def _put(self, request: Request) -> Response:
        await self._keep(request, request.path_params["name"])
        return Response(status_code=200)

    async def _keep(self, request: Request, name: str) -> str:
        self.uploads[name] = await request.body()
        return f"{request.base_url}uploads/{name}"


def _tqdm(done: int, total: int) -> list[dict[str, Any]]:
    """Lines of a log, as a model on a runner prints them."""
    start = [{"timestamp": "2026-11-28T10:00:00Z", "level": "INFO", "source": "USER", "message": "Loading the model"}]
    bar = f"{100 * done // total:3}%|{'█' * done}{' ' * (total - done)}| {done}/{total} [00:0{done}<00:05,  1.02s/it]"
    return [*start, {"timestamp": "2026-11-28T10:00:01Z", "level": "STDERR", "source": "USER", "message": bar}]


def _result(job: FalJob) -> bytes:
    """The video of a job, of the size and length that its input has."""
    width, height = (int(job.input.get(name, 64)) for name in ("width", "height"))
    return clip(width, height, 8, round(8 * float(job.input.get("duration", 1))))
