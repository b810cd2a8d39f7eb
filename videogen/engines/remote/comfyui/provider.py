"""How a ComfyUI server takes a workflow, reports on it and cancels it.

`/api/jobs` is asked where the server has it; else history and queue, which every version has.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import httpx
from websockets.sync.client import ClientConnection

from videogen.engines.base import Recipe
from videogen.engines.remote.comfyui.faults import error_of_answer, error_of_job
from videogen.engines.remote.comfyui.outputs import find_result
from videogen.engines.remote.comfyui.progress import FEATURES, Progress
from videogen.engines.remote.comfyui.workflow import Workflow
from videogen.engines.remote.http import HttpClient
from videogen.engines.remote.options import RemoteOptions
from videogen.engines.remote.provider import (
    Answer,
    Http,
    Provider,
    RemoteFault,
    RemoteJob,
    ResultFile,
    State,
    Submitted,
    Update,
)
from videogen.engines.remote.websocket import open_websocket
from videogen.media.picture_sequence import is_animated_webp, join_pictures
from videogen.media.types import HEAD_BYTES, kind_of

FOLDER: Final = "videogen"
"""Of uploaded pictures, below the input folder of ComfyUI."""
_LISTEN_SECONDS: Final = 1.0
"""How long the websocket is listened to before the job reports that it is alive."""
_LOOK_SECONDS: Final = 10.0
"""How often the job is looked at while the websocket says nothing of its end."""
_QUEUES: Final = ("queue_running", "queue_pending")
_ENDED: Final = ("completed", "failed", "cancelled")
_NO_ROUTE: Final = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)
Job = Mapping[str, Any]
"""A job as `/api/jobs/{id}` has it."""


class ComfyUI(Provider):
    """A server of one's own: it costs nothing, and a job that it does not know does not exist."""

    name = "ComfyUI"
    base_url = "http://127.0.0.1:8188"
    states: ClassVar[Mapping[str, State]] = {
        "pending": State.WAITING,
        "in_progress": State.RENDERING,
        "completed": State.COMPLETED,
        "failed": State.FAILED,
        "cancelled": State.CANCELLED,
    }
    find_is_certain = True
    charges = False

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow

    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """See `Provider.submit`. The id of the job is ours, and so is the websocket on which its messages come."""
        known = job.recipe.settings.get("workflow", self.workflow.digest)
        if known != self.workflow.digest:
            text = "The workflow file has changed since then. Restart videogen, and start a new generation."
            raise RemoteFault("invalid", text, is_refusal=True)
        body = {"prompt": self.workflow.filled(job.inputs), "prompt_id": job.id, "client_id": job.id}
        try:
            answer = http.post("/prompt", json=body)
        except RemoteFault as fault:
            if fault.kind != "not_found":
                raise
            raise RemoteFault(
                "invalid", f"{http.base_url} is no ComfyUI server. Correct `base_url`.", is_refusal=True
            ) from None
        given = answer.json.get("prompt_id") if isinstance(answer.json, dict) else None
        if not given:
            raise RemoteFault("server", f"It answered {answer.text[:100]!r} to a workflow. Is it a ComfyUI server?")
        return Submitted(id=str(given))

    def find(self, http: Http, job: RemoteJob) -> Submitted | None:
        """See `Provider.find`."""
        return Submitted(id=job.id) if _look(http, job.id) else None

    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """See `Provider.poll`."""
        found = _look(http, sent.id)
        if found is None:
            raise RemoteFault("not_found", "It does not know the job: it was restarted, or its history was cleared.")
        status = str(found.get("status"))
        if status == "pending":
            return Update(status, position=_position(http, sent.id))
        if status == "failed":
            return Update(status, error=error_of_job(found.get("execution_error"), self.workflow.nodes))
        return self._completed(http, job, found) if status == "completed" else Update(status)

    def _completed(self, http: Http, job: RemoteJob, found: Job) -> Update:
        kind, marked = job.recipe.type, self.workflow.output
        files = find_result(found.get("outputs") or {}, kind, marked)
        if not files or (kind == "video" and len(files) == 1 and not (files[0].is_video or files[0].is_animated)):
            where = f"Node {marked}, which is marked as the output," if marked else "The workflow"
            what = "video" if kind == "video" else "picture"
            text = f"{where} has saved no {what}. Let it save one, for example with the node Save {what.capitalize()}."
            return Update("completed", error=RemoteFault("bad_result", text))
        urls = [f"{http.base_url}/view?{urlencode(file.query)}" for file in files]
        return Update("completed", results=tuple(map(ResultFile, urls)))

    def cancel(self, http: Http, job: RemoteJob, sent: Submitted) -> str:
        """See `Provider.cancel`. Jobs of others go on."""
        try:
            answer = http.post(f"/api/jobs/{sent.id}/cancel")
        except RemoteFault as fault:
            if fault.kind not in ("not_found", "invalid"):
                raise
            is_stopped = _cancel_old(http, sent.id)
        else:
            is_stopped = bool(isinstance(answer.json, dict) and answer.json.get("cancelled"))
        return "ComfyUI has stopped the job." if is_stopped else "ComfyUI had no such job that could be stopped."

    def watch(self, http: Http, job: RemoteJob, sent: Submitted) -> Iterator[Update]:
        """See `Provider.watch`: the messages of the websocket of this job, until it breaks or the job has ended."""
        assert isinstance(http, HttpClient)
        progress = Progress(sent.id, self.workflow.filled(job.inputs))
        with open_websocket(http, f"/ws?clientId={job.id}") as socket:
            socket.send(FEATURES)
            # What has happened before it was open is not sent again.
            update, looked = self.poll(http, job, sent), time.monotonic()
            while True:
                yield update
                if update.state in _ENDED or update.error is not None:
                    return
                update = progress.read(_message(socket)) or _merged(update, progress)
                if progress.has_ended or time.monotonic() - looked > _LOOK_SECONDS:
                    update, looked = _merged(self.poll(http, job, sent), progress), time.monotonic()

    def picture(self, http: Http, path: Path, options: RemoteOptions) -> str:
        """See `Provider.picture`: upload it, under a name that its content decides."""
        data = path.read_bytes()
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{(kind_of(data[:HEAD_BYTES]) or 'PNG').lower()}"
        form = {"subfolder": FOLDER, "type": "input", "overwrite": "true"}
        answer = http.post("/upload/image", data=form, files={"image": (name, data)})
        if not isinstance(answer.json, dict) or "name" not in answer.json:
            raise RemoteFault("server", f"It answered {answer.text[:100]!r} to a picture.", is_refusal=True)
        folder = answer.json.get("subfolder")
        return f"{folder}/{answer.json['name']}" if folder else str(answer.json["name"])

    def join(
        self, paths: Sequence[Path], target: Path, recipe: Recipe, watch: Callable[[tuple[int, int] | None], None]
    ) -> None:
        """See `Provider.join`: frames, and an animated WebP, become a video."""
        if recipe.type == "video" and (len(paths) > 1 or is_animated_webp(paths[0])):
            join_pictures(paths, target, recipe.fps, watch)
        else:
            paths[0].replace(target)

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """See `Provider.read_error`."""
        return error_of_answer(answer, self.workflow.nodes)


def _message(socket: ClientConnection) -> str | bytes:
    """The next message; an empty one if none came for a while."""
    try:
        message = socket.recv(timeout=_LISTEN_SECONDS)
    except TimeoutError:
        return ""
    return message if isinstance(message, str) else bytes(message)


def _merged(update: Update, progress: Progress) -> Update:
    """A look at the job, with the steps that the websocket has reported."""
    return replace(progress.update(), state=update.state) if update.state == "in_progress" else update


def _look(http: Http, job_id: str) -> Job | None:
    """The job as the server knows it; None if it does not."""
    answer = http.get(f"/api/jobs/{job_id}", accepts=lambda answer: answer.status in _NO_ROUTE)
    if not isinstance(answer.json, dict):
        return _look_old(http, job_id)
    if answer.status != httpx.codes.OK:
        return None
    # The first versions of this route do not tell a job that was interrupted from one that failed.
    messages = _messages(answer.json.get("execution_status"))
    return answer.json | {"status": "cancelled"} if "execution_interrupted" in messages else answer.json


def _look_old(http: Http, job_id: str) -> Job | None:
    """The same from the history and the queue of a server without `/api/jobs`."""
    history = http.get(f"/history/{job_id}").json
    if isinstance(history, dict) and isinstance(entry := history.get(job_id), dict):
        messages = _messages(entry.get("status"))
        if (entry.get("status") or {}).get("status_str") != "error":
            return {"status": "completed", "outputs": entry.get("outputs")}
        if "execution_interrupted" in messages:
            return {"status": "cancelled"}
        return {"status": "failed", "execution_error": messages.get("execution_error")}
    running, pending = _queue(http)
    if job_id in running:
        return {"status": "in_progress"}
    return {"status": "pending"} if job_id in pending else None


def _messages(status: Any) -> dict[str, Any]:
    """What has happened to a job, by the name of the event."""
    return {message[0]: message[1] for message in (status or {}).get("messages") or ()}


def _queue(http: Http) -> tuple[list[str], list[str]]:
    """The jobs that run, and those that wait, the next one first."""
    queue = http.get("/queue").json
    if not isinstance(queue, dict):
        raise RemoteFault("server", "Its queue is no JSON. Is it a ComfyUI server?")
    running, pending = (sorted(queue.get(name) or (), key=lambda row: row[0]) for name in _QUEUES)
    return [str(row[1]) for row in running], [str(row[1]) for row in pending]


def _position(http: Http, job_id: str) -> int | None:
    """How many jobs are before this one; None if it does not wait any more."""
    wanted = {"status": "pending,in_progress"}
    answer = http.get("/api/jobs", params=wanted, accepts=lambda answer: answer.status in _NO_ROUTE)
    if not isinstance(answer.json, dict):
        running, pending = _queue(http)
        return len(running) + pending.index(job_id) if job_id in pending else None
    jobs = answer.json.get("jobs") or ()
    own = next((job for job in jobs if job.get("id") == job_id and job.get("status") == "pending"), None)
    if own is None:
        return None
    number = own.get("priority", 0)
    return len([job for job in jobs if job.get("status") == "in_progress" or job.get("priority", 0) < number])


def _cancel_old(http: Http, job_id: str) -> bool:
    """Cancel at a server without `/api/jobs`. An old `/interrupt` stops whatever runs, so the job must be running."""
    running, pending = _queue(http)
    if job_id in pending:
        http.post("/queue", json={"delete": [job_id]})
    elif job_id in running:
        http.post("/interrupt", json={"prompt_id": job_id})
    return job_id in (*running, *pending)
