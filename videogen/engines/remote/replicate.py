"""The kind `replicate`: models at Replicate. The contract is that of replicate 1.0.7 and of its HTTP reference."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from videogen.engines.base import Engine
from videogen.engines.remote.inputs import Rows
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

MAX_DATA_URI: Final = 256 * 1024
"""Bytes of a picture that is sent in the request itself; a larger one is uploaded, as Replicate advises."""
SHORTEST_DEADLINE: Final = 5
"""Seconds: the least that `Cancel-After` takes."""
CLOCK_SKEW: Final = timedelta(seconds=90)
"""How far the clocks of both sides may differ when a job is looked for."""
_VERSION: Final = re.compile(r"(?:[\w.-]+/[\w.-]+:)?[0-9a-f]{40,64}")
_MODEL: Final = re.compile(rf"{_VERSION.pattern}|(?:deployments/)?[\w.-]+/[\w.-]+")
_SENSITIVE: Final = re.compile(r"\bE005\b|flagged as sensitive|nsfw|content polic", re.IGNORECASE)
_CANCELS: Final = {
    "canceled": "Replicate has stopped the prediction. What it rendered until then may be charged.",
    "aborted": "Replicate took the prediction out of its queue.",
    "succeeded": "The prediction had ended at Replicate already. It is charged.",
    "failed": "The prediction had failed at Replicate already.",
}


class Replicate(Provider):
    """Replicate's predictions."""

    name = "Replicate"
    base_url = "https://api.replicate.com"
    key_variable = "REPLICATE_API_TOKEN"
    hosts = ("replicate.delivery", "*.replicate.delivery")
    look_at = "https://replicate.com/predictions"
    credit_at = "https://replicate.com/account/billing"
    states: ClassVar[Mapping[str, State]] = {
        "starting": State.WAITING,
        "processing": State.RENDERING,
        "succeeded": State.COMPLETED,
        "failed": State.FAILED,
        "canceled": State.CANCELLED,
        "aborted": State.FAILED,
    }
    options = PricedOptions

    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """Send the prediction. Replicate itself stops it at the deadline."""
        path, more = _endpoint(job.model)
        seconds = max(SHORTEST_DEADLINE, math.ceil(job.options.deadline_seconds))
        headers = {"Prefer": "respond-async", "Cancel-After": f"{seconds}s"}
        try:
            body = http.post(path, json={**more, "input": dict(job.inputs)}, headers=headers).json
        except RemoteFault as fault:
            if fault.kind != "not_found":
                raise
            text = f"There is no model {job.model}. One that is not official needs its version: owner/name:version"
            raise RemoteFault("invalid", text, is_refusal=True) from None
        return _submitted(body, job)

    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """Ask for the prediction."""
        body = _object(http.get(sent.urls["get"]))
        state = str(body.get("status", ""))
        step, total = log_progress(str(body.get("logs") or ""))
        files = tuple(ResultFile(url) for url in _files(body.get("output")))
        error = _error(state, body, bool(files))
        return Update(
            state, step, total, estimated=total > 0, results=files, error=error, cost=_cost_after(job, state, body)
        )

    def cancel(self, http: Http, job: RemoteJob, sent: Submitted) -> str:
        """Ask Replicate to stop the prediction."""
        status = str(_object(http.post(sent.urls["cancel"])).get("status", ""))
        return _CANCELS.get(status, f"Replicate answered that the prediction is {status or 'in no state'}.")

    def find(self, http: Http, job: RemoteJob) -> Submitted | None:
        """Look in the list of predictions for the one that was made of these inputs at that time.

        It is in the list only if it was sent through the API, and there must be no second one like it. Without a seed
        among the inputs, it could be that of another generation.
        """
        rows = Rows(job.options.inputs).rows
        if not any(row.source == "seed" and name in job.inputs for name, row in rows.items()):
            return None
        listed = _object(http.get("/v1/predictions")).get("results")
        found = [one for one in listed if _is_same(one, job)] if isinstance(listed, list) else []
        return _submitted(found[0], job) if len(found) == 1 else None

    def picture(self, http: Http, path: Path, options: Any) -> str:
        """A data URI, or the address of the uploaded picture if it is large."""
        if path.stat().st_size <= MAX_DATA_URI:
            return data_uri(path)
        data = path.read_bytes()
        kind = content_type(data)
        name = kind.replace("image/", "frame.")
        made = _object(http.post("/v1/files", files={"content": (name, data, kind)}))
        return str(made["urls"]["get"])

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """The fault in a problem of Replicate, which may have `retry_after` in it."""
        body = answer.json if isinstance(answer.json, dict) else {}
        text = str(body.get("detail") or body.get("title") or "")
        if answer.status == 429:
            seconds = body.get("retry_after")
            return RemoteFault("rate_limit", text, retry_after=float(seconds) if isinstance(seconds, int) else None)
        return None


def create(spec: EngineSpec) -> Engine:
    """An engine of the kind `replicate`.

    Raises:
        ConfigError: no model is named, or a key is wrong.
    """
    if not _MODEL.fullmatch(spec.model):
        raise spec.error("model", "owner/name, owner/name:version, a version or deployments/owner/name", spec.model)
    return PricedEngine(with_inputs(spec), Replicate())


def _endpoint(model: str) -> tuple[str, dict[str, str]]:
    """The path that takes jobs of a model, and what its body has besides the input.

    Args:
        model: `owner/name`, `owner/name:version`, a version, or `deployments/owner/name`.
    """
    if _VERSION.fullmatch(model):
        return "/v1/predictions", {"version": model}
    if model.startswith("deployments/"):
        return f"/v1/{model}/predictions", {}
    return f"/v1/models/{model}/predictions", {}


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.json, dict):
        raise RemoteFault("server", "Its answer is no JSON object.")
    return answer.json


def _submitted(body: Any, job: RemoteJob) -> Submitted:
    urls = body.get("urls") if isinstance(body, dict) else None
    if not isinstance(urls, dict) or not all(isinstance(urls.get(name), str) for name in ("get", "cancel")):
        raise RemoteFault("server", "Its answer has no addresses of the prediction.")
    price = price_of(job)
    cost = price.before(job.recipe.duration_seconds) if price else None
    return Submitted(id=str(body["id"]), urls={name: urls[name] for name in ("get", "cancel")}, cost=cost)


def _is_same(one: Any, job: RemoteJob) -> bool:
    """Whether a listed prediction can be this job: the same model and input, made when it was sent."""
    try:
        made = datetime.fromisoformat(one["created_at"])
        name = re.sub(r"^deployments/|:.*", "", job.model)
        is_model = name in (one["model"], one.get("version")) or job.model.startswith("deployments/")
        return is_model and one["input"] == dict(job.inputs) and abs(made - job.sent_at) <= CLOCK_SKEW
    except (KeyError, TypeError, ValueError):
        return False


def _error(state: str, body: Mapping[str, Any], has_file: bool) -> RemoteFault | None:
    """Why a prediction ended without a file; None: it did not."""
    text = str(body.get("error") or "")
    if state == "failed":
        kind: FaultKind = "moderation" if _SENSITIVE.search(text) else "failed"
        return RemoteFault(kind, text or "The model gave no reason.")
    if state == "aborted":
        return RemoteFault("timeout", "The prediction had not started at its deadline.")
    if state == "canceled":
        return RemoteFault("cancelled", "The prediction was cancelled, or reached its deadline.")
    if state == "succeeded" and not has_file:
        if body.get("data_removed"):
            return RemoteFault("not_found", "Replicate has deleted the output of the prediction.")
        return RemoteFault("failed", "The model gave no file.")
    return None


def _files(output: Any) -> list[str]:
    """The addresses of files in an output: one, a list, or the values of an object."""
    parts = output.values() if isinstance(output, dict) else output if isinstance(output, list) else [output]
    return [part for part in parts if isinstance(part, str) and part.startswith(("https://", "http://"))]


def _cost_after(job: RemoteJob, state: str, body: Mapping[str, Any]) -> Cost | None:
    """What Replicate counted, at the price that the operator has written down; None: not known (yet)."""
    price = price_of(job)
    metrics = body.get("metrics")
    if price is None or state not in _CANCELS or not isinstance(metrics, dict):
        return None
    names = {"second": "video_output_duration_seconds", "video": "video_output_count", "unit": "predict_time"}
    units = metrics.get(names[price.per])
    return price.after(float(units)) if isinstance(units, int | float) else None
