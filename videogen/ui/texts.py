"""What the server says on the page, in the language of a visit. Every sentence itself stands in `videogen/locales`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Final

from videogen.client import ApiError, ClientError
from videogen.client.policy import is_loopback
from videogen.core import i18n as language
from videogen.core.i18n import Catalog
from videogen.schemas.generations import Generation
from videogen.schemas.status import ENGINE_UNAVAILABLE, HELD, Status
from videogen.schemas.system import LimitInfo
from videogen.ui.form import EngineForm
from videogen.ui.refusals import FIELDS, fault, reason

TITLE: Final = "videogen"
SHAPES: Final[Mapping[str, str]] = {
    "16:9": "form.wide",
    "1:1": "form.square",
    "9:16": "form.tall",
    "custom": "form.custom",
}
DETAILS: Final[Mapping[str, str]] = {
    "288": "form.draft",
    "480": "form.standard",
    "720": "form.high",
    "1080": "form.full",
}
STAGES: Final = (
    *("starting", "loading", "preparing", "denoising", "rendering", "decoding", "encoding"),
    *("finishing", "converting"),
)
"""The stages that videogen's own engines name; those of other engines are said as they are."""
_UNITS: Final[Mapping[str, int]] = {"storage_mb": 1_000_000, "storage_gb": 1_000_000_000}
"""In bytes, of the limits that count them."""
_UNNAMED: Final = "internal_error"
"""Its text stands for that of an error code without one."""
_SETTING: Final = re.compile(r" \(VIDEOGEN_[A-Z_]+\)")


def mark(key: str, **values: object) -> str:
    """What stands for a text in a document that is made once for all languages, until `Catalog.fill` puts it in.

    The values are those of its fields; none has a space in it.
    """
    return f"@@{' '.join([key, *(f'{name}={value}' for name, value in values.items())])}@@"


def engine_mark(engine: EngineForm) -> str:
    """The same for an engine's title; of an engine whose title has no translation the title itself. It says too if
    the engine is not available."""
    key = f"engine.{_part(engine.id)}.title"
    title = mark(key) if key in language.catalog(language.DEFAULT) else engine.title
    return title if engine.available else f"{title} ({mark('form.engine_unavailable')})"


def _part(name: str) -> str:
    return name.replace("-", "_")


class Texts:
    """What is said to one visit."""

    def __init__(self, words: Catalog, offset: int = 0) -> None:
        """
        Args:
            words: the language.
            offset: minutes by which the visitor's clock is before UTC.
        """
        self.words = words
        self._clock = timezone(timedelta(minutes=offset))

    def gettext(self, key: str, **values: Any) -> str:
        """A text of the visit's language, as `Catalog.gettext`."""
        return self.words.gettext(key, **values)

    def known(self, key: str, otherwise: str = "") -> str:
        """The same for a key that may not exist."""
        return self.gettext(key) if key in self.words else otherwise

    def engine_text(self, engine_id: str, name: str) -> str:
        """A text about an engine of videogen's own; empty for any other."""
        return self.known(f"engine.{_part(engine_id)}.{name}")

    def preset_text(self, engine_id: str, preset_id: str, name: str) -> str:
        """The title or the prompt of a preset of videogen's own; empty for any other."""
        return self.known(f"sample.{_part(engine_id)}.{_part(preset_id)}.{name}")

    def welcome(self, active: int) -> str:
        """The notice for someone who comes back while something is still being rendered."""
        return self.gettext("notice.welcome", count=active) if active else ""

    def status(self, status: Status) -> str:
        """A generation's status in a word."""
        return self.gettext(f"status.{status}")

    def stage(self, generation: Generation) -> str:
        """What happens right now, in words."""
        match generation.status:
            case Status.QUEUED:
                return self._queued(generation)
            case Status.PROCESSING:
                return self._running(generation)
            case Status.FAILED:
                return self._error(generation) or self.status(Status.FAILED)
            case Status.CANCELLED:
                unknown = generation.attention is not None
                return " ".join([self.gettext("stage.cancelled"), *([self.gettext("attention.billed")] * unknown)])
            case Status.COMPLETED:
                return self._error(generation) or self.gettext("stage.finished")

    def _queued(self, generation: Generation) -> str:
        if generation.stage == "waiting":
            return self.gettext("stage.held") if generation.message == HELD else _sentence(generation.message)
        if generation.stage == ENGINE_UNAVAILABLE:
            return self.gettext("stage.engine_unavailable", reason=_sentence(reason(generation.message, self.words)))
        if generation.stage == "paused" or (place := generation.queue_position) is None:
            return self.gettext("stage.paused" if generation.stage == "paused" else "stage.waiting")
        return self.gettext("stage.next") if place <= 1 else self.gettext("stage.place", place=place)

    def _running(self, generation: Generation) -> str:
        named = generation.stage in STAGES
        # Engines write their messages in English; for videogen's own the stage has words in each language.
        foreign = self.words.tag != language.DEFAULT and named and self.engine_text(generation.engine, "title")
        if generation.message and not foreign:
            return _sentence(generation.message)
        if named:
            return self.gettext(f"stage.{generation.stage}")
        return _sentence(generation.stage.replace("_", " ")) or self.gettext("stage.starting")

    def _error(self, generation: Generation) -> str:
        error = generation.error
        return _sentence(language.error_message(self.words, error.code, error.message)) if error else ""

    def step(self, generation: Generation) -> str:
        """How far the current stage is, as counted by the engine."""
        if generation.status is not Status.PROCESSING or generation.needs_attention or generation.total_steps <= 0:
            return ""
        return f"{generation.step} / {generation.total_steps}"

    def attempt(self, generation: Generation) -> str:
        """A word on a render that was taken up again after its renderer was lost."""
        if generation.attempt <= 1 or generation.status.is_terminal:
            return ""
        return self.gettext("stage.again", attempt=generation.attempt)

    def goes_on(self, generation: Generation, begun: float | None) -> str:
        """The same with where it goes on; `begun` is the progress with which this attempt began, None if unknown."""
        if generation.status is Status.QUEUED and generation.progress >= 1:
            return self.gettext("stage.goes_on", percent=int(generation.progress))
        if not self.attempt(generation) or begun is None:
            return self.attempt(generation)
        key = "stage.again_at" if begun >= 1 else "stage.again_from_start"
        return self.gettext(key, attempt=generation.attempt, percent=int(begun))

    def time(self, seconds: float) -> str:
        """A length of time in words, such as `12 s` or `2 min 05 s`."""
        minutes, rest = divmod(max(round(seconds), 1), 60)
        if minutes == 0:
            return self.gettext("time.seconds", seconds=rest)
        if minutes < 60:
            return self.gettext("time.minutes", minutes=minutes, seconds=f"{rest:02}")
        return self.gettext("time.hours", hours=minutes // 60, minutes=f"{minutes % 60:02}")

    def times(self, generation: Generation, now: datetime) -> str:
        """How long it has waited or rendered, and how long it should still take. What is unknown is left out."""
        words, left = [], generation.eta_seconds
        if generation.status is Status.COMPLETED and generation.started_at and generation.finished_at:
            words.append(self._time("time.took", (generation.finished_at - generation.started_at).total_seconds()))
        if generation.status is Status.QUEUED:
            wait = generation.expected_wait_seconds
            words.append(self._time("time.waited", (now - generation.created_at).total_seconds()))
            if wait is not None:
                words.append(self.begins(wait))
                words += [] if left is None else [self._time("time.render", left - wait)]
        elif generation.needs_attention:
            return ""
        elif generation.status is Status.PROCESSING and generation.started_at is not None:
            key = "time.waited" if generation.stage == "waiting" else "time.rendering"
            words.append(self._time(key, (now - generation.started_at).total_seconds()))
        if left is not None and generation.status is Status.PROCESSING:
            words.append(self.left(left))
        return " · ".join(words)

    def begins(self, wait: float | None) -> str:
        """When one that waits should begin; empty where that is unknown."""
        if wait is None:
            return ""
        return self.gettext("time.soon") if wait < 1 else self._time("time.begins", wait)

    def left(self, left: float | None) -> str:
        """How long one that is rendered should still take; empty where that is unknown."""
        if left is None:
            return ""
        return self.gettext("time.almost") if left < 0.5 else self._time("stage.about_left", left)

    def _time(self, key: str, seconds: float) -> str:
        return self.gettext(key, time=self.time(seconds))

    def length(self, seconds: float) -> str:
        """The length of a video, to a tenth where that says more."""
        return self.gettext("time.seconds", seconds=seconds)

    def age(self, moment: datetime, now: datetime) -> str:
        """How long ago something was, to the minute or hour; from a day on its date."""
        seconds = (now - moment).total_seconds()
        if seconds < 60:
            return self.gettext("time.now")
        if seconds < 3600:
            return self.gettext("time.minutes_ago", count=int(seconds / 60))
        if seconds < 86_400:
            return self.gettext("time.hours_ago", count=int(seconds / 3600))
        return self.words.date(moment.astimezone(self._clock))

    def moment(self, moment: datetime) -> str:
        """Date and time by the visitor's clock."""
        local = moment.astimezone(self._clock)
        return self.gettext("time.moment", date=self.words.date(local), time=f"{local:%H:%M}")

    def short(self, text: str, longest: int = 80) -> str:
        """The beginning of a long text, so that it is not read out whole."""
        return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"

    def size(self, count: int | None) -> str:
        """Bytes as people write them."""
        if count is None:
            return ""
        if count < 1_000_000:
            return self.gettext("size.kilobytes", size=max(1, round(count / 1000)))
        return self.gettext("size.megabytes", size=count / 1_000_000)

    def variation(self, place: tuple[int, int] | None) -> str:
        """Which one of its project a generation is, where there are several."""
        return self.gettext("history.variation", number=place[0], count=place[1]) if place else ""

    def transfer_hint(self, link: str) -> str:
        """What to do with the code; `link` is what its QR code holds."""
        return self.gettext("take.only_here" if is_loopback(link) else "take.scan")

    def refusal(self, problem: ClientError, names: Mapping[str, str] = MappingProxyType({})) -> str:
        """Why the API did not do it, naming the fields as the form does; `names` are those of the engine's own."""
        if not isinstance(problem, ApiError):
            return self.gettext("notice.not_sent")
        if problem.errors and all("expected" in error for error in problem.errors):
            return " ".join(self.expected(error, names) for error in problem.errors)
        if problem.limit is not None and (words := self._limit(problem.limit)):
            return words
        is_known = problem.code == "moderation_refused" or f"error.{problem.code}" in self.words
        code = problem.code if is_known else _UNNAMED
        # Visitors have no use for the name of a setting.
        return language.error_message(self.words, code, _SETTING.sub("", problem.detail))

    def _limit(self, limit: LimitInfo) -> str:
        """Which limit it is, how much it allows, and when to try again; empty for one of another version's API."""
        name, _, scope = limit.name.partition("_per_")
        if (key := f"limit.{name}") not in self.words:
            return ""
        unit = _UNITS.get(name, 1)
        amounts: dict[str, Any] = {"amount": limit.amount / unit, "used": (limit.used or 0) / unit}
        times = {"wait": self.wait(limit.retry_after_seconds), "window": self.wait(limit.window_seconds or 0)}
        words = self.gettext(key, count=int(limit.amount), **amounts, **times)
        return f"{words} {self.gettext('limit.of_address')}" if scope == "address" else words

    def wait(self, seconds: float) -> str:
        """A rough length of time, from a second to days."""
        for key, unit in (("time.n_days", 86_400), ("time.n_hours", 3600), ("time.n_minutes", 60)):
            if seconds >= unit * 1.5 or seconds == unit:
                return self.gettext(key, count=math.ceil(seconds / unit))
        return self.gettext("time.n_seconds", count=max(1, math.ceil(seconds)))

    def faults(self, problem: ClientError) -> dict[str, str]:
        """What the API said of single settings, by their names, to be said again at their fields."""
        errors = problem.errors if isinstance(problem, ApiError) else []
        return {
            error["field"].removeprefix("settings."): fault(
                error, "form.expected_got", self.field(error["field"]), self.words
            )
            for error in errors
            if "expected" in error and error.get("field", "").startswith("settings.")
        }

    def field(self, name: str) -> str:
        """A field of a request, as the form calls it."""
        return self.gettext(FIELDS[name]) if name in FIELDS else name

    def expected(self, error: Mapping[str, str], names: Mapping[str, str]) -> str:
        """What is wrong with a field: `field`, `expected` and `got` of an error."""
        name = error.get("field", "")
        return fault(error, "form.expected", names.get(name) or self.field(name), self.words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
