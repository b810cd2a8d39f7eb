"""Any order of submits, claims, heartbeats, clock jumps, reports, cancels, ends, losses, retries, deletes and restarts.

The real service, store and queue work on a real database; beside them runs a model of what the contract says. The
database must agree with the model after every step, and so must every published event.
"""

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from tests.fakes import bars
from tests.support.published import Published
from tests.support.queues import make_queue
from tests.support.rows import Clock, file_row, result
from videogen.core.config import AppConfig
from videogen.core.errors import (
    IdempotencyConflictError,
    LimitExceededError,
    NeedsNoAttentionError,
    NotFoundError,
    NotQueuedError,
    NotTerminalError,
    StaleWriteError,
)
from videogen.core.security import Signer
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.schemas.events import is_terminal
from videogen.schemas.generations import Attention, GenerationCreate, GenerationPatch, GenerationResolve
from videogen.schemas.status import TERMINAL, TRANSITIONS, Status
from videogen.services.generations import GenerationService
from videogen.services.parts import Parts
from videogen.services.serializers import Serializer
from videogen.services.storage_limits import StorageLimits
from videogen.services.uploads import UploadService
from videogen.services.visitor_limits import RateLimits
from videogen.services.visitor_tokens import VisitorTokens
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Fence, Progress, Store, Unknown, permissions

LEASE, ATTEMPTS, PER_SESSION, QUEUE = 10, 3, 5, 7
ANY = st.integers(min_value=0, max_value=99)
TINY = {"width": 64, "height": 64, "durationSeconds": 0.5, "fps": 8}


@dataclass
class Known:
    """What the model knows of a generation."""

    seq: int
    session: str
    seed: int
    status: Status = Status.QUEUED
    attempt: int = 0
    lost: int = 0
    cancel_requested: bool = False
    owner: str = ""
    term: float = 0.0
    """Since when its lease holds, in steady time."""
    saved: bool = False
    parked: bool = False
    """Whether it needs attention: it is processing, and nobody has it."""
    rank: int = 0
    """Its place among its own session's; that of its submit until its owner changes it."""

    prompt: str = "sea"

    def __post_init__(self):
        self.rank = self.seq


@dataclass
class Workers:
    """Who holds what, as the workers themselves see it."""

    held: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Life(RuleBasedStateMachine):
    """The model, and the rules that move it and the real thing alike."""

    alone = True
    """Whether one process has all leases: it decides about them when its clock was set, and when it starts."""

    @initialize(template=st.just(None))
    def begin(self, template):
        self.folder = Path(tempfile.mkdtemp(prefix="videogen-life-"))
        self.url = self.new_database()
        self.clock = Clock()
        self.jumped = False
        self.known, self.gone, self.leases = {}, set(), []
        self.earlier, self.served, self.turns, self.paused = [], defaultdict(int), 0, set()
        self.keys, self.workers = {}, Workers()
        self.open()
        self.sessions = [self.store.create_session()[0] for _ in range(2)]

    def new_database(self):
        shutil.copy(_migrated(), self.folder / "videogen.sqlite")
        return f"sqlite:///{self.folder / 'videogen.sqlite'}"

    def open(self):
        self.database = Database(self.url)
        self.live = Published(self.database)
        self.store = Store(self.database, self.clock)
        self.queue = make_queue(self.store, self.clock, LEASE, ATTEMPTS)
        limits = {"max_active_per_session": PER_SESSION, "max_active_per_address": 1000, "max_queue": QUEUE}
        config = AppConfig(**limits, rate_submits="off", data_dir=self.folder)
        data_folder, signer = DataFolder(self.folder), Signer(b"k" * 32)
        data_folder.open()
        storage = DiskStorage(data_folder.files)
        parts = Parts(
            *(config, self.store, None, storage, data_folder, signer, Serializer(signer, "")),
            *({"bars": bars}, self.queue, None, None, VisitorTokens(self.store, config, {"bars": bars}, signer)),
        )
        uploads = UploadService(self.store, storage, parts.serializer)
        visitors = RateLimits(config), StorageLimits(self.store, config)
        self.service, self.files = GenerationService(parts, uploads, *visitors), data_folder.files

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    # What the model thinks

    def queued(self):
        """Ids in the order in which the contract serves them; without what a paused queue holds."""
        order = [(name, self.known[name]) for name in self.waiting()]
        return [name for name, one in order if one.attempt or one.session not in self.paused]

    def waiting(self):
        waiting = sorted(
            (known for known in self.known.items() if known[1].status is Status.QUEUED),
            key=lambda item: (item[1].attempt == 0, item[1].rank),
        )
        turn, order = defaultdict(int), []
        for name, one in waiting:
            turn[one.session] += 1
            order.append(((one.attempt == 0, turn[one.session], self.served[one.session], one.rank), name))
        return [name for _, name in sorted(order)]

    def active(self, session):
        mine = [one for one in self.known.values() if one.session == session and not one.parked]
        return sum(one.status not in TERMINAL for one in mine)

    def held(self):
        """Ids of what a worker has, or had when the server ended."""
        return [name for name, one in self.known.items() if one.status is Status.PROCESSING and not one.parked]

    def current(self, lease):
        one = self.known.get(lease.generation_id)
        return lease.generation_id in self.held() and one.attempt == lease.attempt

    def pick(self, number, names):
        return list(names)[number % len(names)] if names else None

    def lease_at(self, number):
        """Any lease that was ever given; often one that holds, or one whose generation somebody else renders by now."""
        holding = [lease for lease in self.leases if self.current(lease)]
        rendered = {lease.generation_id for lease in holding}
        overtaken = [lease for lease in self.leases if lease.generation_id in rendered and not self.current(lease)]
        among = (holding, holding, overtaken, self.leases)[number % 4] or self.leases
        return among[-1 - number // 4 % len(among)]

    def end(self, name, status):
        self.known[name].status = status
        self.known[name].owner = ""
        self.known[name].parked = False

    def requeue(self, name, count):
        one = self.known[name]
        one.lost += count and not one.cancel_requested  # a cancelled generation does not count any more
        if one.cancel_requested:
            self.end(name, Status.CANCELLED)
        elif count and one.lost >= ATTEMPTS:
            self.end(name, Status.FAILED)
        else:
            self.end(name, Status.QUEUED)

    # Owners

    @rule(session=ANY, variations=st.integers(1, 3), key=st.sampled_from([None, "a", "b"]), seed=st.integers(0, 2))
    def submit(self, session, variations, key, seed):
        session = self.sessions[session % 2]
        request = GenerationCreate(prompt="sea", settings=TINY | {"seed": seed}, variations=variations)
        body = (seed, variations)
        before = self.keys.get((session, key)) if key else None
        if before and all(name in self.gone for name in before[1]):
            before = None  # a project that was deleted whole takes its key along
        if before:
            if before[0] != body:
                with pytest.raises(IdempotencyConflictError):
                    self.service.submit(session, request, key, "here")
            else:
                project, new = self.service.submit(session, request, key, "here")
                assert not new
                assert {one.id for one in project.generations} == before[1] - self.gone
        elif self.active(session) + variations > PER_SESSION or len(self.queued()) + variations > QUEUE:
            with pytest.raises(LimitExceededError):
                self.service.submit(session, request, key, "here")
        else:
            project, new = self.service.submit(session, request, key, "here")
            assert new
            self.take_in(session, project)
            if key:
                self.keys[session, key] = (body, {one.id for one in project.generations})

    def take_in(self, session, project):
        for one in project.generations:
            seq = len(self.known) + len(self.gone) + 1
            self.known[one.id] = Known(seq, session, one.seed)

    @precondition(lambda self: self.known)
    @rule(which=ANY, stranger=st.booleans())
    def cancel(self, which, stranger):
        running = [name for name, one in self.known.items() if one.status is Status.PROCESSING]
        name = self.pick(which // 2, running if running and which % 2 else self.known)
        one = self.known[name]
        if stranger:
            other = next(session for session in self.sessions if session != one.session)
            with pytest.raises(NotFoundError):
                self.service.cancel(other, name)
            return
        _, changed = self.service.cancel(one.session, name)
        assert changed == (one.status not in TERMINAL and not one.cancel_requested)
        if one.status is Status.QUEUED or one.parked:
            self.end(name, Status.CANCELLED)
        elif one.status is Status.PROCESSING:
            one.cancel_requested = True

    @precondition(lambda self: self.known)
    @rule(which=ANY, other=ANY, last=st.booleans(), stranger=st.booleans())
    def move(self, which, other, last, stranger):
        waiting = [name for name in self.waiting() if self.active(self.known[name].session) > 1]
        name = self.pick(which // 2, waiting if waiting and which % 4 else self.known)
        one = self.known[name]
        own = [its for its, known in self.known.items() if known.session == one.session]
        before = None if last else self.pick(other, own)
        if stranger and which % 3 == 0:
            elsewhere = next(session for session in self.sessions if session != one.session)
            with pytest.raises(NotFoundError):
                self.service.move(elsewhere, name, before)
            return
        others = self.places_beside(one.session)
        if one.status is not Status.QUEUED or (before != name and before and self.known[before].status in TERMINAL):
            with pytest.raises(NotQueuedError):
                self.service.move(one.session, name, before)
            return
        for _ in range(2):  # again is nothing
            self.service.move(one.session, name, before)
        self.put_before(name, before)
        assert others == self.places_beside(one.session), "no other session waits longer for it"

    @rule(session=ANY, paused=st.booleans())
    def pause(self, session, paused):
        session = self.sessions[session % 2]
        (self.paused.add if paused else self.paused.discard)(session)
        queue = self.service.pause(session, paused=paused)
        own = [name for name in self.waiting() if self.known[name].session == session]
        assert [one.id for one in queue.items if one.status is Status.QUEUED] == own
        assert queue.paused == paused

    @precondition(lambda self: self.known)
    @rule(which=ANY, prompt=st.sampled_from(["sea", "fog"]))
    def edit(self, which, prompt):
        name = self.pick(which, self.waiting() or self.known)
        one = self.known[name]
        if one.status is not Status.QUEUED:
            with pytest.raises(NotQueuedError):
                self.service.patch(one.session, name, GenerationPatch(prompt=prompt))
            return
        edited = self.service.patch(one.session, name, GenerationPatch(prompt=prompt))
        assert (edited.prompt, edited.seed) == (prompt, one.seed)
        one.prompt, one.saved = prompt, False

    def places_beside(self, session):
        return {place: name for place, name in enumerate(self.queued()) if self.known[name].session != session}

    def put_before(self, name, before):
        """The session's places stay; whoever stands between the two moves up or down by one."""
        one = self.known[name]
        waiting = [other for other in self.waiting() if self.known[other].session == one.session]
        if before == name:
            return
        rest = [other for other in waiting if other != name]
        if before is None:
            rest.append(name)
        elif self.known[before].status is Status.PROCESSING:
            rest.insert(0, name)
        else:
            rest.insert(rest.index(before), name)
        for begun in (True, False):  # what had begun keeps its turn
            among = [other for other in rest if (self.known[other].attempt > 0) == begun]
            ranks = sorted(self.known[other].rank for other in among)
            for rank, other in zip(ranks, among, strict=True):
                self.known[other].rank = rank

    @precondition(lambda self: self.known)
    @rule(which=ANY)
    def retry(self, which):
        name = self.pick(which, self.known)
        one = self.known[name]
        if one.status not in TERMINAL:
            with pytest.raises(NotTerminalError):
                self.service.retry(one.session, name, "here")
        elif self.active(one.session) >= PER_SESSION or len(self.queued()) >= QUEUE:
            with pytest.raises(LimitExceededError):
                self.service.retry(one.session, name, "here")
        else:
            project = self.service.retry(one.session, name, "here")
            (made,) = project.generations
            assert made.seed == one.seed
            assert made.recipe_hash == self.service.get(one.session, name).recipe_hash
            self.take_in(one.session, project)

    @precondition(lambda self: self.known)
    @rule(which=ANY)
    def delete(self, which):
        name = self.pick(which, self.known)
        one = self.known[name]
        if one.status not in TERMINAL:
            with pytest.raises(NotTerminalError):
                self.service.delete(one.session, name)
            return
        self.service.delete(one.session, name)
        del self.known[name]
        self.gone.add(name)

    # Workers

    @rule(owner=st.sampled_from(["one", "two"]))
    def claim(self, owner):
        self.take(owner)

    def take(self, owner):
        held = self.workers.held[owner]
        if self.jumped and self.alone:  # a clock that was set gives every lease a full term
            for one in self.known.values():
                one.term = self.clock.now
        self.jumped = False
        for name in self.held():
            one = self.known[name]
            if self.clock.now - one.term > LEASE and name not in held:
                self.requeue(name, count=True)
        expected = next(iter(self.queued()), None)
        lease = self.queue.claim(owner, held)
        assert (lease.generation_id if lease else None) == expected
        if lease is None:
            return
        one = self.known[expected]
        assert lease.attempt == one.attempt + 1
        assert lease.recipe["prompt"] == one.prompt
        assert (lease.checkpoint is not None) == one.saved
        one.status, one.attempt, one.owner, one.term = Status.PROCESSING, lease.attempt, owner, self.clock.now
        self.turns += 1
        self.served[one.session] = self.turns
        self.leases.append(lease)
        held.add(expected)

    @rule()
    def claim_again(self):
        """The same for whoever holds nothing of its own; so that there is more to be rendered than to be waited for."""
        self.take("three")

    @rule(owner=st.sampled_from(["one", "two"]))
    def heartbeat(self, owner):
        held = self.workers.held[owner]
        self.queue.renew(owner, held)
        for name in held & self.known.keys():
            if self.known[name].owner == owner and name in self.held():
                self.known[name].term = self.clock.now

    @precondition(lambda self: any(self.workers.held.values()))
    @rule()
    def forget(self):
        """The threads of all workers die; nobody says so."""
        self.workers.held.clear()

    @rule(seconds=st.sampled_from([0.5, 3.0, 9.5, 10.5, 40.0]))
    def pass_time(self, seconds):
        self.clock.now += seconds

    @precondition(lambda self: not self.jumped)
    @rule(seconds=st.sampled_from([-3600.0, -60.0, 60.0, 3600.0]))
    def set_the_clock(self, seconds):
        self.clock.set_by(seconds)
        self.jumped = True

    def write(self, lease, call):
        """A fenced write succeeds for whoever holds the lease, and changes nothing for anybody else."""
        if not self.current(lease):
            before = self.snapshot()
            with pytest.raises(StaleWriteError):
                call(Fence(lease.generation_id, lease.attempt))
            assert self.snapshot() == before
            return False
        call(Fence(lease.generation_id, lease.attempt))
        return True

    def snapshot(self):
        with self.database.read() as session:
            tables = ("generations", "events", "files")
            return [session.connection().execute(text(f"SELECT * FROM {table}")).fetchall() for table in tables]

    @precondition(lambda self: self.leases)
    @rule(which=ANY, percent=st.sampled_from([0.0, 25.0, 50.0, 99.0]))
    def report(self, which, percent):
        progress = Progress(percent, "rendering", int(percent), 100, "", None)
        self.write(self.lease_at(which), lambda fence: self.store.record_progress(fence, progress))

    @precondition(lambda self: self.leases)
    @rule(which=ANY)
    def checkpoint(self, which):
        lease = self.lease_at(which)
        if self.write(lease, lambda fence: self.store.record_checkpoint(fence, {"step": 1})):
            self.known[lease.generation_id].saved = True

    @precondition(lambda self: self.leases)
    @rule(which=ANY)
    def preview(self, which):
        lease = self.lease_at(which)
        row = SimpleNamespace(id=lease.generation_id, session_id=lease.session_id, created_at=self.clock())
        self.write(lease, lambda fence: self.store.record_preview(fence, file_row(row, "preview")))

    @precondition(lambda self: self.leases)
    @rule(which=ANY)
    def complete(self, which):
        lease = self.lease_at(which)
        row = SimpleNamespace(id=lease.generation_id, session_id=lease.session_id, width=64, height=64, fps=8)
        row.duration_seconds, row.created_at = 0.5, self.clock()
        made = result(row)

        def complete(fence):
            if not self.current(lease):  # a worker that does not know it yet; its file is swept later
                self.store.complete(fence, made)
            path = self.files / made.video.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"video")
            self.store.complete(fence, made)

        if self.write(lease, complete):
            self.end(lease.generation_id, Status.COMPLETED)

    @precondition(lambda self: self.leases)
    @rule(which=ANY, code=st.sampled_from(["engine_error", "cancelled"]))
    def fail(self, which, code):
        lease = self.lease_at(which)
        if self.write(lease, lambda fence: self.store.fail(fence, code, "", retryable=True)):
            self.end(lease.generation_id, Status.CANCELLED if code == "cancelled" else Status.FAILED)

    @precondition(lambda self: self.leases)
    @rule(which=ANY)
    def park(self, which):
        lease = self.lease_at(which)
        unknown = Unknown("Nobody knows.", Attention(provider_id="7"))
        if self.write(lease, lambda fence: self.queue.finish(lease, unknown)):
            one = self.known[lease.generation_id]
            one.parked, one.owner = True, ""
            if one.cancel_requested:
                self.end(lease.generation_id, Status.CANCELLED)

    @precondition(lambda self: self.known)
    @rule(which=ANY, action=st.sampled_from(["look", "resubmit", "fail"]))
    def resolve(self, which, action):
        parked = [name for name, one in self.known.items() if one.parked]
        name = self.pick(which // 4, parked if parked and which % 4 else self.known)
        one, resolve = self.known[name], GenerationResolve(action=action)
        if not one.parked:
            before = self.snapshot()
            with pytest.raises(NeedsNoAttentionError):
                self.service.resolve(one.session, name, resolve, "here")
            assert self.snapshot() == before
        elif action == "resubmit" and (self.active(one.session) >= PER_SESSION or len(self.queued()) >= QUEUE):
            before = self.snapshot()
            with pytest.raises(LimitExceededError):
                self.service.resolve(one.session, name, resolve, "here")
            assert self.snapshot() == before
        else:
            made = self.service.resolve(one.session, name, resolve, "here")
            self.end(name, Status.QUEUED if action == "look" else Status.FAILED)
            one.saved = one.saved or action == "look"
            assert (made.id == name) == (action != "resubmit")
            if action == "resubmit":
                assert made.seed == one.seed
                self.take_in(one.session, SimpleNamespace(generations=[made]))

    @precondition(lambda self: self.leases)
    @rule(which=ANY, count=st.booleans())
    def lose(self, which, count):
        lease = self.lease_at(which)
        before = None if self.current(lease) else self.snapshot()
        self.queue.lose(lease, "It is gone.", count=count)
        if before is None:
            self.requeue(lease.generation_id, count)
        else:
            assert self.snapshot() == before

    @rule()
    def restart(self):
        self.earlier += self.live
        self.database.close()
        self.open()
        self.jumped = False  # a new process has seen no other time
        self.workers = Workers()
        running = self.held() if self.alone else []
        assert self.queue.recover() == len(running)
        for name in running:
            self.requeue(name, count=False)

    # What always holds

    @invariant()
    def the_database_agrees_with_the_model(self):
        if not hasattr(self, "known"):
            return
        with self.database.read() as session:
            query = text("SELECT id, status, attempt, lost, queue_position, lease_owner FROM generations")
            rows = {row[0]: row[1:] for row in session.connection().execute(query)}
        places = {name: place for place, name in enumerate(self.queued(), 1)}
        assert rows == {
            name: (one.status, one.attempt, one.lost, places.get(name), one.owner or None)
            for name, one in self.known.items()
        }

    @invariant()
    def what_may_start_has_a_permission(self):
        if not hasattr(self, "known") or self.alone:
            return
        with self.database.read() as session:
            waiting = permissions.waiting(session.connection())
        assert waiting.get("bars", 0) >= len(self.queued())

    @invariant()
    def every_attempt_was_claimed_once(self):
        given = [(lease.generation_id, lease.attempt) for lease in getattr(self, "leases", [])]
        assert len(given) == len(set(given))

    @invariant()
    def published_events_are_stored_and_follow_the_transitions(self):
        if not hasattr(self, "live"):
            return
        published = [*self.earlier, *self.live]
        numbers = [event.id for event in published]
        assert numbers == sorted(set(numbers)), "numbers rise strictly, over restarts too"
        with self.database.read() as session:
            stored = session.connection().execute(text("SELECT id, generation_id FROM events ORDER BY id")).fetchall()
        assert [tuple(row) for row in stored] == [
            (event.id, event.generation_id) for event in published if event.generation_id in self.known
        ]
        lives = defaultdict(list)
        for event in published:
            lives[event.generation_id].append(event)
        for name, life in lives.items():
            _check_life(life, ended=name in self.gone or self.known[name].status in TERMINAL)

    @invariant()
    def nothing_of_a_deleted_generation_is_left(self):
        for name in getattr(self, "gone", ()):
            assert not (self.files / name).exists()
        if getattr(self, "gone", ()):
            with self.database.read() as session:
                for table in ("events", "files"):
                    query = text(f"SELECT DISTINCT generation_id FROM {table}")
                    assert self.gone.isdisjoint(session.connection().execute(query).scalars())


def _check_life(life, ended):
    ends = [event for event in life if is_terminal(event.type)]
    assert len(ends) == ended
    assert not ended or ends[0] is life[-1]
    best = defaultdict(float)
    for before, event in zip([None, *life], life, strict=False):
        data = event.data
        if before is not None:
            assert data.attempt >= before.data.attempt
            change = (Status(before.data.status), Status(data.status))
            assert change[0] is change[1] or change[1] in TRANSITIONS[change[0]], change
        assert data.progress >= best[data.attempt], "progress never falls within an attempt"
        best[data.attempt] = data.progress


_template = []


def _migrated():
    """A database file at HEAD, made once; copied, never opened."""
    if not _template:
        _template.append(Path(tempfile.mkdtemp(prefix="videogen-life-")) / "videogen.sqlite")
        migrate(f"sqlite:///{_template[0]}")
    return _template[0]


class LifeOnPostgreSQL(Life):
    """The same with the state in PostgreSQL, where any number of processes have the queue in common."""

    on = ""
    alone = False

    def new_database(self):
        from tests.support.postgresql import empty

        empty(self.on)
        return self.on


@pytest.fixture
def on_postgresql(_postgresql_url):
    LifeOnPostgreSQL.on = _postgresql_url


TestLife = pytest.mark.timeout(400)(Life.TestCase)
TestLifeOnPostgreSQL = pytest.mark.usefixtures("on_postgresql")(LifeOnPostgreSQL.TestCase)
TestLifeOnPostgreSQL = pytest.mark.timeout(400)(pytest.mark.postgresql(TestLifeOnPostgreSQL))
TestLife.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    # Without shrinking, which takes minutes here: forty steps can be read as they are.
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestLifeOnPostgreSQL.settings = settings(TestLife.settings, max_examples=5)
