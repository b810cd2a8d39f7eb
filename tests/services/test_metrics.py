"""The state of the app is read at each scrape, and what cannot be read is left out."""

from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import bars
from videogen.core.errors import NotReadyError, StorageError
from videogen.core.metrics import Metrics
from videogen.live.hub import Hub
from videogen.services.metrics import MetricsService, _Kept


@pytest.fixture
def parts(store, data_folder):
    """The parts of an app that renders with one engine."""
    engines = {"bars": bars}
    processes = SimpleNamespace(pids=lambda: {"bars": []})
    workers = SimpleNamespace(check=lambda: None, processes=processes)
    return SimpleNamespace(
        store=store,
        data_folder=data_folder,
        engines=engines,
        workers=workers,
        metrics=Metrics(engines),
        snapshots=None,
        hub=Hub(lambda _event: b""),
    )


@pytest.fixture
def read(parts):
    """Reads all samples, by name and labels."""
    service = MetricsService(parts)

    def read():
        families = text_string_to_metric_families(service.render()[0].decode())
        samples = [sample for family in families for sample in family.samples]
        return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}

    return read


def test_the_oldest_that_waits_is_shown_for_each_engine_without_what_is_paused(read, submit, store, alice, bob, clock):
    submit(alice)
    clock.now += 40
    submit(bob)
    assert read()["videogen_queue_oldest_seconds", "bars"] == 40
    store.pause_queue(alice, paused=True)
    seen = read()
    assert seen["videogen_queue_oldest_seconds", "bars"] == 0
    assert seen["videogen_generations_active", "bars", "queued"] == 1
    assert seen["videogen_generations_active", "bars", "paused"] == 1


def test_engines_that_are_not_on_offer_any_more_are_one_label(read, submit, alice):
    for engine in ("gone", "gone-too"):
        submit(alice, engine=engine)
    assert read()["videogen_generations_active", "other", "queued"] == 2


def test_dead_workers_and_a_damaged_database_are_not_ready(read, parts, store):
    assert read()["videogen_ready",] == 1

    def dead():
        raise NotReadyError

    parts.workers.check = dead
    assert read()["videogen_ready",] == 0
    parts.workers.check = lambda: None
    store.database.damage = "a page"
    assert read()["videogen_ready",] == 0


def test_what_the_database_does_not_say_is_left_out(read, store, monkeypatch):
    def broken():
        raise StorageError

    monkeypatch.setattr(store, "active_counts", broken)
    seen = read()
    assert not {name for name, *_ in seen if "active" in name or "stored" in name}
    assert seen["videogen_disk_free_bytes",] > 0


def test_a_data_folder_that_is_full_holds_the_renders(read, data_folder):
    assert read()["videogen_rendering_held",] == 0
    data_folder.reserve_bytes = 1 << 60
    seen = read()
    assert seen["videogen_rendering_held",] == 1
    assert seen["videogen_disk_reserve_bytes",] == 1 << 60


def test_what_takes_long_to_read_is_kept_a_hundred_times_as_long():
    now, reads = [0.0], []

    def slow():
        reads.append(now[0])
        now[0] += 2.0
        return len(reads)

    kept = _Kept(slow, clock=lambda: now[0])
    assert kept.get() == 1
    for later, value in [(100.0, 1), (201.9, 1), (202.0, 2)]:
        now[0] = later
        assert kept.get() == value
