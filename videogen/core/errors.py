"""All errors that a user can see: one base class, and one stable `code` for each class."""

from __future__ import annotations

import errno
from typing import ClassVar, Final


class VideogenError(Exception):
    """Something went wrong inside videogen.

    Attributes:
        code: stable, machine-readable name; part of the public contract.
        status: the HTTP status of a response with this error.
        title: short title for people, the same for every instance.
        detail: this case: what was expected, what was received, what to do.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or self.title).strip().splitlines()[0]
        super().__init__(self.detail)


class StartError(VideogenError):
    """The app cannot start."""

    code = "cannot_start"


class ConfigError(StartError):
    """A setting has a value that is not allowed."""

    code = "invalid_setting"

    def __init__(self, variable: str, expected: str, got: object) -> None:
        super().__init__(f"{variable}: expected {expected}, got {got!r}.")
        self.variable = variable


class DatabaseTooNewError(StartError):
    """The database was written by a newer videogen. Install that version, or start with another data folder."""

    code = "database_too_new"


class SessionRequiredError(VideogenError):
    """No valid session came with this request. Send `Authorization: Bearer <token>` from POST /api/v1/sessions."""

    code = "session_required"
    status = 401
    title = "Session required"


class CrossSiteError(VideogenError):
    """A write with only the cookie must come from this site. Send the token as a Bearer header instead."""

    code = "cross_site"
    status = 403
    title = "Cross-site request refused"


class NotFoundError(VideogenError):
    """This does not exist, or it belongs to another session."""

    # The client takes a detail that starts with "There is nothing at" for an unknown route: see `is_unknown_call`.
    code = "not_found"
    status = 404
    title = "Not found"


class DeletedError(VideogenError):
    """What this link showed was deleted by its owner."""

    code = "deleted"
    status = 410
    title = "Deleted"


class IdempotencyConflictError(VideogenError):
    """This Idempotency-Key was used for another request. Send a new key with a changed request."""

    code = "idempotency_conflict"
    status = 409
    title = "Idempotency key reused"


class NotTerminalError(VideogenError):
    """This generation is still queued or running. Cancel it first."""

    code = "not_terminal"
    status = 409
    title = "Still running"


class NotQueuedError(VideogenError):
    """This generation is not queued any more, so its position cannot be changed."""

    code = "not_queued"
    status = 409
    title = "Not queued"


class PayloadTooLargeError(VideogenError):
    """The file is larger than this server takes."""

    code = "payload_too_large"
    status = 413
    title = "File too large"


class UnsupportedMediaTypeError(VideogenError):
    """The file is of a type that this server does not take."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported file type"


class CodeRefusedError(VideogenError):
    """This code was used before, has expired, or is wrong. Make a new one on the device that has the session."""

    code = "code_refused"
    status = 410
    title = "Code not valid"


class NotAnExportError(VideogenError):
    """The file is not an export of videogen. Nothing was imported."""

    code = "not_an_export"
    status = 422
    title = "Not an export"


class InvalidRequestError(VideogenError):
    """The request is not valid."""

    code = "invalid_request"
    status = 422
    title = "Invalid request"

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = got if isinstance(got, str) and got.startswith(("nothing", "text of")) else repr(got)[:120]
        self.errors: list[dict[str, str]] = [{"field": field, "expected": expected, "got": shown}]
        super().__init__(f"{field}: expected {expected}, got {shown}.")

    @classmethod
    def of(cls, faults: list[dict[str, str]]) -> InvalidRequestError:
        """An error for several fields; each fault has `field`, `expected` and `got`."""
        problem = cls("", "", "")
        problem.errors = faults
        problem.detail = " ".join(
            f"{fault['field']}: expected {fault['expected']}, got {fault['got']}." for fault in faults
        )
        problem.args = (problem.detail,)
        return problem


class TooManyGuessesError(VideogenError):
    """Too many wrong codes came from this address. Wait a few minutes, or open the link instead."""

    code = "too_many_guesses"
    status = 429
    title = "Too many guesses"
    retry_after = 120


class LimitExceededError(VideogenError):
    """Too many generations at once. Wait until one has ended."""

    code = "limit_exceeded"
    status = 429
    title = "Limit exceeded"

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InputMissingError(VideogenError):
    """The input image of this generation is gone from the data folder. Upload it again, and submit again."""

    code = "input_missing"
    status = 410
    title = "Input image gone"


class StorageError(VideogenError):
    """The data folder could not be written. Check its free space and its permissions."""

    code = "storage_fault"
    status = 507
    title = "Storage fault"


class DatabaseDamagedError(StorageError):
    """The database file is damaged. Stop the server and run `videogen doctor --fix`."""

    code = "database_damaged"
    title = "Damaged database"


DISK_FAULTS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""The error numbers of a disk that accepts no bytes: full, over a quota or a limit, read-only, broken."""


def is_disk_fault(problem: BaseException) -> bool:
    """Whether this error means that the disk accepts no bytes. FFmpeg's errors have an errno as well."""
    return getattr(problem, "errno", None) in DISK_FAULTS


class FileMissingError(VideogenError):
    """The file of this link is gone from the data folder. Retry renders it again, with the same seed."""

    code = "file_missing"
    status = 410
    title = "File missing"


class NotReadyError(VideogenError):
    """The server is not ready."""

    code = "not_ready"
    status = 503
    title = "Not ready"


class StaleWriteError(VideogenError):
    """The generation has changed since; this write came too late and changed nothing."""

    code = "stale_write"
    status = 409
    title = "Stale write"
