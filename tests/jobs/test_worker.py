import queue as queues
import threading
import time

import pytest

from tests.support.rows import upload_row
from videogen.core.errors import DatabaseDamagedError, StorageError
from videogen.engines.base import ProcessPolicy, Recipe, RenderLost
from videogen.engines.process import protocol
from videogen.jobs import cleanup, disk_guard, renderers, worker
from videogen.jobs.base import Lease
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.settings import WorkerSettings
from videogen.jobs.worker import WorkerPool
from videogen.schemas.generations import Attention
from videogen.store import Store, Unknown

PATIENCE = 20
RECIPE = Recipe(engine="bars", engine_version="1", prompt="sea", seed=1, width=64, height=64, fps=8, num_frames=4)


class Renderer:
    """Stands for a renderer: sends the messages of the test's script."""

    script = staticmethod(lambda renderer: iter([protocol.Failed(code="done", message="")]))

    def __init__(self, job, pool, **options):
        self.job = job
        self.pause = options.get("on_idle")
        self.cancelled = False

    def messages(self):
        yield from type(self).script(self)

    def cancel(self):
        self.cancelled = True

    kill = cancel

    def suspend(self, grace):
        self.cancelled = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class NoProcesses:
    """Stands for a pool that starts no process."""

    def __init__(self, spares):
        pass

    def prepare(self, engine):
        pass

    def close(self):
        pass


@pytest.fixture
def next_event(database):
    """Waits for the next committed event with one of the given statuses."""
    events = queues.Queue()
    database.listen(lambda committed: [events.put(event) for event in committed])

    def until(*statuses):
        while (event := events.get(timeout=PATIENCE)).data.status not in statuses:
            pass
        return event

    return until


@pytest.fixture
def work(database, storage, data_folder, monkeypatch):
    """Starts one worker whose renderers follow a script. Its leases hold for one real second."""
    monkeypatch.setattr(renderers, "ProcessPool", NoProcesses)
    monkeypatch.setattr(disk_guard, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    # The sessions of the tests have another clock, by which nobody has used them for long.
    monkeypatch.setattr(cleanup.UnusedRemover, "run", lambda *_: None)
    store = Store(database)
    queue = EmbeddedQueue(store, lease_seconds=1)
    pools = []

    def start(script=None, launch=Renderer, engines=None, closed=tuple, unavailable=None):
        if script is not None:
            launch = type("Scripted", (Renderer,), {"script": staticmethod(script)})
        monkeypatch.setattr(renderers, "RenderHandle", launch)
        references = {name: f"fakes:{name}" for name in engines or {"bars": 1}}
        settings = WorkerSettings(1, 1, concurrency=engines or {}, closed=closed)
        pool = WorkerPool(store, queue, storage, data_folder, references, settings)
        pool.unavailable = unavailable or {}
        pool.start()
        pools.append(pool)
        return pool

    yield start
    for pool in pools:
        pool.stop()


@pytest.fixture
def job(submit, alice):
    """Submits a generation whose recipe can be read."""
    return lambda **values: submit(alice, **({"recipe": RECIPE.model_dump(mode="json")} | values))


@pytest.fixture
def upload(store, alice):
    """Stores an uploaded image; its row and its file."""

    def make(root):
        row = upload_row(alice)
        path = root / "files" / row.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
        return store.add_upload(row, 10)[0], path

    return make


def test_a_job_goes_to_a_renderer_with_its_recipe_workdir_and_attempt(work, job, next_event):
    jobs = []

    def script(renderer):
        jobs.append(renderer.job)
        yield protocol.Failed(code="busy", message="Try later.")

    row = job()
    work(script)
    assert next_event("failed").data.code == "busy"
    assert (jobs[0].engine, jobs[0].recipe, jobs[0].attempt) == ("fakes:bars", RECIPE, 1)
    assert jobs[0].workdir.name == row.id


def test_the_last_step_is_published_while_the_renderer_is_silent(work, job, next_event):
    published = threading.Event()

    def script(renderer):
        for step in (1, 2):
            yield protocol.Progress(step=step, total=4, stage="rendering")
        renderer.pause()
        assert published.wait(PATIENCE), "the last step was not published before the next message"
        yield protocol.Failed(code="busy", message="Try later.")

    job()
    work(script)
    while next_event("processing").data.step < 2:
        pass
    published.set()
    assert next_event("failed").data.code == "busy"


def test_a_lost_renderer_is_replaced_until_the_attempts_are_used_up(work, job, next_event):
    attempts = []

    def script(renderer):
        attempts.append(renderer.job.attempt)
        raise RenderLost("It was killed.")
        yield

    job()
    work(script)
    assert next_event("failed").data.code == "worker_lost"
    assert attempts == [1, 2, 3]


def test_what_needs_attention_frees_its_slot_and_is_left_alone(work, job, next_event, store, alice):
    attempts = []

    def script(renderer):
        attempts.append(renderer.job.generation_id)
        if len(attempts) == 1:
            yield protocol.NeedsAttention(message="Who knows?")
        else:
            yield protocol.Failed(code="busy", message="Try later.")

    parked, other = job(), job()
    work(script)
    assert next_event("failed").generation_id == other.id
    assert attempts == [parked.id, other.id]
    assert store.get_generation(alice, parked.id).stage == "needs_attention"


def test_a_service_that_may_have_the_job_is_asked_and_not_given_up_after_three_lost_renderers(
    work, job, next_event, store, alice, monkeypatch
):
    monkeypatch.setattr(worker, "process_policy", lambda _: ProcessPolicy(keep_checkpoints=True))

    def script(renderer):
        raise RenderLost("It was killed.")
        yield

    row = job()
    work(script)
    while next_event("processing").data.stage != "needs_attention":
        pass
    shown = store.get_generation(alice, row.id)
    assert (shown.attempt, shown.message) == (3, "It was killed. The service may have the job.")


def test_a_look_that_no_engine_here_can_take_needs_attention_again(work, job, next_event, store, alice, queue):
    row = job(recipe=RECIPE.model_copy(update={"engine": "gone"}).model_dump(mode="json"))
    queue.finish(queue.claim("worker"), Unknown("Who knows?", Attention()))
    store.look_again(alice, row.id)
    work()
    while next_event("processing").data.attempt < 2:
        pass
    last = next_event("processing", "failed").data
    assert (last.status, last.stage) == ("processing", "needs_attention")
    assert "'gone' is not on offer" in last.message


def test_a_job_of_an_engine_that_is_not_on_offer_any_more_fails(work, job, next_event):
    job(recipe=RECIPE.model_copy(update={"engine": "gone"}).model_dump(mode="json"))
    work()
    assert "'gone' is not on offer" in next_event("failed").data.message


def test_the_input_image_has_the_same_path_in_every_attempt(work, job, next_event, upload, tmp_path):
    row, path = upload(tmp_path / "data")
    paths = []

    def script(renderer):
        recipe = renderer.job.recipe
        paths.append((recipe.input_path, recipe.last_path))
        assert recipe.input_path.is_absolute()
        raise RenderLost("It was killed.")
        yield

    recipe = RECIPE.model_copy(update={"input_digest": row.digest, "last_digest": row.digest})
    job(recipe=recipe.model_dump(mode="json"), input_file_id=row.id, last_frame_file_id=row.id)
    work(script)
    next_event("failed")
    assert paths == [(path.resolve(), path.resolve())] * 3


@pytest.mark.parametrize("column", ["input_file_id", "last_frame_file_id", None])
def test_a_missing_image_fails_the_job_with_a_clear_message(work, job, next_event, upload, tmp_path, column):
    row, path = upload(tmp_path / "data")
    path.unlink()
    digest = "last_digest" if column == "last_frame_file_id" else "input_digest"
    recipe = RECIPE.model_copy(update={digest: row.digest}).model_dump(mode="json")
    job(recipe=recipe, **({column: row.id} if column else {}))
    work()
    end = next_event("failed").data
    assert (end.code, end.retryable) == ("input_missing", False)
    assert "Upload it again" in end.message


def test_a_renderer_that_cannot_be_started_does_not_leave_its_job_running_for_ever(work, job, next_event):
    def launch(job, pool, **options):
        raise OSError("no more processes")

    job()
    work(launch=launch)
    next_event("processing")
    assert next_event("failed", "queued").data.attempt == 1


def test_a_recipe_that_this_version_cannot_read_does_not_leave_its_job_running_for_ever(work, job, next_event):
    job(recipe={"engine": "bars", "shape": "of another version"})
    work()
    assert next_event("failed").data.status == "failed"


def test_an_error_of_the_worker_costs_one_attempt(work, job, next_event):
    def script(renderer):
        if renderer.job.attempt == 1:
            raise ZeroDivisionError
        yield protocol.Failed(code="second", message="")

    job()
    work(script)
    event = next_event("failed")
    assert (event.data.code, event.data.attempt) == ("second", 2)


def test_a_cancel_before_the_renderer_is_registered_reaches_it(work, job, next_event, store, alice):
    row = job()
    seen = []

    def launch(job, pool, **options):
        store.cancel_generation(alice, job.workdir.name)
        renderer = Renderer(job, pool)
        seen.append(renderer)
        return renderer

    work(launch=launch)
    next_event("failed")
    assert seen[0].job.workdir.name == row.id
    assert seen[0].cancelled


def test_a_slow_engine_does_not_delay_another_and_none_has_more_jobs_than_slots(work, job, next_event, store, alice):
    released, running = threading.Event(), queues.Queue()

    def script(renderer):
        running.put(renderer.job.recipe.engine)
        if renderer.job.recipe.engine == "bars":
            assert released.wait(PATIENCE)
        yield protocol.Failed(code="well", message="")

    slow = [job().id for _ in range(2)]
    work(script, engines={"bars": 1, "quick": 2})
    assert running.get(timeout=PATIENCE) == "bars"
    quick = [job(engine="quick", recipe=RECIPE.model_copy(update={"engine": "quick"}).model_dump(mode="json")).id
             for _ in range(3)]  # fmt: skip
    assert {next_event("failed").generation_id for _ in quick} == set(quick)
    assert store.get_generation(alice, slow[1]).status == "queued"
    released.set()
    assert {next_event("failed").generation_id for _ in slow} == set(slow)


def test_a_closed_engine_starts_nothing_while_others_go_on_until_it_is_opened(work, job, next_event, store, alice):
    closed = ["paid"]
    waits = job(engine="paid", recipe=RECIPE.model_copy(update={"engine": "paid"}).model_dump(mode="json")).id
    pool = work(_ends, engines={"bars": 1, "paid": 1}, closed=lambda: closed)
    other = job().id
    assert next_event("failed").generation_id == other
    assert store.get_generation(alice, waits).status == "queued"
    closed.clear()
    pool._queue.notify()
    assert next_event("failed").generation_id == waits


def test_all_free_slots_are_filled_by_one_write(work, job, next_event, database):
    for _ in range(6):
        job()
    claimed = []
    database.listen(lambda events: claimed.append(sum(event.data.status == "processing" for event in events)))
    work(_ends, engines={"bars": 5})
    for _ in range(6):
        next_event("failed")
    assert [count for count in claimed if count] == [5, 1]


def test_jobs_of_an_engine_that_cannot_render_wait_and_say_why_and_those_of_others_are_rendered(work, job, next_event):
    waiting = job().id
    other = job(engine="quick", recipe=RECIPE.model_copy(update={"engine": "quick"}).model_dump(mode="json")).id
    pool = work(_ends, engines={"bars": 1, "quick": 1}, unavailable={"bars": "There is no model."})
    assert next_event("failed").generation_id == other
    pool.hold_engines({"bars": "There is no model.", "quick": "Neither here."})
    second = job(engine="quick", recipe=RECIPE.model_copy(update={"engine": "quick"}).model_dump(mode="json")).id
    pool.hold_engines({"quick": "Neither here."})
    assert next_event("failed").generation_id == waiting
    pool.hold_engines({})
    assert next_event("failed").generation_id == second


def test_what_still_renders_while_the_pool_stops_keeps_its_lease(work, job, next_event, monkeypatch):
    """Else another process would begin it anew while it goes on to its checkpoint here."""
    begun, may_end, renewed = threading.Event(), threading.Event(), threading.Event()

    def script(renderer):
        begun.set()
        assert may_end.wait(PATIENCE)
        yield protocol.Failed(code="well", message="")

    pool, row = work(script), job()
    assert begun.wait(PATIENCE)
    renew = pool._queue.renew

    def noted(owner, held):
        renew(owner, held)
        if pool._stopping.is_set() and row.id in held:
            renewed.set()

    monkeypatch.setattr(pool._queue, "renew", noted)
    stop = threading.Thread(target=pool.stop)
    stop.start()
    assert renewed.wait(PATIENCE)
    may_end.set()
    stop.join(PATIENCE)
    assert next_event("failed").data.attempt == 1
    assert not any(thread.is_alive() for thread in pool._threads)


def test_an_attempt_here_waits_until_the_one_that_another_process_took_back_has_left_and_keeps_its_lease(
    work, job, next_event
):
    """As after an outage of the database, where another process looks for expired leases first."""
    begun, left, overlaps = threading.Event(), threading.Event(), []

    def script(renderer):
        if renderer.job.attempt == 1:
            begun.set()
            while not renderer.cancelled:
                time.sleep(0.01)
            time.sleep(0.2)  # it still writes into the work folder
            left.set()
            yield protocol.Failed(code="cancelled", message="")
        overlaps.append(not left.is_set())
        time.sleep(2.5)  # more than two leases
        yield protocol.Failed(code="well", message="")

    row = job()
    pool = work(script, engines={"bars": 2})
    assert begun.wait(PATIENCE)
    pool._queue.lose(Lease(row.id, row.session_id, 1, {}, None, 0.0), "Its worker stopped responding.")
    end = next_event("failed").data
    assert (end.code, end.attempt, overlaps) == ("well", 2, [False])


def test_one_bad_job_does_not_end_the_worker(work, job, next_event):
    def script(renderer):
        if renderer.job.recipe.seed == 1:
            raise ZeroDivisionError
        yield protocol.Failed(code="well", message="")

    job()
    job(recipe=RECIPE.model_copy(update={"seed": 2}).model_dump(mode="json"))
    pool = work(script)
    codes = {next_event("failed").data.code for _ in range(2)}
    assert codes == {"well", "worker_lost"}
    pool.check()


# Free space on the disk.

MUCH = 1 << 62


def _ends(renderer):
    yield protocol.Failed(code="well", message="")


def test_with_less_free_space_than_the_reserve_jobs_wait_and_say_so_and_begin_when_there_is_room(
    work, job, next_event, data_folder
):
    data_folder.reserve_bytes = MUCH
    work(_ends)
    job()
    while (event := next_event("queued")).data.stage != "waiting":
        pass
    assert event.data.message == disk_guard.WAITING
    assert "almost full" in data_folder.shortage()
    data_folder.reserve_bytes = 0
    while (event := next_event("queued", "processing")).data.status == "queued":
        assert (event.data.stage, event.data.message) == ("queued", "")
    assert next_event("failed").data.code == "well"


def test_the_waiting_stage_that_an_earlier_process_left_is_reset(work, job, store, next_event):
    job()
    store.hold_queue(disk_guard.WAITING)
    assert next_event("queued").data.stage == "queued", "as it was submitted"
    assert next_event("queued").data.stage == "waiting"
    work(_ends)
    assert next_event("queued").data.stage == "queued"
    next_event("failed")


def test_a_render_that_meets_a_full_disk_waits_and_goes_on_without_losing_an_attempt(
    work, job, next_event, data_folder
):
    attempts = []

    def script(renderer):
        attempts.append(renderer.job.workdir.exists())
        if len(attempts) < 5:
            data_folder.reserve_bytes = MUCH
            yield protocol.Failed(code="storage_fault", message="no space left", retryable=True)
        yield protocol.Failed(code="well", message="")

    job()
    work(script)
    for _ in range(4):
        assert next_event("processing")
        assert "The disk is full" in next_event("queued").data.message
        data_folder.reserve_bytes = 0
    assert next_event("failed").data.code == "well", "more often than attempts may be lost"
    assert attempts == [True] * 5


def test_a_render_that_cannot_be_written_though_there_is_space_fails_and_can_be_retried(
    work, job, next_event, data_folder
):
    row = job()

    def script(renderer):
        yield protocol.Failed(code="storage_fault", message="disk quota exceeded", retryable=True)

    pool = work(script)
    data = next_event("failed").data
    assert (data.code, data.message, data.retryable) == ("storage_fault", "disk quota exceeded", True)
    pool.stop()
    assert not data_folder.work_folder(row.id).exists(), "what it had written makes room again"


def test_a_fault_that_the_free_space_does_not_show_closes_the_room_until_a_trial_succeeds(data_folder, tmp_path):
    assert data_folder.shortage() is None
    data_folder.note_fault()
    aside = tmp_path / "aside"
    data_folder.root.rename(aside)
    data_folder.root.write_bytes(b"a file in place of the folder")
    assert "cannot be written" in data_folder.shortage()
    data_folder.root.unlink()
    aside.rename(data_folder.root)
    assert data_folder.shortage() is None
    assert sorted(path.name for path in data_folder.root.iterdir()) == ["files", "work"], "the trial leaves nothing"


@pytest.mark.parametrize("problem", [DatabaseDamagedError("damaged"), StorageError("full")])
def test_a_database_that_takes_nothing_does_not_end_the_worker_or_flood_the_log(
    work, job, next_event, store, queue, caplog, monkeypatch, problem
):
    refusals = [problem] * 5
    claim_all = EmbeddedQueue.claim_all

    def refusing(self, *args):
        if refusals:
            raise refusals.pop()
        return claim_all(self, *args)

    monkeypatch.setattr(EmbeddedQueue, "claim_all", refusing)
    pool = work(_ends)
    job()
    assert next_event("failed").data.code == "well"
    pool.check()
    assert caplog.text.count(problem.detail) == 1
    assert "Traceback" not in caplog.text
