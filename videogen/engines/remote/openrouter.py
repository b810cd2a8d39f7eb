"""The kind `openrouter`: models for videos of openrouter.ai, with the price before the render and the cost after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote, urljoin

from videogen.engines.remote.answers import error_text
from videogen.engines.remote.engine import RemoteEngine
from videogen.engines.remote.openrouter_prices import ModelList, Row, estimate
from videogen.engines.remote.options import InputRow, Inputs
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
from videogen.schemas.engines import Capabilities, Cost, Explanation

_FRAMES: Final = ("first_frame", "last_frame")
_MODERATION: Final = re.compile(r"moderat|flagged|safety|sensitive|prohibited|content policy", re.IGNORECASE)
_CREDIT: Final = re.compile(r"credit|limit exceeded|balance|quota", re.IGNORECASE)


class OpenRouter(Provider):
    """Speaks the video API of OpenRouter."""

    name = "OpenRouter"
    base_url = "https://openrouter.ai/api/v1"
    key_variable = "OPENROUTER_API_KEY"
    look_at = "https://openrouter.ai/activity"
    credit_at = "https://openrouter.ai/settings/credits"
    poll_seconds = (5.0, 20.0)
    states: ClassVar[Mapping[str, State]] = {
        "pending": State.WAITING,
        "in_progress": State.RENDERING,
        "completed": State.COMPLETED,
        "failed": State.FAILED,
        "expired": State.FAILED,
        "cancelled": State.CANCELLED,
    }
    inputs: ClassVar[Inputs] = {
        "prompt": InputRow(source="prompt"),
        "duration": InputRow(source="seconds", type="integer", minimum=1),
        "resolution": InputRow(source="resolution", choices=("480p", "720p", "1080p"), default="720p"),
        "aspect_ratio": InputRow(source="aspect_ratio", choices=("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")),
        "seed": InputRow(source="seed", type="integer"),
        "generate_audio": InputRow(type="boolean", title="Sound", description="Costs more with some models."),
        "first_frame": InputRow(source="first_frame"),
        "last_frame": InputRow(source="last_frame"),
    }

    def __init__(self, model: str = "", base_url: str = "") -> None:
        """
        Args:
            model: of the engine.
            base_url: of the engine; empty: OpenRouter's own.
        """
        self._models, self._model = ModelList((base_url or self.base_url).rstrip("/")), model

    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """Send the job. Frames are put into one list, each with its type."""
        fields = {name: value for name, value in job.inputs.items() if name not in _FRAMES}
        frames = [
            {"type": "image_url", "image_url": {"url": job.inputs[name]}, "frame_type": name}
            for name in _FRAMES
            if name in job.inputs
        ]
        if frames:
            fields["frame_images"] = frames
        # Before the POST: what it answers is to be stored at once.
        cost = self._price(self._models.find(job.model, wait=True), job.inputs)
        answer = http.post("/videos", json={"model": job.model, **fields})
        body = answer.json if isinstance(answer.json, dict) else {}
        if not isinstance(name := body.get("id"), str) or not name:
            raise RemoteFault("server", "Its answer to the POST has no id of a job.")
        polling_url = body.get("polling_url") or _path(name)
        return Submitted(id=name, urls={"poll": _absolute(http, str(polling_url))}, cost=cost)

    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """Ask for the job at the address that came with it."""
        found = http.get(sent.urls["poll"]).json
        if not isinstance(found, dict) or not isinstance(state := found.get("status"), str):
            raise RemoteFault("server", "Its answer has no status.")
        usage = found.get("usage")
        amount = usage.get("cost") if isinstance(usage, dict) else None
        error = found.get("error")
        return Update(
            state=state,
            results=tuple(ResultFile(_absolute(http, url)) for url in _results(found, sent)),
            error=_job_error(state, error) if self.states.get(state) is State.FAILED else None,
            cost=Cost(amount=amount, currency="USD", estimated=False) if _is_amount(amount) else None,
        )

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """Tell apart what has the same status: 403 is a refused prompt, a spent limit of the key, or a wrong key."""
        text = error_text(answer)
        kind: FaultKind | None = None
        if answer.status == 403:
            kind = _kind_of_403(answer, text)
        elif answer.status == 404 and "No endpoints found" in text:
            kind = "invalid"
        elif answer.status == 400 and _MODERATION.search(text):
            kind = "moderation"
        return RemoteFault(kind, text) if kind else None

    def capabilities(self, made: Capabilities) -> Capabilities:
        """Which frames the model takes, once the list of models is here."""
        if (row := self._models.find(self._model)) is None:
            return made
        frames = row.get("supported_frame_images") or ()
        return made.model_copy(
            update={
                "image_input": made.image_input and "first_frame" in frames,
                "last_frame": made.last_frame and "last_frame" in frames,
            }
        )

    def explain(self, model: str, inputs: Mapping[str, Any]) -> Explanation:
        """The price from the list of models; unknown until the list is here."""
        return Explanation(cost=self._price(self._models.find(model), inputs))

    @staticmethod
    def _price(row: Row | None, inputs: Mapping[str, Any]) -> Cost | None:
        amount = estimate(row, inputs) if row else None
        return None if amount is None else Cost(amount=amount, currency="USD")


def create(spec: EngineSpec) -> RemoteEngine:
    """Make an engine of its configuration.

    Raises:
        ConfigError: no model is named, or a key is wrong.
    """
    if not spec.model:
        raise spec.error("model", "the name of a model for videos, such as google/veo-3.1", spec.model)
    return RemoteEngine(spec, OpenRouter(spec.model, str(spec.options.get("base_url") or "")))


def _path(name: str) -> str:
    return f"/videos/{quote(name, safe='')}"


def _absolute(http: Http, url: str) -> str:
    """An address in an answer, which may be only a path on OpenRouter's host."""
    below = url.startswith("/videos/")
    return http.base_url + url if below else urljoin(f"{http.base_url}/", url)


def _results(job: Mapping[str, Any], sent: Submitted) -> list[str]:
    """Where the video can be: first on OpenRouter itself, with the key, then the signed copy in its storage."""
    found = [*(job.get("unsigned_urls") or ()), *(job.get("urls") or ())]
    return [url for url in found if isinstance(url, str)] or [f"{_path(sent.id)}/content?index=0"]


def _job_error(state: str, error: Any) -> RemoteFault:
    text = str(error.get("message") if isinstance(error, dict) else error or "")
    if state == "expired":
        return RemoteFault("timeout", text)
    return RemoteFault("moderation" if _MODERATION.search(text) else "failed", text)


def _kind_of_403(answer: Answer, text: str) -> FaultKind:
    error = answer.json.get("error") if isinstance(answer.json, dict) else None
    metadata = error.get("metadata") if isinstance(error, dict) else None
    if isinstance(metadata, dict) and ("reasons" in metadata or "flagged_input" in metadata):
        return "moderation"
    if _MODERATION.search(text):
        return "moderation"
    return "credit" if _CREDIT.search(text) else "key"


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
