"""Speaks Replicate's contract: predictions, files, and the list of predictions.

    replicate = Replicate()
    with serve(replicate.app) as provider:
        sdk = Client(api_token=replicate.token, base_url=provider.url)

A prediction is `starting` for so many polls, then `processing` for so many; each of the latter adds a line to its logs.
Switches of faults: the attributes, and `answers`, whose operations are submit, poll, list, cancel, file, upload.
Read in replicate 1.0.7 and in Replicate's documentation of its HTTP API, November 2026.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.answers import Canned, Overrides, Truncated
from tests.support.providers.clips import clip


def _problem(status: int, title: str, detail: str, **further: Any) -> Canned:
    headers = {"retry-after": str(further["retry_after"])} if "retry_after" in further else {}
    return Canned(status, {"title": title, "detail": detail, "status": status, **further}, headers)


WRONG_KEY = _problem(401, "Unauthenticated", "You did not pass a valid authentication token")
NO_CREDIT = _problem(
    402,
    "Insufficient credit",
    "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to purchase "
    "credit. Once you purchase credit, please wait a few minutes before trying again.",
)
RATE_LIMIT = _problem(
    429,
    "Too many requests",
    "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute with a burst "
    "of 1 requests while you have less than $5.0 in credit. Your rate limit resets in ~7s.",
    retry_after=7,
)
INVALID = _problem(
    422, "Input validation failed", "- input.duration: Must be less than or equal to 12\n", invalid_fields=[]
)
NO_MODEL = _problem(404, "Not found", "The requested resource could not be found.")
SENSITIVE = "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (uIJ6l3ruRD)"
OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB"


@dataclass
class Prediction:
    """One prediction."""

    id: str
    model: str
    version: str
    input: dict[str, Any]
    headers: dict[str, str]
    created_at: datetime
    polls: int = 0
    status: str = ""
    """Once it has ended otherwise than by its script."""


@dataclass
class Replicate:
    """The state of the stand-in: token, predictions, and switches."""

    token: str = "r8_stand_in"
    starting: int = 2
    processing: int = 3
    unknown_state: str = ""
    """A name that the status has once, before `processing`."""
    error: str = ""
    """Why predictions fail, instead of an output."""
    ends: str = ""
    """How they end in place of `succeeded`: canceled, aborted."""
    held: bool = False
    """Whether predictions stay at `processing`: progress never moves."""
    is_forgetful: bool = False
    """Whether no prediction is found any more."""
    is_removed: bool = False
    """Whether input and output of predictions were deleted: `data_removed`."""
    is_truncated: bool = False
    is_listed_output: bool = False
    """Whether the output is a list of files."""
    clock_offset: timedelta = timedelta()
    answers: Overrides = field(default_factory=Overrides)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Forget all predictions and switch all faults off."""
        self.__dict__.update(Replicate().__dict__)

    @property
    def app(self) -> Starlette:
        """What is served."""
        owned = "{owner}/{name}/predictions"
        return Starlette(
            routes=[
                Route("/v1/predictions", self._submit, methods=["POST"]),
                Route("/v1/predictions", self._list, methods=["GET"]),
                Route(f"/v1/models/{owned}", self._submit, methods=["POST"]),
                Route(f"/v1/deployments/{owned}", self._submit, methods=["POST"]),
                Route("/v1/predictions/{id}", self._poll),
                Route("/v1/predictions/{id}/cancel", self._cancel, methods=["POST"]),
                Route("/v1/files", self._upload, methods=["POST"]),
                Route("/delivery/{name}", self._file),
            ]
        )

    def _refusal(self, request: Request, operation: str) -> Response | None:
        if answer := self.answers.take(operation):
            return answer.response()
        is_known = request.headers.get("authorization") == f"Bearer {self.token}"
        return None if is_known else WRONG_KEY.response()

    async def _submit(self, request: Request) -> Response:
        if refusal := self._refusal(request, "submit"):
            return refusal
        body, path = await request.json(), request.path_params
        version = str(body.get("version", ""))
        model = "{owner}/{name}".format(**path) if path else version.partition(":")[0]
        now = datetime.now(UTC) + self.clock_offset
        made = Prediction(
            uuid.uuid4().hex[:26], model, version.rpartition(":")[2], body["input"], dict(request.headers), now
        )
        with self.lock:
            self.predictions[made.id] = made
        return JSONResponse(self._shown(request, made), 201)

    async def _poll(self, request: Request) -> Response:
        if refusal := self._refusal(request, "poll"):
            return refusal
        found = self.predictions.get(request.path_params["id"])
        if found is None or self.is_forgetful:
            return NO_MODEL.response()
        with self.lock:
            last = self._steps - 1 if self.held else self._steps
            found.polls = min(found.polls + 1, last)
        return JSONResponse(self._shown(request, found))

    async def _list(self, request: Request) -> Response:
        if refusal := self._refusal(request, "list"):
            return refusal
        newest = sorted(self.predictions.values(), key=lambda one: one.created_at, reverse=True)
        shown = [] if self.is_forgetful else [self._shown(request, one) for one in newest]
        return JSONResponse({"previous": None, "next": None, "results": shown})

    async def _cancel(self, request: Request) -> Response:
        if refusal := self._refusal(request, "cancel"):
            return refusal
        found = self.predictions.get(request.path_params["id"])
        if found is None or self.is_forgetful:
            return NO_MODEL.response()
        with self.lock:
            if self._status(found) in ("starting", "processing"):
                found.status = "canceled"
        return JSONResponse(self._shown(request, found))

    @property
    def _steps(self) -> int:
        """Polls until a prediction has ended."""
        return self.starting + bool(self.unknown_state) + self.processing

    def _status(self, one: Prediction) -> str:
        if one.status:
            return one.status
        if one.polls >= self._steps:
            return self.ends or ("failed" if self.error else "succeeded")
        if one.polls < self.starting:
            return "starting"
        if self.unknown_state and one.polls == self.starting:
            return self.unknown_state
        return "processing"

    def _shown(self, request: Request, one: Prediction) -> dict[str, Any]:
        """A prediction as JSON."""
        status = self._status(one)
        done = max(0, min(self.processing, one.polls - self.starting - bool(self.unknown_state)))
        url = f"{request.base_url}v1/predictions/{one.id}"
        file = f"{request.base_url}delivery/{one.id}.mp4"
        output: Any = [file] if self.is_listed_output else file
        has_output = status == "succeeded" and not self.is_removed
        metrics = {"predict_time": 4.5, "total_time": 6.0, "video_output_duration_seconds": _seconds(one)}
        return {
            "id": one.id,
            "model": one.model,
            "version": one.version or "hidden",
            "status": status,
            "input": {} if self.is_removed else one.input,
            "output": output if has_output else None,
            "logs": _tqdm(done, self.processing),
            "error": self.error if status == "failed" else None,
            "metrics": metrics if status == "succeeded" else {},
            "created_at": one.created_at.isoformat().replace("+00:00", "Z"),
            "started_at": None,
            "completed_at": None,
            "data_removed": self.is_removed,
            "source": "api",
            "urls": {"get": url, "cancel": f"{url}/cancel", "web": f"https://replicate.com/p/{one.id}"},
        }

    async def _upload(self, request: Request) -> Response:
        if refusal := self._refusal(request, "upload"):
            return refusal
        async with request.form() as form:
            content = form["content"]
            assert not isinstance(content, str)
            data, name, content_type = await content.read(), content.filename, content.content_type
        made = f"{uuid.uuid4()}"
        self.files[made] = data
        url = f"{request.base_url}v1/files/{made}"
        now = datetime.now(UTC)
        file = {"id": made, "name": name, "content_type": content_type, "size": len(data), "etag": made}
        more = {
            "checksums": {},
            "metadata": {},
            "created_at": now.isoformat(),
            "expires_at": None,
            "urls": {"get": url},
        }
        return JSONResponse({**file, **more}, 201)

    async def _file(self, request: Request) -> Response:
        if answer := self.answers.take("file"):
            return answer.response()
        one = self.predictions[request.path_params["name"].removesuffix(".mp4")]
        width, height = (int(one.input.get(name, 64)) for name in ("width", "height"))
        data = clip(width, height, 8, round(8 * _seconds(one)))
        return (Truncated if self.is_truncated else Response)(data, media_type="video/mp4")


def _seconds(one: Prediction) -> float:
    return float(one.input.get("duration", 1))


def _tqdm(done: int, total: int) -> str:
    """The log of a model, as tqdm prints it: each line ends in a return, the last one may be cut."""
    bars = (
        f"{100 * n // total:3}%|{'█' * n}{' ' * (total - n)}| {n}/{total} [00:0{n}<00:05]" for n in range(1, done + 1)
    )
    return "Using seed: 42\n" + "\n".join(bars) if done else ""
