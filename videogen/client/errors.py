"""What can go wrong between here and the API."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import httpx
from pydantic import ValidationError

from videogen.errors import VideogenError
from videogen.schemas import Problem


class ClientError(VideogenError):
    """The call to the API did not succeed."""

    code = "client_error"
    title = "Call failed"


class Unreachable(ClientError):
    """The API could not be reached. Check that it runs and that the network is up, then try again."""

    code = "unreachable"
    status = 503
    title = "API unreachable"


class ProtocolError(ClientError):
    """The API answered with something that is not part of its contract."""

    code = "protocol_error"
    status = 502
    title = "Unexpected answer"


class ApiError(ClientError):
    """The API refused the request; `code`, `status` and `detail` are those of its answer."""

    def __init__(
        self,
        code: str,
        detail: str,
        status: int,
        *,
        errors: list[dict[str, str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        # Elsewhere these belong to the class; here the server tells them, answer by answer.
        self.code = code  # type: ignore[misc]
        self.status = status  # type: ignore[misc]
        self.errors = errors or []
        self.retry_after = retry_after

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (408, 425, 429) or self.status >= 500


def from_response(response: httpx.Response) -> ApiError:
    """Read a refusal; its body must have been read already."""
    retry_after = _seconds(response.headers.get("retry-after"))
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        # A proxy in between answers in its own words.
        detail = f"The server answered {response.status_code} {response.reason_phrase}.".replace(" .", ".")
        return ApiError("http_error", detail, response.status_code, retry_after=retry_after)
    return ApiError(problem.code, problem.detail, response.status_code, errors=problem.errors, retry_after=retry_after)


def _seconds(value: str | None) -> float | None:
    """Read Retry-After: seconds, or a date."""
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
