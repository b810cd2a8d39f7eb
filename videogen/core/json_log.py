"""One JSON object for each line of the log (`VIDEOGEN_LOG_FORMAT=json`)."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any, Final

from videogen.core.log_context import current_context

JSON: Final = "json"
_GENERATION: Final = re.compile(r"\bgen_[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])")
_QUERY: Final = re.compile(r"(?<=[\w/.~%-])\?[^\s'\"<>]*=[^\s'\"<>]*")
_NAME: Final = "(?<![a-z])(?:token|key|secret|claim|password|sig|signature|session|authorization)"
_SECRETS: Final = (
    re.compile(rf"(?i)((?<![a-z])(?:bearer|basic) |{_NAME}=)[^\s'\"&<>,;)]+"),
    re.compile(rf"(?i)({_NAME}['\"]: ?['\"])[^'\"]+"),
)
_SLUG: Final = re.compile(r"(?<=/s/)[A-Za-z0-9_-]{24}(?![A-Za-z0-9_-])")
HIDDEN: Final = "..."
"""Stands where a secret was."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one line, with the fields of its context. What follows the ? of an address is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        message = without_secrets(_message(record))
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **current_context(),
            **getattr(record, "fields", {}),
        }
        if "generation_id" not in entry and (named := _GENERATION.search(message)):
            entry["generation_id"] = named[0]
        if record.exc_info:
            entry["exception"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(entry, default=str)


def without_secrets(text: str) -> str:
    """A text without queries of addresses, which may be signed, without the secret of a public link, and without
    values that are called token, key, secret or password."""
    text = _SLUG.sub(HIDDEN, _QUERY.sub(f"?{HIDDEN}", text))
    for secret in _SECRETS:
        text = secret.sub(rf"\1{HIDDEN}", text)
    return text


def log_as_json(stream: IO[str] | None = None) -> None:
    """Let everything that this process logs be JSON, on standard error; also warnings and what ends a thread.

    It replaces handlers that write text to the terminal, such as uvicorn's. A second call changes nothing.
    """
    if logs_as_json():
        return
    for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # Handlers of other kinds, to files for example, are somebody's wish.
        logger.handlers = [handler for handler in logger.handlers if type(handler) is not logging.StreamHandler]
        logger.propagate = True
    # Its lines have whole addresses; `web.request_log` writes others.
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("httpx", "httpcore", "alembic", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("videogen").setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught("The process ends with an error.")
    threading.excepthook = lambda hook: _log_uncaught(f"The thread {getattr(hook.thread, 'name', '')} ends.")(
        hook.exc_type, hook.exc_value or hook.exc_type(), hook.exc_traceback
    )


def logs_as_json() -> bool:
    """Whether `log_as_json` was called."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def log_as_json_if_set() -> None:
    """The same where the environment asks for it, for what is logged before the settings are read."""
    if os.environ.get("VIDEOGEN_LOG_FORMAT", "").strip() == JSON:
        log_as_json()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # the arguments do not fit; logging would print a traceback
        return f"{record.msg} {record.args}"


def _log_uncaught(text: str) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def log(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            return
        logging.getLogger("videogen").critical(text, exc_info=(kind, error, traceback))

    return log
