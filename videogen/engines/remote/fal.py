"""The kind `fal`: models in the queue of fal, also through the router of Hugging Face.

The contract is that of fal-client 1.0.3, and of huggingface_hub's provider `fal-ai` for the router.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import Field

from videogen.engines.base import Engine
from videogen.engines.remote.answers import error_text
from videogen.engines.remote.log_progress import log_progress
from videogen.engines.remote.model_inputs import with_inputs
from videogen.engines.remote.pictures import content_type, data_uri
from videogen.engines.remote.price import PricedEngine, PricedOptions, price_of
from videogen.engines.remote.provider import (
    Answer,
    FaultKind,
    Http,
    Provider,
    RemoteFault,
    RemoteJob,
    ResultFile,
    State,
    Submitted,
    Update,
)
from videogen.engines.spec import EngineSpec
from videogen.schemas.engines import Cost

_MODEL: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
UNITS_HEADER: Final = "x-fal-billable-units"
_KINDS: Final[Mapping[str, FaultKind]] = {
    "content_policy_violation": "moderation",
    "request_timeout": "timeout",
    "startup_timeout": "timeout",
    "generation_timeout": "timeout",
    "runner_connection_timeout": "timeout",
    "request_cancelled": "cancelled",
    "client_cancelled": "cancelled",
    "client_disconnected": "cancelled",
    "no_media_generated": "failed",
    "downstream_service_error": "server",
    "downstream_service_unavailable": "server",
    "internal_server_error": "server",
    "internal_error": "server",
}
"""By fal's `error_type` of a request and `type` of a model error. Those that begin with runner_ are the server's."""
_CANCELS: Final = {
    "OK": "fal took the job out of its queue.",
    "CANCELLATION_REQUESTED": "fal has asked the model to stop. What it rendered until then may be charged.",
    "ALREADY_COMPLETED": "The job had ended at fal already. It may be charged.",
    "NOT_FOUND": "fal does not know the job any more.",
}
_FILE_KEYS: Final = ("video", "videos", "output", "image", "images")


class FalOptions(PricedOptions):
    """The keys of the kind `fal`."""

    upload_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s@]+)?$",
        description="fal's storage API, https://rest.fal.ai: pictures are uploaded there first. Empty: they are in the "
        "request itself",
    )


class Fal(Provider):
    """fal's queue."""

    name = "fal"
    base_url = "https://queue.fal.run"
    key_variable = "FAL_KEY"
    key_header = ("Authorization", "Key {key}")
    key_hosts: ClassVar[tuple[str, ...]] = ("rest.fal.ai",)
    hosts = ("fal.media", "*.fal.media", "storage.googleapis.com")
    look_at = "https://fal.ai/dashboard/requests"
    credit_at = "https://fal.ai/dashboard/billing"
    states: ClassVar[Mapping[str, State]] = {
        "IN_QUEUE": State.WAITING,
        "IN_PROGRESS": State.RENDERING,
        "COMPLETED": State.COMPLETED,
    }
    options: ClassVar[type[PricedOptions]] = FalOptions

    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """Send the job. fal itself must not repeat it after a fault, and drops it if it has not started in time."""
        headers = {"x-fal-no-retry": "1", "X-Fal-Request-Timeout": f"{max(2.0, job.options.deadline_seconds):g}"}
        body = http.post(self._submit_path(job), json=dict(job.inputs), headers=headers).json
        if not isinstance(body, dict) or not isinstance(body.get("request_id"), str):
            raise RemoteFault("server", "Its answer has no request_id.")
        price = price_of(job)
        cost = price.before(job.recipe.duration_seconds) if price else None
        return Submitted(id=body["request_id"], urls=self._urls(body), cost=cost)

    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """Ask for the status; of a completed job, also for its response, which fal keeps for some minutes only."""
        body = _object(http.get(sent.urls["status"], params={"logs": 1}))
        state = str(body.get("status", ""))
        if state == "COMPLETED":
            return self._completed(http, job, sent, state)
        position = body.get("queue_position")
        step, total = log_progress("\n".join(_lines(body.get("logs"))))
        return Update(state, step, total, estimated=total > 0, position=position if isinstance(position, int) else None)

    def cancel(self, http: Http, job: RemoteJob, sent: Submitted) -> str:
        """Ask fal to stop the job."""
        try:
            status = str(_object(http.send("PUT", sent.urls["cancel"])).get("status", "OK"))
        except RemoteFault as fault:
            if fault.message not in _CANCELS:
                raise
            status = fault.message
        return _CANCELS.get(status, f"fal answered {status}.")

    def picture(self, http: Http, path: Path, options: Any) -> str:
        """A data URI, or the address of the uploaded picture."""
        storage = options.upload_url.rstrip("/") if isinstance(options, FalOptions) else ""
        if not storage:
            return data_uri(path)
        data = path.read_bytes()
        kind = content_type(data)
        wanted = {"file_name": kind.replace("image/", "frame."), "content_type": kind}
        made = _object(http.post(f"{storage}/storage/upload/initiate?storage_type=gcs", json=wanted))
        http.send("PUT", str(made["upload_url"]), content=data, headers={"Content-Type": kind})
        return str(made["file_url"])

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """The fault in one of fal's errors: `{detail: text, error_type}` of a request, `{detail: [..]}` of a model."""
        body = answer.json if isinstance(answer.json, dict) else {}
        if "status" in body and "detail" not in body:  # of a cancel
            return RemoteFault("not_found" if answer.status == 404 else "invalid", str(body["status"]))
        detail = body.get("detail")
        first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else {}
        name = str(body.get("error_type") or first.get("type") or answer.headers.get("x-fal-error-type", ""))
        text = _model_text(detail)
        if answer.status == 403 and any(word in text.lower() for word in ("balance", "top_up", "billing")):
            return RemoteFault("credit", text)
        if "x-fal-request-timeout-type" in answer.headers:
            return RemoteFault("timeout", text)
        kind = _KINDS.get(name) or ("server" if name.startswith("runner_") else None)
        if kind is None and first:
            kind = "invalid" if answer.status < 500 else "failed"
        return RemoteFault(kind, text) if kind else None

    def _submit_path(self, job: RemoteJob) -> str:
        return f"/{job.model}"

    def _urls(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The addresses of a job, as fal gave them."""
        names = ("status", "response", "cancel")
        if not all(isinstance(body.get(f"{name}_url"), str) for name in names):
            raise RemoteFault("server", f"Its answer has no addresses of the job {body['request_id']}.")
        return {name: body[f"{name}_url"] for name in names}

    def _completed(self, http: Http, job: RemoteJob, sent: Submitted, state: str) -> Update:
        """The result of a completed job, or why it has none."""
        answer = http.get(sent.urls["response"], accepts=_is_of_job)
        if answer.status >= 400:
            fault = self.read_error(answer) or RemoteFault("failed", error_text(answer) or f"HTTP {answer.status}")
            return Update(state, error=fault)
        files = tuple(ResultFile(url) for url in _files(answer.json))
        if not files:
            return Update(state, error=RemoteFault("failed", "The model gave no file."))
        return Update(state, results=files, cost=_cost_after(job, answer))


class FalRouter(Fal):
    """fal's queue behind the router of Hugging Face: with a token of theirs, and at addresses below the router."""

    name = "fal through Hugging Face"
    base_url = "https://router.huggingface.co/fal-ai"
    key_variable = "HF_TOKEN"
    key_header = ("Authorization", "Bearer {key}")
    key_hosts = ()
    takes_visitors = True
    look_at = "https://huggingface.co/settings/inference-providers"
    credit_at = "https://huggingface.co/settings/billing"
    options = PricedOptions

    def _submit_path(self, job: RemoteJob) -> str:
        return f"/{job.model}?_subdomain=queue"

    def _urls(self, body: Mapping[str, Any]) -> dict[str, str]:
        """What fal gave leads past the router: the paths are the same, below the router."""
        path = urlsplit(super()._urls(body)["response"]).path.rstrip("/")
        below = {"status": f"{path}/status", "response": path, "cancel": f"{path}/cancel"}
        return {name: f"{found}?_subdomain=queue" for name, found in below.items()}


def create(spec: EngineSpec) -> Engine:
    """An engine of the kind `fal`. A `base_url` whose path ends in /fal-ai is the router.

    Raises:
        ConfigError: no model is named, or a key is wrong.
    """
    if not _MODEL.fullmatch(spec.model):
        raise spec.error("model", "the endpoint id of a model, such as fal-ai/ltx-2/text-to-video", spec.model)
    url = urlsplit(str(spec.options.get("base_url", "")))
    is_router = url.path.rstrip("/").endswith("/fal-ai")
    if url.hostname == urlsplit(FalRouter.base_url).hostname and not is_router:
        raise spec.error("base_url", FalRouter.base_url, spec.options["base_url"])
    return PricedEngine(with_inputs(spec), FalRouter() if is_router else Fal())


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.json, dict):
        raise RemoteFault("server", "Its answer is no JSON object.")
    return answer.json


def _is_of_job(answer: Answer) -> bool:
    """Whether an error is that of the model or of the job, and not of what is in front of the queue."""
    body = answer.json if isinstance(answer.json, dict) else {}
    return "x-fal-error-type" in answer.headers or "error_type" in body or isinstance(body.get("detail"), list)


def _model_text(detail: Any) -> str:
    """What is wrong with which field: "num_frames: ensure this value is less than 161"."""
    if not isinstance(detail, list):
        return str(detail or "")
    texts = []
    for one in filter(lambda found: isinstance(found, dict), detail):
        place = ".".join(str(part) for part in one.get("loc", ()) if part != "body")
        texts.append(f"{place}: {one.get('msg', '')}" if place else str(one.get("msg", "")))
    return "; ".join(texts)


def _lines(logs: Any) -> Iterator[str]:
    for line in logs if isinstance(logs, list) else ():
        yield str(line.get("message", "")) if isinstance(line, dict) else str(line)


def _files(result: Any) -> list[str]:
    """The addresses of files in a result, videos first."""
    if not isinstance(result, dict):
        return []
    found = [result[key] for key in _FILE_KEYS if key in result]
    flat = [one for part in found for one in (part if isinstance(part, list) else [part])]
    urls = [one.get("url") if isinstance(one, dict) else one for one in flat]
    return [url for url in urls if isinstance(url, str) and url.startswith(("https://", "http://"))]


def _cost_after(job: RemoteJob, answer: Answer) -> Cost | None:
    """What fal counted, at the price that the operator has written down; None: not known."""
    price = price_of(job)
    try:
        return price.after(float(answer.headers[UNITS_HEADER])) if price else None
    except (KeyError, ValueError):
        return None
