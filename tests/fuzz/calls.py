"""Makes the calls, and judges the answers by the description."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import hypothesis
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup

from tests.support.api import Session, connect
from tests.support.app import App
from tests.support.pictures import photo

SETTINGS = {
    "engines": ["until-cancelled", "bars"],
    "workers": 1,
    "max_seconds": 0.5,
    "max_pixels": 4096,
    "max_queue": 300,
    "max_active_per_session": 300,
}
"""Of the server: after the one result that is needed, the first job holds the only worker, so that no render takes
the processor from the calls."""
CHECKED = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
ALLOWED_5XX = {("GET", "/oembed", 501)}
ROUND = 12
"""How many calls of one operation come after each other."""


@schemathesis.serializer("application/zip")
def _zip(_context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@dataclass
class Outcome:
    """What came of the calls: their statuses, and each failing one once, as text that can be run."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


class Fuzzer:
    """Calls every operation of a server, three times of four with a session that owns something."""

    def __init__(self, app: App, seed: int) -> None:
        self._base_url = app.base_url
        self._random = random.Random(seed)
        self._http = connect(app.base_url)
        loaded = schemathesis.openapi.from_dict(self._http.get("/openapi.json").json())
        self._operations = [found.ok() for found in loaded.get_all_operations()]
        self._checks = CHECKS.get_by_names(CHECKED)
        self._known: dict[str, list[str]] = {}
        self._session = self._new_session()
        self.outcome = Outcome()

    def run(self, calls: int) -> Outcome:
        """Make so many calls, in rounds over all operations."""
        impossible: set[tuple[str, GenerationMode]] = set()
        for operation, mode in self._rounds():
            if self.outcome.calls >= calls:
                return self.outcome
            if (operation.label, mode) in impossible:
                continue
            strategy = operation.as_strategy(generation_mode=mode)
            test = hypothesis.given(strategy)(self._call)
            test = hypothesis.seed(self._random.getrandbits(32))(test)
            test = hypothesis.settings(
                max_examples=min(ROUND, calls - self.outcome.calls),
                database=None,
                deadline=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )(test)
            try:
                test()
            except hypothesis.errors.Unsatisfiable:
                impossible.add((operation.label, mode))  # such as a wrong value of what may be any text
        raise AssertionError("there is always another round")

    def close(self) -> None:
        self._http.close()
        self._session.close()

    def _rounds(self) -> Iterator[tuple[Any, GenerationMode]]:
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        while True:
            for mode in modes:
                for operation in self._operations:
                    if mode is GenerationMode.POSITIVE or _has_inputs(operation):
                        yield operation, mode

    def _new_session(self) -> Session:
        session = Session(self._base_url)
        done = session.submit()
        if not self._known:  # once is enough: it takes a while
            done = session.finish(done["id"])
        slug = session.post(f"/generations/{done['id']}/share").json()["slug"]
        file = session.upload(photo())
        self._known = {
            "generation_id": [done["id"]],
            "project_id": [done["projectId"]],
            "file_id": [file["id"], done["fileId"] or file["id"]],
            "slug": [slug],
            "engine_id": ["bars"],
        }
        return session

    def _call(self, case: Case) -> None:
        if self._random.random() < 0.5:
            for name, values in self._known.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = self._random.choice(values)
        sent = case.as_transport_kwargs(base_url=self._base_url)
        signed_in = self._random.random() < 0.75
        if signed_in:  # in the place of what was drawn
            sent["headers"]["Authorization"] = f"Bearer {self._session.token}"
        self._http.cookies.clear()
        response = self._send(sent)
        if response is None:
            return
        self.outcome.calls += 1
        self.outcome.statuses[response.status_code] += 1
        self._judge(case, response, sent["headers"])
        if signed_in and response.status_code == 401:  # this call or an earlier one has signed it out
            self._session.close()
            self._session = self._new_session()

    def _send(self, sent: dict[str, Any]) -> httpx.Response | None:
        """The answer; of an event stream only its head. None where the client itself refuses to send it."""
        known = {name: sent[name] for name in ("headers", "params", "cookies", "json", "data", "files") if name in sent}
        if isinstance(known.get("data"), bytes | str):
            known["content"] = known.pop("data")
        try:
            request = self._http.build_request(sent["method"], sent["url"], **known)
            request.read()
            response = self._http.send(request, stream=True)
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError, TypeError, AttributeError):
            return None
        try:
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                head = httpx.Response(response.status_code, headers=response.headers, content=b"", request=request)
                head.elapsed = timedelta(0)
                return head
            response.read()
            return response
        finally:
            response.close()

    def _judge(self, case: Case, response: httpx.Response, headers: dict[str, str]) -> None:
        problems: list[str] = []
        call = (case.method, case.path, response.status_code)
        if response.status_code >= 500 and call not in ALLOWED_5XX:
            problems.append(f"{response.status_code}: {response.text[:500]}")
        try:
            case.validate_response(response, checks=self._checks)
        except FailureGroup as group:
            problems += [_words(failure) for failure in group.exceptions]
        except Failure as failure:
            problems.append(_words(failure))
        for problem in problems:
            kind = f"{case.method} {case.path}: {response.status_code} {problem.splitlines()[0]}"
            curl = case.as_curl_command(headers=headers, base_url=self._base_url)
            self.outcome.failures.setdefault(kind, f"{problem}\n{curl}")


def _has_inputs(operation: Any) -> bool:
    """Whether anything can be wrong in a call; what stands in a path may be any text."""
    parts = (operation.query, operation.headers, operation.body)
    return any(len(part.items) if hasattr(part, "items") else len(part) for part in parts)


def _words(failure: Exception) -> str:
    title = getattr(failure, "title", type(failure).__name__)
    return f"{title}: {str(getattr(failure, 'message', failure))[:500]}"
