"""The exit codes of the commands."""

from __future__ import annotations

from typing import Final

from videogen.client import (
    ApiError,
    AttentionNeeded,
    ClientError,
    ExportFailed,
    GenerationEnded,
    ProtocolError,
    Unreachable,
    VersionMismatch,
)
from videogen.core.errors import StartError

DONE: Final = 0
FAILED: Final = 1
CANNOT_START: Final = 2
UNREACHABLE: Final = 3
REFUSED: Final = 4
FILE: Final = 5
ATTENTION: Final = 6
INTERRUPTED: Final = 130


class UsageError(StartError, code="usage"):
    """The command line is wrong."""


def exit_code(problem: BaseException) -> int:
    """The exit code for an error."""
    if isinstance(problem, GenerationEnded | ExportFailed):
        return FAILED
    if isinstance(problem, AttentionNeeded):
        return ATTENTION
    if isinstance(problem, Unreachable):
        return UNREACHABLE
    if isinstance(problem, (ApiError, VersionMismatch, ProtocolError)):
        return REFUSED
    if isinstance(problem, ClientError | OSError):
        return FILE
    return CANNOT_START
