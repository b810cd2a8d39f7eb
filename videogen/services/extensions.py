"""Goes on from a finished video: what is kept of it, and the recipe of the whole."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError, NotFoundError, StorageError
from videogen.core.security import new_id
from videogen.db.tables import FileRow, GenerationRow
from videogen.engines.base import Engine, Recipe, Source, Span
from videogen.schemas.generations import GenerationCreate
from videogen.schemas.status import Status
from videogen.storage import Storage
from videogen.store import Store
from videogen.store.progress import LAST_FRAME, SOURCE, SOURCE_FRAME

logger = logging.getLogger(__name__)

DEFAULT_SECONDS: Final = 4.0
_SHAPE: Final = ("width", "height", "fps")


@dataclass(frozen=True, slots=True)
class Origin:
    """A finished video from which another one goes on. Sizes in pixels."""

    request: GenerationCreate
    """What it was asked for."""
    width: int
    height: int
    fps: int
    spans: tuple[Span, ...]
    """All of it, as kept."""
    source: Source
    files: Mapping[str, str]
    """The storage keys of what an extension keeps, by `SOURCE` and `SOURCE_FRAME`."""

    @property
    def num_frames(self) -> int:
        """How many frames it has."""
        return sum(span.num_frames for span in self.spans)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.num_frames / self.fps

    def spans_at(self, fps: int) -> tuple[Span, ...]:
        """The same parts at another frame rate."""
        if fps == self.fps:
            return self.spans
        bounds, position, scaled = [0], 0, []
        for span in self.spans:
            position += span.num_frames
            bounds.append(round(position * fps / self.fps))
        for span, first, end in zip(self.spans, bounds, bounds[1:], strict=False):
            scaled.append(span.model_copy(update={"kept_from": first, "num_frames": max(1, end - first)}))
        return tuple(scaled)


class ExtensionService:
    """Finds what a request goes on from, and copies it for the new generation. Every method blocks."""

    def __init__(self, store: Store, storage: Storage) -> None:
        self._store, self._storage = store, storage
        # A file of a finished generation never changes, and `explain` asks at each change of the form.
        self._digest = lru_cache(256)(self._digest_of)

    def find(self, session_id: str, generation_id: str, request_of: Any, frame_kind: str = LAST_FRAME) -> Origin:
        """The finished video that a request names.

        Args:
            session_id: the owner.
            generation_id: what the request names.
            request_of: makes the request of a row.
            frame_kind: the kind of the file with the frame from which the new part goes on.

        Raises:
            InvalidRequestError: there is none, it is another session's, it was deleted, or it is no finished video.
        """
        try:
            row = self._store.get_generation(session_id, generation_id)
        except NotFoundError:
            raise InvalidRequestError("extend", "the id of a finished video", generation_id) from None
        if row.type != "video" or row.status != Status.COMPLETED:
            raise InvalidRequestError("extend", "the id of a finished video", _what(row))
        files = self._store.files_of(generation_id)
        video = next((file for file in files if file.id == row.file_id), None)
        if video is None or self._storage.is_lost(video.key):
            raise InvalidRequestError("extend", "a video whose file is still there", generation_id)
        frame = next((file for file in files if file.kind == frame_kind and not self._storage.is_lost(file.key)), None)
        keys = {SOURCE: video.key} | ({SOURCE_FRAME: frame.key} if frame else {})
        try:
            source = Source(digest=self._digest(video.key), frame_digest=self._digest(frame.key) if frame else None)
        except OSError:
            raise InvalidRequestError("extend", "a video whose file is still there", generation_id) from None
        return Origin(request_of(row), row.width, row.height, row.fps, kept_spans(row), source, keys)

    def of(self, row: GenerationRow) -> Origin | None:
        """What an extension that waits goes on from, from its own copy; None for another generation.

        Raises:
            InvalidRequestError: it is a shot that is made again, which cannot be changed.
        """
        recipe = Recipe(**row.recipe) if row.recipe else None
        if recipe is None or recipe.source is None:
            return None
        if row.extends is None:
            raise InvalidRequestError("prompt", "left as it is, since a shot is made again. Make it again anew", row.id)
        spans = tuple(span for span in recipe.spans if span.kept_from is not None)
        before = GenerationCreate(prompt=row.prompt, engine=row.engine, settings=row.settings)
        return Origin(before, row.width, row.height, row.fps, spans, recipe.source, self.kept_by(row.id))

    def copy(self, files: Mapping[str, str], row: GenerationRow) -> Iterator[FileRow]:
        """Copy what a new generation keeps of its source, which may be deleted; the rows are to be stored.

        Args:
            files: see `Origin.files`.
            row: the new generation.

        Raises:
            InvalidRequestError: the source was deleted meanwhile.
            StorageError: the copy cannot be stored.
        """
        for kind, key in files.items():
            own_key = f"{row.id}/{kind}.{key.rpartition('.')[2]}"
            try:
                size = self._storage.copy(key, own_key)
            except OSError:
                source_id = key.partition("/")[0]
                raise InvalidRequestError("extend", "a video whose file is still there", source_id) from None
            yield FileRow(
                id=new_id("fil"),
                session_id=row.session_id,
                generation_id=row.id,
                kind=kind,
                key=own_key,
                content_type="video/mp4" if kind == SOURCE else "image/png",
                size_bytes=size,
                created_at=row.created_at,
            )

    def remove(self, copies: Sequence[FileRow]) -> None:
        """Delete copies whose rows were not stored.

        A connection that breaks at a commit does not say whether it was one: then they stay, if that cannot be known.
        """
        try:
            for file in copies:
                if file.key not in {stored.key for stored in self._store.files_of(file.generation_id)}:
                    self._storage.delete(file.key)
        except StorageError as problem:
            logger.warning("Copies for an extension may be left, see `videogen doctor`: %s", problem.detail)

    def kept_by(self, generation_id: str) -> dict[str, str]:
        """What a generation keeps of its source, as `Origin.files`; empty where it has none."""
        return {
            file.kind: file.key for file in self._store.files_of(generation_id) if file.kind in (SOURCE, SOURCE_FRAME)
        }

    def _digest_of(self, key: str) -> str:
        with self._storage.open(key) as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()


def _what(row: GenerationRow) -> str:
    if row.type != "video":
        return "an image"
    ends = {Status.FAILED: "one that failed", Status.CANCELLED: "one that was cancelled"}
    return ends.get(Status(row.status), "one that is not finished")


def kept_spans(row: GenerationRow) -> tuple[Span, ...]:
    """All of a finished video as spans that are kept."""
    total = max(1, round(row.duration_seconds * row.fps))
    recipe = Recipe(**row.recipe) if row.recipe else None
    spans = recipe.spans if recipe is not None else ()
    if not spans:
        spans = (Span(num_frames=total, prompt=row.prompt, recipe=recipe),)
    kept, position = [], 0
    for index, span in enumerate(spans):
        # An engine that chooses its length may have made another one than was planned.
        count = span.num_frames if index + 1 < len(spans) else max(1, total - position)
        kept.append(span.model_copy(update={"kept_from": position, "num_frames": count}))
        position += count
    return tuple(kept)


def extended(create: GenerationCreate, origin: Origin, engine: Engine, config: AppConfig) -> GenerationCreate:
    """A request with all that the source has and it does not name. Its length is that of what is added.

    Raises:
        InvalidRequestError: it is not longer than the source.
    """
    fields = {info.alias or name: info for name, info in engine.settings.model_fields.items()}
    asked, before = dict(create.settings), origin.request
    same = before.engine == engine.id
    own = {name: value for name, value in before.settings.items() if same and name in fields}
    for name in _SHAPE:
        if name in fields:
            own[name] = getattr(origin, name)
    if "seed" in fields and before.settings.get("seed") is not None:
        own["seed"] = before.settings["seed"]
    settings = own | {name: value for name, value in asked.items() if value is not None}
    if "durationSeconds" in fields:
        settings["durationSeconds"] = _added(
            asked.get("durationSeconds"), origin, fields["durationSeconds"].default, config
        )
    else:
        settings.pop("durationSeconds", None)
    return create.model_copy(
        update={
            "prompt": create.prompt.strip() or origin.spans[-1].prompt or before.prompt,
            "negative_prompt": create.negative_prompt or (before.negative_prompt if same else ""),
            "engine": engine.id,
            "settings": settings,
        }
    )


def _added(whole: Any, origin: Origin, usual: Any, config: AppConfig) -> float:
    """How many seconds are added."""
    if origin.seconds >= config.max_seconds:
        expected = f"a video shorter than the {config.max_seconds:g} seconds that one may have"
        raise InvalidRequestError("extend", expected, round(origin.seconds, 3))
    if whole is None:
        usual = usual if isinstance(usual, int | float) else DEFAULT_SECONDS
        whole = max(min(origin.seconds + usual, config.max_seconds), origin.seconds)
    if not isinstance(whole, int | float) or isinstance(whole, bool):
        raise InvalidRequestError("settings.durationSeconds", "a number: the seconds of the whole", whole)
    if whole <= origin.seconds or whole > config.max_seconds:
        least, most = f"{origin.seconds:g}", f"{config.max_seconds:g}"
        raise InvalidRequestError(
            "settings.durationSeconds",
            f"more than the {least} seconds of the video that it goes on from, and at most {most}",
            whole,
        )
    return float(round(whole - origin.seconds, 6))
