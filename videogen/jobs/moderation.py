"""The moderation hook: a function of the operator that is asked before a request is queued, and before a result is
published. docs/moderation.md describes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Literal

from videogen.core.config import PREFIX, AppConfig
from videogen.core.errors import ConfigError, ModerationRefusedError, ModerationUnavailableError, StartError
from videogen.engines.imports import EngineImportError, import_attribute

logger = logging.getLogger(__name__)
GROUP: Final = "videogen.moderation"
"""The entry points that `VIDEOGEN_MODERATION` may name."""
VARIABLE: Final = f"{PREFIX}MODERATION"
MAX_CALLS: Final = 8
"""Calls of the hook at once; one that hangs keeps its place until it returns."""
MAX_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Item:
    """What the hook is asked about."""

    stage: Literal["request", "result", "import"]
    """Before it is queued, before its result is published, or before it is imported from a zip."""
    prompt: str
    negative_prompt: str
    engine: str
    type: str
    session: str
    """The id of the session."""
    account: str | None = None
    """The user name at the provider of whoever has signed in; None in a session without an account."""
    images: tuple[Path, ...] = ()
    """Of a request: the images that it starts from and ends with. Only to be read, and only during the call."""
    generation: str | None = None
    """Of a result: the id of the generation."""
    file: Path | None = None
    """Of a result or an import: the video or image; None where what is imported has none."""
    poster: Path | None = None
    """Of a result or an import: a still of the video, if there is one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the hook decides; make one with `allow`, `refuse` or `flag`."""

    action: Literal["allow", "refuse", "flag"]
    words: str = ""


def allow() -> Verdict:
    """It goes on."""
    return Verdict("allow")


def refuse(words: str) -> Verdict:
    """It ends here; the visitor reads the words."""
    return Verdict("refuse", words)


def flag(words: str) -> Verdict:
    """It goes on, and the operator finds it with these words."""
    return Verdict("flag", words)


Hook = Callable[[Item], Verdict | None]


@dataclass(slots=True)
class Moderator:
    """Asks the hook, on a thread of its own and within a time; without a hook everything is allowed."""

    hook: Hook | None = None
    seconds: float = 10.0
    _calls: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_CALLS))

    @classmethod
    def of(cls, config: AppConfig) -> Moderator:
        """With the hook that the configuration names.

        Raises:
            ConfigError: there is none of this name.
            StartError: it cannot be imported. Without it nothing may be served.
        """
        return cls(_load(config.moderation) if config.moderation else None, config.moderation_seconds)

    def check(self, item: Item) -> str | None:
        """Ask the hook. This blocks: call it from a thread.

        Returns:
            the words of a flag; None where it is allowed.

        Raises:
            ModerationRefusedError: it is refused.
            ModerationUnavailableError: the hook failed, gave no verdict, or took too long.
        """
        if self.hook is None:
            return None
        verdict = self._ask(self.hook, item)
        if verdict.action == "refuse":
            raise ModerationRefusedError(verdict.words[:MAX_WORDS])
        return (verdict.words[:MAX_WORDS] or "flagged") if verdict.action == "flag" else None

    def _ask(self, hook: Hook, item: Item) -> Verdict:
        found: list[Verdict] = []
        done = threading.Event()

        def call() -> None:
            try:
                verdict: Any = hook(item)
                found.append(_verdict(verdict))
            except BaseException:  # the operator's code may raise anything; nothing may pass then
                logger.exception("The moderation hook failed.")
            finally:
                self._calls.release()
                done.set()

        if not self._calls.acquire(timeout=self.seconds):
            logger.error("The moderation hook was not asked: %d calls of it have not returned.", MAX_CALLS)
            raise ModerationUnavailableError
        # Not of a pool: one that hangs must not keep the process from its end.
        threading.Thread(target=call, name="moderation", daemon=True).start()
        if not done.wait(self.seconds):
            logger.error("The moderation hook gave no verdict within %g seconds.", self.seconds)
        if not found:
            raise ModerationUnavailableError
        return found[0]


def _verdict(verdict: object) -> Verdict:
    if verdict is None:
        return allow()
    if not isinstance(verdict, Verdict):
        raise TypeError(f"a moderation hook returns allow(), refuse(words), flag(words) or None, not {verdict!r}")
    return verdict


def _load(reference: str) -> Hook:
    target = reference
    if ":" not in reference:
        points = {point.name: point.value for point in entry_points(group=GROUP)}
        if reference not in points:
            known = f"an entry point of the group {GROUP} ({', '.join(sorted(points)) or 'there is none'})"
            raise ConfigError(VARIABLE, f"{known}, module:attribute or path/to/file.py:attribute", reference)
        target = points[reference]
    try:
        hook: Hook = import_attribute(target, reference, VARIABLE)
    except EngineImportError as problem:
        raise StartError(f"{VARIABLE}: {problem.reason}") from problem
    if not callable(hook):
        raise ConfigError(VARIABLE, "a function with one argument", reference)
    return hook
