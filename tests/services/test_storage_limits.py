"""What is stored is added up for a session and for all; above a limit nothing more is taken."""

import pytest

from videogen.core.config import AppConfig
from videogen.core.errors import LimitExceededError
from videogen.db.tables import FileRow, UploadRow
from videogen.services.storage_limits import KEPT_SECONDS, StorageLimits


@pytest.fixture
def keep(database, submit):
    """Stores the rows of a video of 600 kB and of an upload of 300 kB."""

    def keep(session_id):
        generation = submit(session_id)
        names = {"session_id": session_id, "content_type": "", "created_at": 0.0}
        video = FileRow(
            id=f"fil_{generation.id}", generation_id=generation.id, kind="video", key="", size_bytes=600_000, **names
        )
        upload = UploadRow(
            id=f"upl_{generation.id}", digest=generation.id, key="", width=1, height=1, size_bytes=300_000, **names
        )
        with database.write() as unit:
            unit.session.add_all([video, upload])

    return keep


def test_a_session_is_refused_at_its_own_limit(store, keep, alice, bob):
    limits = StorageLimits(store, AppConfig(max_storage_mb_per_session=1))
    limits.check(alice)
    keep(alice)
    limits.check(alice, 100_000)
    with pytest.raises(LimitExceededError, match=r"0\.9 of 1 MB .*VIDEOGEN_MAX_STORAGE_MB_PER_SESSION.* Delete"):
        limits.check(alice, 100_001)
    keep(alice)
    with pytest.raises(LimitExceededError):
        limits.check(alice)
    limits.check(bob, 1_000_000)


def test_everybody_is_refused_at_the_limit_of_all(store, keep, alice, bob, clock):
    limits = StorageLimits(store, AppConfig(max_storage_gb=0.001))
    limits.check(alice)
    keep(alice)
    keep(bob)
    clock.now += KEPT_SECONDS
    with pytest.raises(LimitExceededError, match="VIDEOGEN_MAX_STORAGE_GB"):
        limits.check(bob)


def test_the_sums_come_from_indexes_alone(database):
    for query in ("SELECT sum(size_bytes) FROM {}", "SELECT sum(size_bytes) FROM {} WHERE session_id = 'x'"):
        for table in ("files", "uploads"):
            with database.read() as session:
                plan = str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query.format(table)}").all())
            assert f"COVERING INDEX ix_{table}_session_size" in plan


def test_nothing_is_added_up_without_a_limit(alice):
    StorageLimits(None, AppConfig()).check(alice, 10**15)
