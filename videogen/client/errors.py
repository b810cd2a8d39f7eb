"""The errors of the client."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import httpx
from pydantic import ValidationError

from videogen.core.errors import UNKNOWN_ROUTE, VideogenError
from videogen.core.version import __version__
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.schemas.system import LimitInfo, Problem


class ClientError(VideogenError, code="client_error", title="Call failed"):
    """The call to the API did not succeed."""


class Unreachable(ClientError, code="unreachable", status=503, title="API unreachable"):
    """The API could not be reached. Check that it runs and that the network is up, then try again."""


class ProtocolError(ClientError, code="protocol_error", status=502, title="Unexpected answer"):
    """The response does not follow the contract of the API."""


class WaitTimeout(ClientError, code="wait_timeout", status=504, title="Not finished in time"):
    """The generation did not end within the timeout. It goes on: wait or watch again."""


class DownloadFailed(ClientError, code="download_failed", status=502, title="Download failed"):
    """The file could not be downloaded completely."""


class ExportFailed(ClientError, code="export_failed", status=500, title="Export failed"):
    """The result could not be made into this format. Ask for it again."""


class VersionMismatch(ClientError, code="version_mismatch", status=501, title="Server of another version"):
    """The server does not know this call."""

    def __init__(self, call: str, server_version: str | None) -> None:
        self.server_version = server_version
        if server_version is None:
            reason = "it is not videogen, or does not state its version"
        else:
            reason = f"the server has version {server_version}, this client {__version__}"
        super().__init__(f"{call}: the server does not know this call; {reason}. Use the same version on both sides.")


class GenerationEnded(ClientError):
    """A generation ended without a result.

    Attributes:
        generation: its final state; its `error` has the reason.
    """

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.reason = generation.error.message if generation.error else ""
        super().__init__(f"{generation.id} {generation.status}: {self.reason}".rstrip(": "))


class GenerationFailed(GenerationEnded, code="generation_failed", title="Generation failed"):
    """The generation failed."""


class GenerationCancelled(GenerationEnded, code="generation_cancelled", title="Generation cancelled"):
    """The generation was cancelled."""


class AttentionNeeded(ClientError, code="attention_needed", title="Needs attention"):
    """It is not known whether a service has the job of this generation, so that it waits for its owner.

    `resolve` says what becomes of it.

    Attributes:
        generation: its state; `attention` has what is known.
    """

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        super().__init__(f"{generation.id} needs attention: {generation.message}".rstrip(": "))


class ApiError(ClientError):
    """The API refused the request; `code`, `status`, `detail`, `errors` and `limit` are those of its response."""

    def __init__(
        self,
        code: str,
        detail: str,
        status: int,
        *,
        errors: list[dict[str, str]] | None = None,
        retry_after: float | None = None,
        limit: LimitInfo | None = None,
    ) -> None:
        super().__init__(detail)
        # Other errors have these as class attributes; here each response has its own.
        self.code = code  # type: ignore[misc]
        self.status = status  # type: ignore[misc]
        self.errors = errors or []
        self.retry_after = retry_after
        self.limit = limit

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (408, 425, 429) or self.status >= 500


def from_response(response: httpx.Response) -> ApiError:
    """The error of a response whose body must have been read."""
    retry_after = _retry_seconds(response.headers.get("retry-after"))
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        # The response of a proxy, not of the API.
        detail = f"The server answered {response.status_code} {response.reason_phrase}.".replace(" .", ".")
        return ApiError("http_error", detail, response.status_code, retry_after=retry_after)
    refusal = ApiError(
        problem.code,
        problem.detail,
        response.status_code,
        errors=problem.errors,
        retry_after=retry_after,
        limit=problem.limit,
    )
    refusal.type = problem.type  # type: ignore[misc]
    return refusal


def is_unknown_call(problem: ApiError) -> bool:
    """Whether the server does not know the call, as opposed to the id."""
    if problem.status in (405, 501):
        return True
    if problem.status != 404:
        return False
    # Servers of version 0.1.0 have no `type` for it.
    is_known_by_detail = problem.detail.startswith("There is nothing at /api/")
    return problem.type == UNKNOWN_ROUTE or problem.code != "not_found" or is_known_by_detail


def _retry_seconds(value: str | None) -> float | None:
    """The value of Retry-After in seconds; the header may hold a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if isfinite(seconds) else None


def result_of(generation: Generation) -> Generation:
    """Return a generation that has ended with a result.

    Raises:
        GenerationFailed, GenerationCancelled: it has no result; the error carries the generation.
        AttentionNeeded: its owner must resolve it first.
    """
    if generation.needs_attention:
        raise AttentionNeeded(generation)
    if generation.status is Status.FAILED:
        raise GenerationFailed(generation)
    if generation.status is Status.CANCELLED:
        raise GenerationCancelled(generation)
    return generation
