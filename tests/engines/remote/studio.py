"""The module of a provider that does not exist: what a child process loads. See tests/support/providers/studio.py."""

from typing import ClassVar

from videogen.engines.remote.engine import create_for
from videogen.engines.remote.options import InputRow
from videogen.engines.remote.provider import Provider, RemoteFault, ResultFile, State, Submitted, Update
from videogen.schemas.engines import Cost


class Studio(Provider):
    """It can neither be watched, nor find a job."""

    name = "Studio"
    key_variable = "STUDIO_KEY"
    look_at = "https://studio.example/jobs"
    states: ClassVar = {
        "queued": State.WAITING,
        "running": State.RENDERING,
        "done": State.COMPLETED,
        "failed": State.FAILED,
        "cancelled": State.CANCELLED,
    }
    inputs: ClassVar = {
        "text": InputRow(source="prompt"),
        "width": InputRow(source="width"),
        "height": InputRow(source="height"),
        "fps": InputRow(source="fps"),
        "seconds": InputRow(source="seconds"),
        "seed": InputRow(source="seed"),
        "picture": InputRow(source="first_frame"),
        "style": InputRow(choices=("plain", "noir"), title="Style"),
    }
    poll_seconds = (0.01, 0.05)

    def submit(self, http, job):
        body = {"model": job.model, "input": dict(job.inputs), "token": job.id}
        made = http.post("/jobs", json=body).json
        return Submitted(id=made["id"], urls={"job": made["url"]}, cost=Cost(amount=0.5, currency="USD"))

    def poll(self, http, job, sent):
        answer = http.get(sent.urls["job"], accepts=lambda answer: "status" in (answer.json or ()))
        return self.update(answer.json)

    def update(self, found):
        error = found.get("error")
        return Update(
            state=found["status"],
            step=found.get("step", 0),
            total=found["total"],
            position=found.get("position"),
            results=(ResultFile(found["video"]),) if "video" in found else (),
            error=RemoteFault("failed", error["message"]) if error else None,
            cost=Cost(amount=found["price"], currency="USD", estimated=False) if "price" in found else None,
        )

    def cancel(self, http, job, sent):
        answer = http.send("DELETE", sent.urls["job"]).json
        return f"Studio answered {answer['status']}, and charged {answer['charged']:g} USD."

    def read_error(self, answer):
        error = (answer.json or {}).get("error") if isinstance(answer.json, dict) else None
        kind = {"moderation": "moderation", "no_credit": "credit", "timeout": "timeout"}.get((error or {}).get("type"))
        return RemoteFault(kind, error["message"]) if kind else None


class Finding(Studio):
    """It finds a job by the id that videogen gave it, but not for certain."""

    def find(self, http, job):
        items = http.get("/jobs", params={"token": job.id}).json["items"]
        return Submitted(id=items[0]["id"], urls={"job": items[0]["url"]}) if items else None


class Certain(Finding):
    """A job that it does not find does not exist."""

    find_is_certain = True


class Watched(Studio):
    """It has a stream."""

    def watch(self, http, job, sent):
        for event in http.stream(f"{sent.urls['job']}/events"):
            yield self.update(event.json())


create, finding, certain, watched = map(create_for, (Studio, Finding, Certain, Watched))
