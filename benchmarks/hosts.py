"""Web processes and workers on one machine, with a PostgreSQL that keeps what it commits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.cluster import DATABASE, Cluster
from tests.support.own_postgresql import OwnServer

ENGINES = Path(__file__).with_name("engines.py")
LEASE_SECONDS = 5
UNLIMITED: dict[str, Any] = dict.fromkeys(("max_active_per_session", "max_queue"), 100_000)
DURABLE = {"fsync": "on", "full_page_writes": "on", "wal_level": "replica", "autovacuum": "on"}
"""As PostgreSQL comes, where the server of the tests is set to forget."""


class Hosts(Cluster):
    """A cluster whose processes reach the database and the bucket themselves: the links of the tests take time."""

    def __init__(self, folder: Path, *, webs: int, workers: int) -> None:
        super().__init__(folder, webs=webs, workers=[("pauses",)] * workers, lease_seconds=LEASE_SECONDS, **UNLIMITED)
        self._engines = [f"{ENGINES}:pauses"]

    @property
    def database_url(self) -> str:
        """What VIDEOGEN_DATABASE_URL is."""
        return self.postgresql.url(DATABASE)

    def _server(self) -> OwnServer:
        return OwnServer(**DURABLE)

    def _shared(self, links: Any) -> dict[str, object]:
        shared = super()._shared(links)
        storage = str(shared["storage_url"]).replace(links.storage.url, self.s3.url)
        return shared | {"database_url": self.database_url, "storage_url": storage}
