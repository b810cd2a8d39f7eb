"""What a provider's module writes: how its API takes a job, reports on it, and cancels it.

All else is the same for every provider, and is in `engine` and `http`: a job is stored before it is sent, sent once,
followed to its end across restarts, and its result is fetched at once. A provider in full, in 40 lines, is in
docs/engines/remote.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol

from pydantic import Field

from videogen.engines.base import Recipe
from videogen.engines.remote.options import Inputs, RemoteOptions
from videogen.engines.remote.pictures import data_uri
from videogen.schemas.base import Model
from videogen.schemas.engines import Capabilities, Cost, Explanation

FaultKind = Literal[
    "key",  # missing, wrong or revoked
    "credit",  # exhausted
    "moderation",  # the prompt, picture or result is not allowed
    "invalid",  # the provider does not take this input
    "rate_limit",  # too many requests; see `retry_after`
    "timeout",  # the provider gave the job up, before or after its start
    "server",  # the provider has a fault, or is not reachable
    "not_found",  # it does not know the job or file (any more)
    "failed",  # the model failed
    "cancelled",  # somebody cancelled it at the provider
    "bad_result",  # the result is no whole video
    "refused_host",  # an address that is not allowed
]

MAX_RETRY_AFTER: Final = 86_400.0  # seconds


class RemoteFault(Exception):
    """What went wrong at a provider: raised, or the `error` of an `Update`.

    `message` is the provider's own text, without advice: the engine adds what to do, by `kind`.
    """

    def __init__(
        self, kind: FaultKind, message: str = "", *, retry_after: float | None = None, is_refusal: bool = False
    ) -> None:
        """
        Args:
            kind: what it is.
            message: the provider's text, for people.
            retry_after: seconds that the provider asks for.
            is_refusal: raised by `submit`: no job was made for certain.
        """
        super().__init__(message)
        self.kind: FaultKind = kind
        self.message, self.is_refusal = message, is_refusal
        self.retry_after = None if retry_after is None else min(max(0.0, retry_after), MAX_RETRY_AFTER)


class State(Enum):
    """What a status of a provider means."""

    WAITING = "waiting"
    """In the provider's queue, or its model is loaded."""
    RENDERING = "rendering"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """One job, as it is sent. It is the same for all attempts, apart from `attempt`."""

    id: str
    """A UUID in canonical form, made for this job and stored before it is sent, for providers that take one."""
    model: str
    inputs: Mapping[str, Any]
    """The model's input, nested as it is sent."""
    recipe: Recipe
    options: RemoteOptions
    """An instance of the provider's `options`. The key is not in it: `Http` adds it."""
    generation_id: str
    attempt: int
    sent_at: datetime
    """When the job was stored to be sent, by the clock of this machine."""


class Submitted(Model):
    """A job that the provider has. It is stored, so it must contain no key."""

    id: str = Field(max_length=1000, description="the provider's id of the job")
    urls: dict[str, str] = Field(default_factory=dict, description="addresses that the provider gave, by their names")
    cost: Cost | None = Field(default=None, description="where it is known before the render")


@dataclass(frozen=True, slots=True)
class ResultFile:
    """Where a result can be fetched. The key goes along only to hosts that get it anyway."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check((self.url,), str)


@dataclass(frozen=True, slots=True)
class Update:
    """What the provider reports of a job."""

    state: str
    """The provider's own name of the status; `Provider.states` says what it means."""
    step: int = 0
    total: int = 0
    """Steps of the render; 0: not known."""
    message: str = ""
    """For people; empty: made of the state and the position."""
    estimated: bool = False
    """Whether the steps are guessed, for example from lines of a log."""
    position: int | None = None
    """Jobs before this one in the provider's queue."""
    results: tuple[ResultFile, ...] = ()
    """Of a completed job; the first one is fetched, or all for `Provider.join`."""
    error: RemoteFault | None = None
    """Why it failed; it ends the job whatever the state is."""
    cost: Cost | None = None
    preview: bytes | None = None
    """A picture of what is rendered now: JPEG, PNG or WebP."""

    def __post_init__(self) -> None:
        _check((self.state, self.message), str)
        _check((self.step, self.total), int, float)
        _check((self.position,), int, type(None))


def _check(values: Sequence[Any], *types: type) -> None:
    """What an answer has may be of any type. If this is noticed while it is read, it loses no job."""
    if not all(isinstance(value, types) for value in values):
        raise TypeError(f"expected values of type {types[0].__name__}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    text: str
    json: Any
    """The body, parsed; None if it is not JSON."""


class Http(Protocol):
    """How a provider sends requests; see `http.HttpClient`. The key is added where a request goes to the provider.

    All of these raise `RemoteFault`: an answer with an error status becomes one by `Provider.read_error`, else by its
    status.
    """

    base_url: str
    """Without a slash at its end."""

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a POST, once. `data` and `files` are a form, as httpx takes them. A `url` that begins with a slash is
        below `base_url`."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        accepts: Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """Send a GET, again a few times after a fault that may pass.

        Args:
            url: as for `post`.
            params: of the query.
            headers: further ones.
            accepts: whether an answer with an error status is no error, for example because it carries a job.
        """

    def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send another request, such as PUT or DELETE, once. Its body is JSON, or `content` as it is."""

    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Yield the server-sent events of an address (`httpx_sse.ServerSentEvent`) until the provider ends them."""


class Provider(ABC):
    """One provider's API. An instance is shared by the threads of all jobs, so it keeps no state of a job."""

    name: str
    """For people: "fal". Where it is only known from the configuration, `__init__` sets it."""
    base_url: ClassVar[str] = ""
    """Empty: the operator must set it."""
    key_variable: ClassVar[str] = ""
    """The environment variable of the key, "FAL_KEY"; empty: no key is needed unless the operator names one."""
    key_header: ClassVar[tuple[str, str]] = ("Authorization", "Bearer {key}")
    key_hosts: ClassVar[tuple[str, ...]] = ()
    """Hosts that get the key besides that of `base_url`, for example for uploads."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Where its results may lie: "fal.media", "*.fal.media"."""
    look_at: ClassVar[str] = ""
    """Where people find their jobs: "https://fal.ai/dashboard"; empty: `base_url`."""
    credit_at: ClassVar[str] = ""
    """Where people add credit; empty: `look_at`."""
    charges: bool = True
    """Whether its jobs cost money."""
    states: ClassVar[Mapping[str, State]]
    """What its names mean. One that is not here counts as running, and is logged once."""
    inputs: ClassVar[Inputs] = {}
    """The model's input, where the operator writes no table."""
    options: ClassVar[type[RemoteOptions]] = RemoteOptions
    poll_seconds: ClassVar[tuple[float, float]] = (1.0, 10.0)
    """The first and the longest wait between two polls."""
    find_is_certain: ClassVar[bool] = False
    """Whether a job that `find` does not see does not exist, so that it may be sent."""

    @abstractmethod
    def submit(self, http: Http, job: RemoteJob) -> Submitted:
        """Send the job with exactly one POST."""

    @abstractmethod
    def poll(self, http: Http, job: RemoteJob, sent: Submitted) -> Update:
        """Ask once how the job is."""

    def cancel(self, http: Http, job: RemoteJob, sent: Submitted) -> str:
        """Ask the provider to stop the job, and return what it answered, for people."""
        return f"{self.name} has no way to stop a job. It goes on there, and may be charged."

    def find(self, http: Http, job: RemoteJob) -> Submitted | None:
        """Look for a job whose POST may have been sent before this process died; None: it is not seen."""
        return None

    def watch(self, http: Http, job: RemoteJob, sent: Submitted) -> Iterator[Update]:
        """Yield updates as they come, by server-sent events or a websocket, until the job has ended.

        When this ends or raises early, the job is polled. A provider that only polls leaves this as it is.
        """
        return iter(())

    def picture(self, http: Http, path: Path, options: RemoteOptions) -> Any:
        """What the input gets for the picture at `path`: a data URI, unless a provider uploads it. It may repeat."""
        return data_uri(path)

    def join(
        self, paths: Sequence[Path], target: Path, recipe: Recipe, watch: Callable[[tuple[int, int] | None], None]
    ) -> None:
        """Make one file of all results of a job. With a provider that leaves this as it is, only the first one is
        fetched.

        Args:
            paths: the results in their order.
            target: the path of the video or picture.
            recipe: of the job.
            watch: called now and then, with the frames that are done and all of them if they are known; it may raise.
        """
        raise NotImplementedError

    def read_error(self, answer: Answer) -> RemoteFault | None:
        """The fault in an answer with an error status; None: its status decides."""
        return None

    def check(self, options: RemoteOptions) -> str:
        """Why a configured engine cannot render here, and what to do; empty if nothing is known. It sends nothing."""
        return ""

    def capabilities(self, made: Capabilities) -> Capabilities:
        """What an engine can do, where it differs from what its `inputs` say."""
        return made

    def explain(self, model: str, inputs: Mapping[str, Any]) -> Explanation:
        """The price of a job and the seconds that it takes, where that is known without a request."""
        return Explanation()
