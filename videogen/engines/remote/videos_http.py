"""The kind `videos-http`: a server or gateway of `/v1/videos`, such as vLLM-Omni, SGLang or LiteLLM.

They agree on the paths and differ in the rest:

- vLLM-Omni reads forms only; SGLang and LiteLLM read JSON too.
- vLLM-Omni answers for a failed job with an HTTP error that carries the job.
- DELETE stops a job of vLLM-Omni, removes only the record of one of SGLang, and is unknown to some gateways.
- SGLang with a cloud storage refuses `/content`, and names the address in the job.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote, urljoin, urlsplit

from pydantic import Field

from videogen.engines.remote.answers import error_text
from videogen.engines.remote.engine import RemoteEngine
from videogen.engines.remote.options import InputRow, Inputs, RemoteOptions
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

_UNREAD: Final = "The server does not read a job in this format"
_PICTURE: Final = re.compile(r"data:(image/(\w+));base64,")
_MODERATION: Final = re.compile(r"moderat|content_policy|safety|nsfw", re.IGNORECASE)
_CREDIT: Final = re.compile(r"insufficient_quota|budget_exceeded|insufficient_credit|billing", re.IGNORECASE)


class VideosOptions(RemoteOptions):
    """The keys of a `videos-http` engine."""

    format: Literal["auto", "multipart", "json"] = Field(
        default="auto",
        description="of the POST; auto: a form, and JSON if the server shows that it does not read forms",
    )


class VideosHttp(Provider):
    """Speaks `/v1/videos`. `base_url` may end in `/v1`, as other clients of such servers have it."""

    states: ClassVar[Mapping[str, State]] = {
        "queued": State.WAITING,
        "in_progress": State.RENDERING,
        "running": State.RENDERING,
        "completed": State.COMPLETED,
        "failed": State.FAILED,
        "cancelled": State.CANCELLED,
        "deleted": State.CANCELLED,
    }
    inputs: ClassVar[Inputs] = {
        "prompt": InputRow(source="prompt"),
        "negative_prompt": InputRow(source="negative_prompt"),
        "seconds": InputRow(source="seconds", type="integer", minimum=1),
        "size": InputRow(source="size"),
        "fps": InputRow(source="fps", type="integer"),
        "seed": InputRow(source="seed", type="integer"),
        "input_reference": InputRow(source="first_frame"),
    }
    options = VideosOptions
    takes_visitors = True

    def __init__(self, base_url: str = "", *, charges: bool = True) -> None:
        """
        Args:
            base_url: of the engine. Its host is the name in messages.
            charges: whether jobs cost money; they do not on a server of one's own.
        """
        self.charges = charges
        self.name = urlsplit(base_url).netloc.rpartition("@")[2] or "a server of /v1/videos"

    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """Send a form, or JSON. A second POST follows only if the first cannot have made a job: see `read_error`."""
        assert isinstance(job.options, VideosOptions)
        fields = {**({"model": job.model} if job.model else {}), **job.inputs}
        if job.options.format == "json":
            answer = http.post(_path(http), json=_as_json(fields))
        else:
            try:
                answer = http.post(_path(http), files=_as_form(fields))
            except RemoteFault as fault:
                if job.options.format != "auto" or not (fault.is_refusal and fault.message.startswith(_UNREAD)):
                    raise
                answer = http.post(_path(http), json=_as_json(fields))
        if not _is_job(answer):
            raise RemoteFault("server", "Its answer to the POST has no id of a job.")
        return Submitted(id=answer.json["id"])

    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """Ask for the job. An error status that carries a job is an answer."""
        answer = http.get(_path(http, sent.id), accepts=_is_job)
        if not _is_job(answer):
            raise RemoteFault("server", "Its answer has no job.")
        found, status = answer.json, str(answer.json["status"])
        progress = found.get("progress")
        is_moving = isinstance(progress, int | float) and 0 < progress <= 100 and status != "queued"
        return Update(
            state=status,
            step=int(progress) if is_moving else 0,
            total=100 if is_moving else 0,
            results=(ResultFile(self._result(http, sent, found)),),
            error=_job_error(found) if self.states.get(status) is State.FAILED else None,
        )

    def cancel(self, http: Http, job: RemoteJob, sent: Submitted) -> str:
        """Delete the job, and return what that meant to this server."""
        try:
            answer = http.send("DELETE", _path(http, sent.id))
        except RemoteFault as fault:
            return f"The server did not confirm that it stopped the job: {fault.message}"
        body = answer.json if isinstance(answer.json, dict) else {}
        if body.get("status") == "deleted":
            return "The server deleted its record of the job. It cannot stop a render, so this one may go on there."
        return "The server stopped the job and deleted it."

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """Tell apart what has the same status.

        The POST always has a prompt. A server that misses it has not read the body, and without a prompt it makes no
        job: only that, and 415, are taken as a refusal of the format.
        """
        is_missing = re.search(r"\bprompt\b", answer.text) and re.search(r"missing|required", answer.text)
        if answer.status == 415 or (answer.status in (400, 422) and is_missing):
            return RemoteFault("invalid", f"{_UNREAD} ({answer.status}): {error_text(answer)}", is_refusal=True)
        error = answer.json.get("error") if isinstance(answer.json, dict) else None
        kind = _kind(error) if isinstance(error, dict) else None
        return RemoteFault(kind, error_text(answer)) if kind else None

    def _result(self, http: Http, sent: Submitted, found: Mapping[str, Any]) -> str:
        url = found.get("url")
        return urljoin(f"{http.base_url}/", url) if isinstance(url, str) and url else _path(http, sent.id) + "/content"


def create(spec: EngineSpec) -> RemoteEngine:
    """Make an engine of its configuration."""
    # Who needs no key for a server hardly pays for it.
    provider = VideosHttp(str(spec.options.get("base_url", "")), charges=bool(spec.options.get("key")))
    return RemoteEngine(spec, provider)


def _path(http: Http, name: str = "") -> str:
    videos = "/videos" if http.base_url.endswith("/v1") else "/v1/videos"
    return f"{videos}/{quote(name, safe='')}" if name else videos


def _is_job(answer: Answer) -> bool:
    job = answer.json
    return isinstance(job, dict) and isinstance(job.get("id"), str) and bool(job["id"]) and "status" in job


def _job_error(job: Mapping[str, Any]) -> RemoteFault:
    error = job.get("error")
    if not isinstance(error, dict):
        return RemoteFault("failed", str(error or ""))
    text = str(error.get("message") or "")
    return RemoteFault(_kind(error) or ("timeout" if "timeout" in text.lower() else "failed"), text)


def _kind(error: Mapping[str, Any]) -> FaultKind | None:
    """The kind of an error by its code and type; None: they do not tell."""
    names = f"{error.get('code')} {error.get('type')}"
    if _CREDIT.search(names):
        return "credit"
    return "moderation" if _MODERATION.search(names) else None


def _as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a JSON POST. A picture of `input_reference` is an object there."""
    picture = fields.get("input_reference")
    is_bare = isinstance(picture, str) and _PICTURE.match(picture)
    return {**fields, **({"input_reference": {"image_url": picture}} if is_bare else {})}


def _as_form(fields: Mapping[str, Any]) -> dict[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]]:
    """The parts of a form: pictures as files, all else as text, also tables and lists as JSON."""
    parts: dict[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]] = {}
    for name, value in fields.items():
        if isinstance(value, str) and (found := _PICTURE.match(value)):
            data = base64.b64decode(value[found.end() :])
            parts[name] = (f"{name}.{found[2]}", data, found[1])
        else:
            parts[name] = (None, value if isinstance(value, str) else json.dumps(value))
    return parts
