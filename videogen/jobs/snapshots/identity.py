"""Which snapshots are those of a data folder: its id, and that of its last run, in `snapshots.json` beside the data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from videogen.core.atomic_files import write_durably
from videogen.core.security import new_id
from videogen.jobs.snapshots.place import ForeignSnapshotsError, Place, Snapshot, now
from videogen.schemas.base import Model

NAME: Final = "snapshots.json"
_TRIES: Final = 10


class Identity(Model):
    """The ids of a data folder. A copy of the folder has them too, until one of the two has begun its next run."""

    folder: str
    writer: str = ""
    """The last run that has claimed the snapshots."""
    next_writer: str = ""
    """A run that may have claimed them: it is stored before."""

    @classmethod
    def load(cls, data_dir: Path) -> Identity:
        """Read it; a new one where there is none that can be read."""
        try:
            return cls.model_validate_json((data_dir / NAME).read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls(folder=new_id("fld"))

    def save(self, data_dir: Path) -> None:
        """Store it."""
        write_durably(data_dir / NAME, self.model_dump_json().encode())


def require_own(place: Place, identity: Identity, newest: Snapshot | None) -> None:
    """Check that the newest entry is of the last run on this data folder.

    Raises:
        ForeignSnapshotsError: it is not.
    """
    if newest is not None and newest.writer not in (identity.writer, identity.next_writer):
        raise ForeignSnapshotsError(place.name, newest)


def claim(place: Place, data_dir: Path, *, is_empty: bool) -> tuple[Snapshot, list[Snapshot]]:
    """Claim the snapshots for a new run on this data folder; return the claim, and the entries before it.

    An empty folder takes over whatever there is.

    Raises:
        ForeignSnapshotsError: the folder is not empty, and they are of another one.
        StartError: the key is not that of the place.
        OSError: the place cannot be used.
    """
    place.sealer()
    identity = Identity(folder=new_id("fld")) if is_empty else Identity.load(data_dir)
    for _ in range(_TRIES):
        entries = place.entries()
        newest = entries[0] if entries else None
        if not is_empty:
            require_own(place, identity, newest)
            if newest is not None:
                identity = identity.model_copy(update={"writer": newest.writer, "next_writer": ""})
        identity = identity.model_copy(update={"next_writer": new_id("run")})
        identity.save(data_dir)
        number = 1 + (newest.number if newest else 0)
        entry = Snapshot(number=number, folder=identity.folder, writer=identity.next_writer, at=now())
        if place.add(entry):
            identity.model_copy(update={"writer": entry.writer, "next_writer": ""}).save(data_dir)
            for old in entries:
                if old.database is None:  # or starts that fail would leave ever more of them
                    place.objects.delete(old.entry_name)
            return entry, entries
    raise OSError("others write to it all the time")
