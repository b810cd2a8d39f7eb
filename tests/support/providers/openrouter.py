"""OpenRouter's API for videos, below `/api/v1`. Read in its documentation and in the SDK `openrouter` 1.3.

A job ends after `polls` looks at it, and renders a video of the size and length that were asked for.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.clips import clip
from tests.support.providers.faults import Faults

MODEL: Final = "google/veo-3.1"


def model(name: str, skus: dict[str, str] | None, **values: Any) -> dict[str, Any]:
    """A row of the list of models."""
    row: dict[str, Any] = {
        "id": name,
        "canonical_slug": name,
        "name": name,
        "created": 1_760_000_000,
        "allowed_passthrough_parameters": [],
        "creativity": None,
        "generate_audio": None,
        "seed": True,
        "supported_aspect_ratios": ["16:9", "9:16", "1:1"],
        "supported_durations": [4, 6, 8],
        "supported_frame_images": ["first_frame", "last_frame"],
        "supported_resolutions": ["720p", "1080p"],
        "supported_sizes": None,
        "upscale_factor": None,
        "pricing_skus": skus,
    }
    return row | values


MODELS: Final = (
    model(
        MODEL,
        {
            "duration_seconds_with_audio": "0.40",
            "duration_seconds_without_audio": "0.20",
            "duration_seconds_with_audio_720p": "0.10",
            "duration_seconds_without_audio_720p": "0.08",
        },
        generate_audio=True,
    ),
    model("alibaba/wan-3.0", {"duration_seconds_480p": "0.05", "duration_seconds_720p": "0.1"}),
    model("x-ai/grok-video", {"cents_per_video_output_second_720p": "3", "cents_per_image_input": "1"}),
    model("runway/gen-4.5", {"cents_per_second_output": "12", "minimum_cents_per_generation": "56"}),
    model("bytedance/seedance-2.0", {"video_tokens": "0.0000012", "video_tokens_without_audio": "0.000001"}),
    model("upscaler/only", {"cents_per_megapixel": "2"}),
    model("free/none", None),
)


@dataclass
class RouterJob:
    """A job of the stand-in."""

    id: str
    fields: dict[str, Any]
    fps: int
    polls: int = 0

    @property
    def seconds(self) -> int:
        return int(self.fields.get("duration") or 4)

    @property
    def video(self) -> bytes:
        side = int(str(self.fields.get("resolution") or "720p").rstrip("p"))
        across, down = map(int, str(self.fields.get("aspect_ratio") or "16:9").split(":"))
        long = round(side * max(across, down) / min(across, down) / 2) * 2
        width, height = (long, side) if across > down else (side, long)
        if size := self.fields.get("size"):
            width, height = map(int, size.split("x"))
        return clip(width, height, self.fps, self.fps * self.seconds)


@dataclass
class OpenRouterStandIn:
    """`app` is the server; the rest is for the test."""

    key: str = "sk-or-right"
    polls: int = 3
    """Looks at a job until it is done, and one more for each second of its video."""
    fps: int = 24
    cost: float = 0.32
    results: Literal["both", "unsigned", "none"] = "both"
    """Which addresses a completed job has: a signed copy in a storage too, or only its content, or none."""
    storage: str = ""
    """Where the signed copies are, without a slash at its end: a test points it at `/storage` of this app."""
    has_absolute_urls: bool = False
    ends_as: str = "completed"
    """Or failed, cancelled, expired."""
    models: tuple[dict[str, Any], ...] = MODELS
    faults: Faults = field(default_factory=Faults)
    jobs: dict[str, RouterJob] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/api/v1/videos", self._create, methods=["POST"]),
                Route("/api/v1/videos/models", self._models, methods=["GET"]),
                Route("/api/v1/videos/{id}", self._retrieve, methods=["GET"]),
                Route("/api/v1/videos/{id}/content", self._content, methods=["GET"]),
                Route("/storage/{id}.mp4", self._stored, methods=["GET"]),
            ]
        )
        self._numbers = itertools.count(1)

    async def _create(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_submit")) is not None:
            return refused
        fields = json.loads(await request.body())
        if (wrong := self._wrong(fields)) is not None:
            return wrong
        job = RouterJob(f"gen-vid-1764000000-{next(self._numbers):020d}", fields, self.fps)
        self.jobs[job.id] = job
        await self.faults.be_silent()
        return JSONResponse(self._body(request, job), 202)

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"data": list(self.models)})

    async def _retrieve(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_poll")) is not None:
            return refused
        job = self.jobs.get(request.path_params["id"])
        if job is None or self.faults.forgets:
            return error(404, "Video job not found")
        if not self.faults.held.is_set():
            job.polls += 1
        return JSONResponse(self._body(request, job))

    async def _content(self, request: Request) -> Response:
        if (refused := self._unauthorized(request) or self.faults.refusal("on_result")) is not None:
            return refused
        job = self.jobs.get(request.path_params["id"])
        if job is None or self.faults.forgets:
            return error(404, "Video job not found")
        if self._status(job) != "completed":
            return error(409, "The video is not ready")
        return self.faults.file(job.video)

    async def _stored(self, request: Request) -> Response:
        if (refused := self.faults.refusal("on_result")) is not None:
            return refused
        if request.query_params.get("sig") != "signed":
            return error(403, "Wrong signature")
        return self.faults.file(self.jobs[request.path_params["id"]].video)

    def _status(self, job: RouterJob) -> str:
        if job.polls >= self.polls + job.seconds and not self.faults.held.is_set():
            return "failed" if self.faults.failure else self.ends_as
        return "pending" if job.polls <= 1 else "in_progress"

    def _body(self, request: Request, job: RouterJob) -> dict[str, Any]:
        base = f"{request.url.scheme}://{request.url.netloc}"
        path = f"/api/v1/videos/{job.id}"
        status = self._status(job)
        body: dict[str, Any] = {
            "id": job.id,
            "polling_url": base + path if self.has_absolute_urls else path,
            "status": self.faults.names.get(status, status),
        }
        if status == "completed":
            body |= {"generation_id": f"gen-{job.id}", "usage": {"cost": self.cost, "is_byok": False}}
            if self.results != "none":
                body["unsigned_urls"] = [f"{base}{path}/content?index=0"]
            if self.results == "both":
                body["urls"] = [f"{self.storage or base + '/storage'}/{job.id}.mp4?sig=signed"]
                body["expires_at"] = 1_900_000_000
        elif status in ("failed", "cancelled", "expired"):
            body["error"] = self.faults.failure or f"The job is {status}"
        return body

    def _wrong(self, fields: dict[str, Any]) -> Response | None:
        row = next((one for one in self.models if one["id"] == fields.get("model")), None)
        if row is None:
            return error(404, f"No endpoints found for {fields.get('model')}")
        for name, pattern in (("resolution", r"\d+p|[124]K"), ("aspect_ratio", r"\d+:\d+"), ("size", r"\d+x\d+")):
            if name in fields and not re.fullmatch(pattern, str(fields[name])):
                return error(400, f"{name}: Invalid input")
        if "duration" in fields and type(fields["duration"]) is not int:
            return error(400, "duration: Expected an integer")
        for frame in fields.get("frame_images") or []:
            known = set(row["supported_frame_images"] or ())
            url = frame.get("image_url", {}).get("url", "")
            if frame.get("type") != "image_url" or frame.get("frame_type") not in known or ":" not in url:
                return error(400, "frame_images: Invalid input")
        return None

    def _unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return error(401, "User not found.")


def error(status: int, message: str, metadata: dict[str, Any] | None = None) -> JSONResponse:
    """An error in the form of OpenRouter."""
    return JSONResponse(error_body(status, message, metadata), status)


def error_body(status: int, message: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of such an error."""
    return {"error": {"code": status, "message": message, **({"metadata": metadata} if metadata else {})}}
