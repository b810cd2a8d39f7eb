"""Snapshots of the data folder at another place: taken while the app runs, and restored where a start finds no data."""

from videogen.jobs.snapshots.place import ForeignSnapshotsError, Place, Snapshot, at_text, open_place

__all__ = ["ForeignSnapshotsError", "Place", "Snapshot", "at_text", "open_place"]
