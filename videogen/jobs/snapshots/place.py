"""The place of the snapshots: what is written there, in which order, and who may write.

    place.json                          whether it is encrypted, and the salt of the key
    snapshots/000000000042.json         an entry: a snapshot, written last; or a claim
    snapshots/000000000042-<id>.database, .files
    files/<writer>/<key>                a file, once

Entries have rising numbers, and each is written only where there is none: of two writers with one number, one loses.
A start claims the next number before it reads or writes anything else. So a server that still runs elsewhere, on the
same snapshots, cannot add to them any more.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import AwareDatetime, ValidationError

from videogen.core.errors import StartError
from videogen.schemas.base import Model
from videogen.storage.objects import ObjectStore, open_objects
from videogen.storage.sealed import Sealer, SealError

KEPT: Final = 5
"""Snapshots that are kept."""
ENTRIES: Final = "snapshots/"
_ABOUT: Final = "place.json"
_CHECK: Final = b"videogen snapshots"
_FORMAT: Final = 1


class FileCopy(Model):
    """A file at the place."""

    object: str
    size: int
    digest: str


class SealedPart(FileCopy):
    """The database or the index of the files of one snapshot."""


class Snapshot(Model):
    """An entry. Without a database it is a claim: its writer goes on from the snapshot before it."""

    format: int = _FORMAT
    number: int = 0
    folder: str
    """The data folder."""
    writer: str
    """One run of a server on that folder."""
    at: AwareDatetime
    """As of when the database is; of a claim, when it was made."""
    clean: bool = False
    """Taken after everything had stopped: nothing was lost since, if it is the last entry."""
    revision: str = ""
    instance: str = ""
    """`/healthz` shows the same: it follows from the secret."""
    secret: str = ""
    """The secret key; empty where it is a setting."""
    database: SealedPart | None = None
    files: SealedPart | None = None

    @property
    def entry_name(self) -> str:
        """The name of its object."""
        return f"{ENTRIES}{self.number:012d}.json"


class ForeignSnapshotsError(StartError):
    """The newest entry is of another data folder, or of another server on a copy of this one."""

    def __init__(self, place: str, newest: Snapshot) -> None:
        super().__init__(
            f"The snapshots in {place} are of another data folder, which wrote the newest at {at_text(newest.at)}. "
            "Set VIDEOGEN_SNAPSHOT_URL to another place; or, to go on from those snapshots, start with an empty "
            "data folder."
        )


class Place:
    """One place. Thread-safe. Every method raises OSError where the place cannot be used."""

    def __init__(self, objects: ObjectStore, passphrase: str = "") -> None:
        self.objects, self._passphrase = objects, passphrase
        self._sealer: Sealer | None = None

    @property
    def name(self) -> str:
        """The place for people."""
        return self.objects.name

    def sealer(self) -> Sealer:
        """What seals and opens the objects of this place. The first call writes `place.json` where there is none.

        Raises:
            StartError: the key is not that of this place.
        """
        if self._sealer is None:
            try:
                about = json.loads(self.objects.read(_ABOUT))
            except FileNotFoundError:
                about = self._describe()
            # Deriving the key takes a tenth of a second.
            sealer = Sealer(self._passphrase, bytes.fromhex(about["salt"])) if about["check"] else Sealer()
            if bool(self._passphrase) != bool(about["check"]) or sealer.proof(_CHECK) != about["check"]:
                raise self._wrong_key(is_encrypted=bool(about["check"]))
            self._sealer = sealer
        return self._sealer

    def _describe(self) -> dict[str, Any]:
        """Write `place.json`, unless somebody was faster."""
        salt = secrets.token_bytes(16)
        about = {"format": _FORMAT, "salt": salt.hex(), "check": Sealer(self._passphrase, salt).proof(_CHECK)}
        self.objects.create(_ABOUT, json.dumps(about).encode())
        return dict(json.loads(self.objects.read(_ABOUT)))

    def _wrong_key(self, *, is_encrypted: bool) -> StartError:
        if not self._passphrase:
            expected = "must be set: they are encrypted"
        elif not is_encrypted:
            expected = "must not be set: they are not encrypted. For encrypted ones set another VIDEOGEN_SNAPSHOT_URL"
        else:
            expected = "is not the one that they were encrypted with"
        return StartError(f"The snapshots in {self.name} cannot be read: VIDEOGEN_SNAPSHOT_KEY {expected}.")

    def entries(self) -> list[Snapshot]:
        """All entries that can be read, the newest first."""
        names = sorted((name for name in self.objects.list(ENTRIES) if name.endswith(".json")), reverse=True)
        return [entry for name in names if (entry := self._read(name)) is not None]

    def newest(self) -> Snapshot | None:
        """The newest entry."""
        return next(iter(self.entries()), None)

    def _read(self, name: str) -> Snapshot | None:
        try:
            return Snapshot.model_validate_json(self.objects.read(name))
        except FileNotFoundError:
            return None  # pruned meanwhile
        except ValidationError:
            raise OSError(f"{name} is not an entry of this version of videogen") from None

    def add(self, entry: Snapshot) -> bool:
        """Write an entry under its number. False: another writer was faster."""
        return self.objects.create(entry.entry_name, entry.model_dump_json().encode())

    def put(self, name: str, path: Path, folder: Path, *, compress: bool = False) -> SealedPart:
        """Seal a file and write it, if there is none of that name. `folder` is for temporary files."""
        sealed = folder / f"sealed-{secrets.token_hex(6)}"
        try:
            with path.open("rb") as source:
                content = self.sealer().seal(source, sealed, compress=compress)
            self.objects.create(name, sealed)
        finally:
            sealed.unlink(missing_ok=True)
        return SealedPart(object=name, size=content.size, digest=content.digest)

    def get(self, part: FileCopy, target: Path) -> None:
        """Fetch and open a file, and check it.

        Raises:
            SealError: it is not whole, or not what was written.
        """
        sealed = target.with_name(f".{secrets.token_hex(6)}.part")
        try:
            self.objects.fetch(part.object, sealed)
            content = self.sealer().open(sealed, target)
        finally:
            sealed.unlink(missing_ok=True)
        if (content.size, content.digest) != (part.size, part.digest):
            raise SealError(f"{part.object} is not what was written")

    def file_index(self, snapshot: Snapshot, folder: Path) -> dict[str, FileCopy]:
        """The files of a snapshot, by key."""
        if snapshot.files is None:
            return {}
        path = folder / f"index-{secrets.token_hex(6)}"
        try:
            self.get(snapshot.files, path)
            found = orjson.loads(path.read_bytes())
        finally:
            path.unlink(missing_ok=True)
        return {key: FileCopy(object=name, size=size, digest=digest) for key, (name, size, digest) in found.items()}

    def remove_old(self, entries: Iterable[Snapshot]) -> list[Snapshot]:
        """Remove all but the last snapshots, and what torn ones left; return those that are kept."""
        snapshots = sorted((one for one in entries if one.database), key=lambda one: one.number, reverse=True)
        kept = snapshots[:KEPT]
        if not kept:
            return []
        needed = {part.object for one in kept for part in (one.database, one.files) if part}
        for name in [*self.objects.list(ENTRIES)]:
            number = int(name.removeprefix(ENTRIES)[:12])
            is_entry = name.endswith(".json")
            # What is above the newest one may be in the making.
            if number < (kept[-1] if is_entry else kept[0]).number and name not in needed:
                self.objects.delete(name)
        return kept


def open_place(url: str, passphrase: str = "", setting: str = "VIDEOGEN_SNAPSHOT_URL") -> Place:
    """The place of a URL; nothing is read or written.

    Raises:
        ConfigError: see `open_objects`.
    """
    return Place(open_objects(url, setting), passphrase)


def now() -> datetime:
    """The time of the system, as entries have it."""
    return datetime.now(UTC)


def at_text(at: datetime) -> str:
    """A time for people, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
