"""What one open page knows: its generations, and which one is on the stage. Pure; no I/O."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from videogen.schemas.events import (
    BaseEvent,
    Event,
    EventData,
    ProgressData,
    RenderError,
    RenderProgress,
    RenderResult,
)
from videogen.schemas.generations import ErrorInfo, Generation, GenerationPage, Project, Queue
from videogen.schemas.status import Status

PAUSED: Final = "paused"
"""The stage of what waits in a paused queue."""
MANY: Final = 50


@dataclass(slots=True)
class Board:
    """The page's picture of the session, kept up to date by events."""

    selected_id: str | None = None
    selections: int = 0
    """How often something was put on the stage because somebody wanted it there."""
    chosen_id: str | None = None
    """What somebody has chosen to look at; not what came on the stage because it was made or found."""
    grid: str = ""
    """The project whose variations are on the stage together, while one of them is selected."""
    loaded: bool = False
    """Whether the history has been read once."""
    history_version: int = 0
    """Rises whenever the list of ended generations changes."""
    cancelling: set[str] = field(default_factory=set)
    ended: deque[Generation] = field(default_factory=lambda: deque(maxlen=8))
    """What has ended since the board was made, and was seen before its end; oldest first."""
    begun: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By id: the attempt after a lost renderer, and the progress with which it was seen to begin."""
    paused: bool = False
    """Whether the session's queue was paused when it was read last."""
    queue_outdated: bool = True
    """Whether it must be read again: the order in a paused queue is in no event."""
    _places: dict[str, int] = field(default_factory=dict)
    _edited: set[str] = field(default_factory=set)
    _generations: dict[str, Generation] = field(default_factory=dict)
    _early: dict[str, Event] = field(default_factory=dict)

    def get(self, generation_id: str | None) -> Generation | None:
        """A known generation."""
        return self._generations.get(generation_id) if generation_id else None

    @property
    def selected(self) -> Generation | None:
        """The one on the stage."""
        return self.get(self.selected_id)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ids of what must be read: events spoke of it, or of another request than is known."""
        return (*self._early, *self._edited)

    def all(self) -> tuple[Generation, ...]:
        """All known generations, in no order."""
        return tuple(self._generations.values())

    def active(self) -> list[Generation]:
        """Queued and running, newest first."""
        return [item for item in self._newest_first() if not item.status.is_terminal]

    def working(self) -> dict[str, Generation]:
        """By id: what is active and does not wait for its owner, in the order of service."""
        return {item.id: item for item in self.line() if not item.needs_attention}

    def line(self) -> list[Generation]:
        """The same in the order of service: what renders, longest first, then what waits, as it stands in line."""
        return sorted(self.active(), key=lambda item: (*_turn(item), self._places.get(item.id, math.inf)))

    @property
    def is_paused(self) -> bool:
        """Whether the session's queue is paused: what waits says so itself."""
        waiting = [item for item in self.active() if item.status is Status.QUEUED and not item.attempt]
        return any(item.stage == PAUSED for item in waiting) if waiting else self.paused

    def put_queue(self, queue: Queue) -> None:
        """Take in the session's queue as the API has it."""
        self.paused, self.queue_outdated = queue.paused, False
        self._places = {item.id: place for place, item in enumerate(queue.items)}
        for item in queue.items:
            self.put(item)

    def history(self) -> list[Generation]:
        """Ended, newest first."""
        return [item for item in self._newest_first() if item.status.is_terminal]

    def variations(self) -> dict[str, tuple[int, int]]:
        """Which one of how many of its project a generation is, such as `(2, 4)`, where there are several."""
        return variations(self._generations.values())

    def put(self, generation: Generation) -> None:
        """Take in a generation as the API told it, unless an event already told more."""
        early = self._early.pop(generation.id, None)
        known = self._generations.get(generation.id)
        if known is None or _supersedes(generation, known):
            self._store(generation)
            self._edited.discard(generation.id)
        if early is not None:
            self.apply(early)

    def put_page(self, page: GenerationPage) -> None:
        """Take in a page of the history; the page of a browser that has more asks for it by itself."""
        for generation in page.items:
            self.put(generation)
        self.loaded = True
        self.history_version += 1

    def drop(self, generation_id: str) -> None:
        """Forget a generation that is not there any more."""
        self._generations.pop(generation_id, None)
        self._early.pop(generation_id, None)
        self._edited.discard(generation_id)
        self.history_version += 1
        if self.selected_id == generation_id:
            self.selected_id = None

    def apply(self, event: Event) -> bool:
        """Take in an event; tells whether it ended its generation."""
        known = self._generations.get(event.generation_id)
        if isinstance(event, RenderProgress):
            self.queue_outdated = self.queue_outdated or event.stage == PAUSED
            if known is not None and event.recipe_hash not in ("", known.recipe_hash):
                self._edited.add(event.generation_id)
        if known is None:
            self._early[event.generation_id] = event
            return False
        # The end of a generation is taken in whatever the clocks say; nothing else may go back in time.
        if known.status.is_terminal or (event.at < known.updated_at and not event.status.is_terminal):
            return False
        changes = _changes(event)
        if event.status is Status.PROCESSING and known.started_at is None:
            changes["started_at"] = event.at  # no event says it, and this is the first of its kind
        self._store(known.model_copy(update=changes))
        return event.status.is_terminal

    def leave_to_history(self) -> None:
        """Where very many that nobody knows here have ended, since another session was merged into this one: the list
        of the history is read again, instead of each."""
        ended = [name for name, event in self._early.items() if event.status.is_terminal]
        if len(ended) > MANY:
            for name in ended:
                del self._early[name]
            self.history_version += 1

    def select(self, generation_id: str) -> None:
        """Put a generation on the stage, because somebody wants it there."""
        self.selected_id = generation_id
        self.selections += 1

    def choose(self, generation_id: str) -> None:
        """Put one generation on the stage by itself, because somebody has chosen it."""
        self.select(generation_id)
        self.chosen_id, self.grid = generation_id, ""

    def start(self, project: Project) -> bool:
        """Take in what was submitted. It comes on the stage, unless something is there that somebody watches.

        Returns:
            whether it is on the stage.
        """
        for generation in project.generations:
            self.put(generation)
        item = self.selected
        if item is not None and (item.id in self.working() or self._is_watched(item)):
            return False
        self.show_project(project)
        return True

    def _is_watched(self, item: Generation) -> bool:
        return item.id == self.chosen_id and item.status is Status.COMPLETED

    def show_project(self, project: Project) -> None:
        """Put what was submitted on the stage: one generation, or all variations."""
        self.select(project.generations[0].id)
        self.grid = project.project_id

    def siblings(self) -> list[Generation]:
        """The variations that the selected one is among, in the order of their numbers; empty where it is alone."""
        selected = self.selected
        if selected is None:
            return []
        items = [item for item in self._generations.values() if item.project_id == selected.project_id]
        return sorted(items, key=lambda item: (item.seed, item.id)) if len(items) > 1 else []

    def tiles(self) -> list[Generation]:
        """The same while they are on the stage together."""
        return self.siblings() if self.selected is not None and self.selected.project_id == self.grid else []

    def show(self, generation_id: str | None) -> None:
        """Put a generation on the stage in the place of one that is gone, or of one that was gone back from."""
        self.selected_id = generation_id

    def select_on_arrival(self, before: str | None) -> None:
        """Choose for someone who comes back: what still renders, else what was open, else the newest video."""
        finished = [item for item in self.history() if item.status is Status.COMPLETED]
        candidates: Iterable[Generation | None] = (*self.active()[:1], self.get(before), *finished[:1])
        self.selected_id = next((item.id for item in candidates if item is not None), None)
        if self.selected is not None and not self.selected.status.is_terminal:
            self.grid = self.selected.project_id

    def _store(self, generation: Generation) -> None:
        before = self._generations.get(generation.id)
        self._generations[generation.id] = generation
        # Who comes in the middle of an attempt has not seen where it began.
        begins = generation.progress < 1 if before is None else before.attempt < generation.attempt
        if begins and generation.attempt > 1:
            self.begun[generation.id] = generation.attempt, generation.progress
        if generation.status.is_terminal:
            self.cancelling.discard(generation.id)
            if before is not None and not before.status.is_terminal:
                self.ended.append(generation)
            if before is None or before != generation:
                self.history_version += 1

    def _newest_first(self) -> list[Generation]:
        # The variations of one project have one age; they stand in the order of their seeds.
        ordered = sorted(self._generations.values(), key=lambda item: (item.seed, item.id))
        return sorted(ordered, key=lambda item: item.created_at, reverse=True)


def variations(generations: Iterable[Generation]) -> dict[str, tuple[int, int]]:
    """Which one of how many of its project each is, such as `(2, 4)`, where there are several."""
    projects: dict[str, list[Generation]] = {}
    for item in generations:
        projects.setdefault(item.project_id, []).append(item)
    return {
        item.id: (number, len(items))
        for items in projects.values()
        if len(items) > 1
        for number, item in enumerate(sorted(items, key=lambda item: (item.seed, item.id)), start=1)
    }


def _turn(item: Generation) -> tuple[bool, float]:
    if item.status is Status.QUEUED:
        return True, item.queue_position or math.inf
    return False, item.started_at.timestamp() if item.started_at else 0.0


def _supersedes(new: Generation, known: Generation) -> bool:
    if new.status.is_terminal != known.status.is_terminal:
        return new.status.is_terminal
    return new.updated_at >= known.updated_at


_PROGRESS: Final = ProgressData.model_fields.keys() - EventData.model_fields.keys() - {"recipe_hash"}
_RESULT: Final = RenderResult.model_fields.keys() - BaseEvent.model_fields.keys() - {"type"}


def _changes(event: Event) -> dict[str, Any]:
    """The fields of a generation that an event changes."""
    changes = {name: getattr(event, name) for name in ("status", "progress", "attempt")}
    changes["updated_at"] = event.at
    if event.status.is_terminal:
        changes |= {"finished_at": event.at, "queue_position": None, "expected_wait_seconds": None, "eta_seconds": None}
    match event:
        case RenderProgress():
            changes |= {name: getattr(event, name) for name in _PROGRESS}
            # A snapshot without a picture does not take away the last one.
            if event.preview_url:
                changes["preview_url"] = event.preview_url
        case RenderResult():
            changes |= {name: getattr(event, name) for name in _RESULT}
        case RenderError():
            changes["error"] = ErrorInfo(code=event.code, message=event.message, retryable=event.retryable)
            changes["cost"] = event.cost
    return changes
