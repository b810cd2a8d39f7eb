"""The metrics that this process counts and measures, since its start.

What is read from the database and the system at each scrape is in `services.metrics`. docs/operations.md lists both.

Labels have few values: ids of configured engines, stable codes, templates of routes. Never prompts, ids or addresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

OTHER: Final = "other"
"""The label of an engine that is not on offer, and of codes above `MAX_CODES`."""
MAX_CODES: Final = 100
"""Different codes in labels: an engine may fail with any code of its own."""
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_JOB_SECONDS: Final = (1, 5, 15, 60, 300, 900, 3600, 10800)
_STEP_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_WRITE_SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5)
_REQUEST_SECONDS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
# One more series for each one, which nobody needs: all begin when the process does.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Counters and histograms of one app. Thread-safe."""

    def __init__(self, engines: Collection[str] = ()) -> None:
        """`engines` are the ids of the engines on offer; it may change meanwhile."""
        self._engines = engines
        self._codes: set[str] = set()
        self.registry = CollectorRegistry()
        self._submitted = self._counter("generations_submitted", "Generations accepted.", "engine", "type")
        self._ended = self._counter("generations_ended", "Generations that ended.", "engine", "status", "code")
        self._requeued = self._counter("attempts_requeued", "Attempts that ended without an end of the job.", "engine")
        self._waited = self._histogram("queue_wait_seconds", "From the submit to the first start.", _JOB_SECONDS)
        self._rendered = self._histogram("render_seconds", "From the first start to the result.", _JOB_SECONDS)
        self._steps = self._histogram("step_seconds", "One step of a render.", _STEP_SECONDS)
        self._requests = self._counter("http_requests", "Requests answered.", "method", "route", "status")
        self._problems = self._counter("problems", "Requests answered with an error.", "code")
        texts = ("The wait of a write for its turn.", "A write with its wait.", "Answers of the API, without streams.")
        self._write_wait = self._histogram("database_write_wait_seconds", texts[0], _WRITE_SECONDS, ())
        self._write = self._histogram("database_write_seconds", texts[1], _WRITE_SECONDS, ())
        self._answer = self._histogram("http_request_seconds", texts[2], _REQUEST_SECONDS, ())
        for engine in engines:
            # A rate needs the zero before the first one.
            self._ended.labels(engine, "completed", "")
            for family in (self._requeued, self._waited, self._rendered, self._steps):
                family.labels(engine)

    def submitted(self, engine: str, kind: str) -> None:
        """Count a generation that was accepted; `kind` is its type."""
        self._submitted.labels(self._engine(engine), kind).inc()

    def ended(self, engine: str, status: str, code: str) -> None:
        """Count a generation that ended, with the code of its error."""
        self._ended.labels(self._engine(engine), status, self._code(code)).inc()

    def requeued(self, engine: str) -> None:
        """Count an attempt after which its generation is queued again."""
        self._requeued.labels(self._engine(engine)).inc()

    def waited(self, engine: str, seconds: float) -> None:
        """Measure how long a generation waited in the queue."""
        self._waited.labels(self._engine(engine)).observe(max(seconds, 0.0))

    def rendered(self, engine: str, seconds: float) -> None:
        """Measure how long a generation took from its start to its result."""
        self._rendered.labels(self._engine(engine)).observe(max(seconds, 0.0))

    def stepped(self, engine: str, seconds: float) -> None:
        """Measure one step of a render."""
        self._steps.labels(self._engine(engine)).observe(max(seconds, 0.0))

    def wrote(self, waited: float, total: float) -> None:
        """Measure a write transaction, in seconds: its wait for the turn, and all of it."""
        self._write_wait.observe(waited)
        self._write.observe(total)

    def answered(self, method: str, route: str, status: int, code: str) -> None:
        """Count a request, by the template of its route; `code` is that of its error, or empty."""
        self._requests.labels(method, route, status).inc()
        if code:
            self._problems.labels(self._code(code)).inc()

    def refused(self) -> dict[str, int]:
        """How many requests were answered with each error code."""
        samples = (sample for family in self._problems.collect() for sample in family.samples)
        counts = {one.labels["code"]: int(one.value) for one in samples if one.name.endswith("_total")}
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def took(self, seconds: float) -> None:
        """Measure an answer of the API."""
        self._answer.observe(seconds)

    def _engine(self, engine: str) -> str:
        return engine if engine in self._engines else OTHER

    def _code(self, code: str) -> str:
        if code in self._codes or not code:
            return code
        if len(self._codes) >= MAX_CODES or not _CODE.fullmatch(code):
            return OTHER
        self._codes.add(code)
        return code

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"videogen_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ("engine",)
    ) -> Histogram:
        return Histogram(f"videogen_{name}", text, labels, buckets=buckets, registry=self.registry)
