"""All errors that a user can see: one base class, and one stable `code` for each class."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import ClassVar, Final

UNKNOWN_ROUTE: Final = "urn:videogen:unknown-route"
"""The `type` of the problem that answers a request to an address that does not exist."""


class VideogenError(Exception):
    """Something went wrong inside videogen.

    Attributes:
        type: the problem's `type` (RFC 9457).
        code: stable, machine-readable name; part of the public contract.
        status: the HTTP status of a response with this error.
        title: short title for people, the same for every instance.
        detail: this case: what was expected, what was received, what to do.
    """

    type: ClassVar[str] = "about:blank"
    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init_subclass__(cls, code: str = "", status: int = 0, title: str = "") -> None:
        """Set the attributes of a class; those that are not given are inherited."""
        cls.code, cls.status, cls.title = code or cls.code, status or cls.status, title or cls.title

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or self.title).strip().splitlines()[0]
        super().__init__(self.detail)


class StartError(VideogenError, code="cannot_start"):
    """The app cannot start."""


class ConfigError(StartError, code="invalid_setting"):
    """A setting has a value that is not allowed."""

    def __init__(self, variable: str, expected: str, got: object) -> None:
        super().__init__(f"{variable}: expected {expected}, got {got!r}.")
        self.variable = variable


class DatabaseTooNewError(StartError, code="database_too_new"):
    """The database was written by a newer videogen. Install that version, or start with another data folder."""


class SessionRequiredError(VideogenError, code="session_required", status=401, title="Session required"):
    """No valid session came with this request. Send `Authorization: Bearer <token>` from POST /api/v1/sessions."""


class LoginRequiredError(VideogenError, code="login_required", status=401, title="Sign-in required"):
    """This server is for people who have signed in. Open its page, and sign in there."""


class LoginNotAllowedError(VideogenError, code="login_not_allowed", status=403, title="Not open to this account"):
    """This server is open to some people and organisations only. Ask whoever runs it."""


class LoginRefusedError(VideogenError, code="login_refused", status=400, title="Sign-in failed"):
    """The sign-in failed. Begin again."""


class LoginExpiredError(VideogenError, code="login_expired", status=410, title="Sign-in expired"):
    """This sign-in has expired, was used, or was begun in another browser. Go back to the page, and begin again."""


class AccountRequiredError(VideogenError, code="account_required", status=403, title="Own account required"):
    """This engine renders on your own account. Sign in, then send it again; if you have, sign out and in again."""


class ProviderError(VideogenError, code="provider_unreachable", status=502, title="Provider unreachable"):
    """The sign-in provider does not answer as it should. Try again later; anonymous use goes on."""


class SessionMovedError(VideogenError, code="session_moved", status=503, title="Session moved"):
    """This session was merged into the one of an account meanwhile. Nothing was changed: send the request again."""

    retry_after = 1


class CrossSiteError(VideogenError, code="cross_site", status=403, title="Cross-site request refused"):
    """A write with only the cookie must come from this site. Send the token as a Bearer header instead."""


class AdminRequiredError(VideogenError, code="admin_required", status=401, title="Operator only"):
    """Only the operator may do this. Send `Authorization: Bearer <token>` with the token of VIDEOGEN_ADMIN_TOKEN."""


class BannedError(VideogenError, code="banned", status=403, title="Banned"):
    """The operator does not allow this session or this address to make anything new. What is there can be read."""


class ForeignPageError(VideogenError, code="foreign_page", status=403, title="Page of another session"):
    """This page belongs to another session, or is open already. Reload it."""


class NotFoundError(VideogenError, code="not_found", status=404, title="Not found"):
    """This does not exist, or it belongs to another session."""


class UnknownRouteError(NotFoundError, title="No such address"):
    """There is nothing at this address."""

    # Clients tell an unknown call from an unknown id by it.
    type = UNKNOWN_ROUTE

    def __init__(self, path: str) -> None:
        super().__init__(f"There is nothing at {path[:200]}. See /docs for what there is.")


class ModerationRefusedError(VideogenError, code="moderation_refused", status=422, title="Refused"):
    """This is not allowed here."""


class ModerationUnavailableError(VideogenError, code="moderation_unavailable", status=503, title="Cannot be checked"):
    """The check that everything goes through here does not work at the moment. Try again later."""


class DeletedError(VideogenError, code="deleted", status=410, title="Deleted"):
    """What this link showed was deleted by its owner."""


class IdempotencyConflictError(VideogenError, code="idempotency_conflict", status=409, title="Idempotency key reused"):
    """This Idempotency-Key was used for another request. Send a new key with a changed request."""


class NotTerminalError(VideogenError, code="not_terminal", status=409, title="Still running"):
    """This generation is still queued or running. Cancel it first."""


class FileInUseError(VideogenError, code="file_in_use", status=409, title="File in use"):
    """A generation uses this file. Delete that generation first."""


class NotQueuedError(VideogenError, code="not_queued", status=409, title="Not queued"):
    """This generation is not queued any more, so neither its position nor its request can be changed."""


class NeedsNoAttentionError(VideogenError, code="needs_no_attention", status=409, title="Nothing to resolve"):
    """This generation is not in the stage `needs_attention`, or not any more, so that there is nothing to resolve."""


class RequestTimeoutError(VideogenError, code="request_timeout", status=408, title="Request timeout"):
    """The request came too slowly. Send it again, over another connection."""


class PayloadTooLargeError(VideogenError, code="too_large", status=413, title="Too large"):
    """The body of the request is larger than this server takes."""


class HeadersTooLargeError(VideogenError, code="headers_too_large", status=431, title="Headers too large"):
    """The first line and the headers of a request may have 64 kB together. Delete this site's cookies, or send less."""


class UnsupportedMediaTypeError(
    VideogenError, code="unsupported_media_type", status=415, title="Unsupported file type"
):
    """The file is of a type that this server does not take."""


class UnsupportedFormatError(VideogenError, code="unsupported_format", status=501, title="Format not supported"):
    """Only `format=json` is served."""


class CodeRefusedError(VideogenError, code="code_refused", status=410, title="Code not valid"):
    """This code was used before, has expired, or is wrong. Make a new one on the device that has the session."""


class NotAnExportError(VideogenError, code="not_an_export", status=422, title="Not an export"):
    """The file is not an export of videogen. Nothing was imported."""


class NoSettingsError(VideogenError, code="no_settings", status=422, title="No settings in this file"):
    """This file carries no settings of videogen. Send an MP4, MOV, PNG or WebP that was made here."""


class InvalidRequestError(VideogenError, code="invalid_request", status=422, title="Invalid request"):
    """The request is not valid."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        # The beginning of a long text is enough; `repr` would copy all of it.
        got = got[:120] if isinstance(got, str) else got
        shown = got if isinstance(got, str) and got.startswith(("nothing", "text of")) else repr(got)[:120]
        self.errors: list[dict[str, str]] = [{"field": field, "expected": expected, "got": shown}]
        super().__init__(f"{field} must be {expected}; this was {shown}.")

    @classmethod
    def of(cls, faults: list[dict[str, str]], more: int = 0) -> InvalidRequestError:
        """An error for several fields; each fault has `field`, `expected` and `got`. `more` faults are not listed."""
        problem = cls("", "", "")
        problem.errors = faults
        problem.detail = " ".join(
            f"{fault['field']} must be {fault['expected']}; this was {fault['got']}." for fault in faults
        ) + (f" And {more} more." if more else "")
        problem.args = (problem.detail,)
        return problem


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that is reached, for who words it in another language."""

    name: str
    """Such as `active_per_session`, as in the name of its setting."""
    amount: float
    """How much is allowed: a number of things, or bytes."""
    used: float | None = None
    """How much there is already."""
    window_seconds: int | None = None
    """Within how long, for a rate."""


class LimitExceededError(VideogenError, code="limit_exceeded", status=429, title="Limit exceeded"):
    """This is more than one visitor, or all together, may have. `detail` and `limit` name the limit."""

    def __init__(self, detail: str, retry_after: int = 5, limit: Limit | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.limit = limit


class InputMissingError(VideogenError, code="input_missing", status=410, title="Input image gone"):
    """The input image of this generation is gone from the data folder. Upload it again, and submit again."""


class StorageError(VideogenError, code="storage_fault", status=507, title="Storage fault"):
    """The data folder could not be written. Check its free space and its permissions."""


class DatabaseDamagedError(StorageError, code="database_damaged", title="Damaged database"):
    """The database file is damaged. Stop the server and run `videogen doctor --fix`."""


class DatabaseBusyError(StorageError, code="database_busy", status=503, title="Database busy"):
    """Another program holds the database. Nothing was changed: try again soon; if it stays so, close that program."""

    retry_after = 2


class DatabaseAwayError(DatabaseBusyError, code="database_away", title="Database away"):
    """The database server cannot be reached. Try again soon."""


class StorageAwayError(StorageError, code="storage_away", status=503, title="Storage away"):
    """The place where the files are stored cannot be reached. Try again soon."""

    retry_after = 2


class ServerBusyError(VideogenError, code="server_busy", status=503, title="Server busy"):
    """The server holds too many unfinished requests. Nothing was changed: try again soon."""

    retry_after = 5


DISK_FAULTS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""The error numbers of a disk that accepts no bytes: full, over a quota or a limit, read-only, broken."""


def is_disk_fault(problem: BaseException) -> bool:
    """Whether this error means that the disk accepts no bytes. FFmpeg's errors have an errno as well."""
    return getattr(problem, "errno", None) in DISK_FAULTS


class FileMissingError(VideogenError, code="file_missing", status=410, title="File missing"):
    """The file of this link is gone from the data folder. Retry renders it again, with the same seed."""


class ExportFailedError(VideogenError, code="export_failed", status=500, title="Export failed"):
    """The result could not be made into this format. Try again."""


class NotReadyError(VideogenError, code="not_ready", status=503, title="Not ready"):
    """The server is not ready."""


class MethodNotAllowedError(VideogenError, code="method_not_allowed", status=405, title="Method Not Allowed"):
    """No address here takes this method."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"This method is not served. Use one of {', '.join(allowed)}.")
        self.allowed = allowed


class StaleWriteError(VideogenError, code="stale_write", status=409, title="Stale write"):
    """The generation has changed since; this write came too late and changed nothing."""
