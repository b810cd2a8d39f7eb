"""`videogen migrate --to --storage`: what it refuses, what an interruption leaves, and what its checks find."""

import hashlib
import subprocess
import sys
import time
from contextlib import closing

import psycopg
import pytest

from tests.support.app import ROOT, environment
from tests.support.s3_server import BUCKET
from videogen.core.config import AppConfig
from videogen.core.errors import StartError
from videogen.core.lock import DataLock
from videogen.core.security import SECRET_FILE
from videogen.db import moving
from videogen.db.migrate import migrate
from videogen.doctor.check_database import server
from videogen.engines.process.protocol import CHECKPOINT_NAME, LOG_NAME
from videogen.jobs.moving.by_hand import move
from videogen.server.build import build_engines, open_parts
from videogen.server.worker import run_worker
from videogen.storage.s3 import S3Objects
from videogen.store import Fence

NOWHERE = "postgresql://me:mypassword@127.0.0.1:1/none"
PLACE = "s3://bucket/prefix"
KEY = "a key of the tests"
ADVICE = "un `videogen migrate --to URL --storage URL` again where it comes from"


def run(installation, to, storage, **settings):
    """The summary, and the lines about how far it is."""
    lines = []
    text = move(installation.config.model_copy(update=settings), to, storage, lines.append)
    return text, lines


def refusal(*args, **settings):
    with pytest.raises(StartError) as refused:
        run(*args, **settings)
    assert "\n" not in refused.value.detail
    assert "mypassword" not in refused.value.detail
    return refused.value.detail


def ask(url, query, *values):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []


def fingerprints(root):
    """Every file of a folder, but for the lock."""
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != "videogen.lock")
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


# What is refused


@pytest.mark.parametrize(
    ("to", "storage", "words"),
    [
        (NOWHERE, "", "--storage is missing"),
        ("", PLACE, "--to is missing"),
        ("mysql://me:mypassword@h/d", PLACE, "--to: expected a URL such as postgresql://"),
        ("postgresql://me:mypassword@h:port/d", PLACE, "--to: expected a URL such as postgresql://"),
        ("postgres", PLACE, "--to: expected a URL such as postgresql://"),
        ("postgresql://me:mypassword@h", PLACE, "--to: expected a URL such as postgresql://"),
        (NOWHERE, "/somewhere", "--storage: expected a bucket such as s3://"),
        (NOWHERE, "s3:///prefix", "--storage: expected a bucket such as s3://"),
        (NOWHERE, f"{PLACE}?colour=red", "--storage: expected only the options endpoint, region, public"),
        (NOWHERE, f"{PLACE}?endpoint=127.0.0.1:8333", "--storage: expected endpoint= and an address such as https://"),
        (NOWHERE, f"{PLACE}?endpoint=http://h:port", "--storage: expected endpoint= and an address such as https://"),
        (NOWHERE, f"{PLACE}?public=files", "--storage: expected public= and an address such as https://"),
    ],
)
@pytest.mark.postgresql
def test_wrong_urls_are_refused(installation, to, storage, words):
    assert words in refusal(installation, to, storage)


def older(installation):
    installation.write("UPDATE alembic_version SET version_num = '0022'")


def restored(installation):
    installation.store.record_restore(0.0, is_complete=False)


def without_key(installation):
    (installation.folder.root / SECRET_FILE).unlink()


def without_database(installation):
    installation.stop().path.unlink()


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (older, {}, "is at revision 0022, and this videogen needs"),
        (restored, {}, "start `videogen serve` once"),
        (without_key, {}, "set VIDEOGEN_SECRET_KEY to the key of this installation"),
        (without_database, {}, "nothing to move. See VIDEOGEN_DATA_DIR"),
        (str, {"secret_key": KEY}, "VIDEOGEN_SECRET_KEY is not the key in"),
        (str, {"database_url": NOWHERE}, "what moves is an installation with SQLite"),
    ],
)
@pytest.mark.postgresql
def test_a_source_that_cannot_be_moved_as_it_is_is_refused(installation, change, settings, words):
    change(installation)
    assert words in refusal(installation, NOWHERE, PLACE, **settings)


@pytest.mark.postgresql
def test_an_installation_that_runs_is_refused_and_none_starts_meanwhile(installation, monkeypatch):
    with closing(DataLock.take(installation.folder.root)):
        assert "Stop it" in refusal(installation, NOWHERE, PLACE)

    def look(*_args, **_options):
        with pytest.raises(StartError, match="Another videogen"):
            DataLock.take(installation.folder.root)
        raise StartError("seen")

    monkeypatch.setattr("videogen.jobs.moving.by_hand.open_bucket", look)
    assert refusal(installation, NOWHERE, PLACE) == "seen"
    DataLock.take(installation.folder.root).close()


@pytest.mark.postgresql
def test_a_package_that_is_not_installed_is_named(installation, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    assert "pip install 'videogen[s3]'" in refusal(installation, NOWHERE, PLACE)
    code = (
        f"import sys; sys.modules['psycopg'] = None; from videogen.__main__ import main; sys.exit(main({[*command()]}))"
    )
    env = environment(installation.folder.root)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("videogen migrate cannot run. ")
    assert "pip install 'videogen[distributed]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def command(to=NOWHERE, storage=PLACE):
    return ["migrate", "--to", to, "--storage", storage]


@pytest.mark.postgresql
def test_a_target_that_cannot_be_reached_is_named(installation, bucket):
    assert "127.0.0.1:1/none cannot be used: " in refusal(installation, NOWHERE, bucket)
    closed = "s3://bucket?endpoint=http://127.0.0.1:1"
    assert "The bucket s3://bucket/ cannot be used: " in refusal(installation, NOWHERE, closed)


@pytest.mark.postgresql
def test_a_target_that_is_not_empty_is_refused_and_not_changed(installation, target, bucket, s3):
    s3.client().put_object(Bucket=BUCKET, Key=f"{bucket.partition('?')[0].removeprefix(f's3://{BUCKET}/')}/x", Body=b"")
    assert "The bucket of --storage has files already" in refusal(installation, target, bucket)
    assert ask(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    bucket = bucket.replace("?", "/empty?")
    with psycopg.connect(target, application_name="videogen"):
        assert "Another videogen uses the database" in refusal(installation, target, bucket)
    migrate(target)
    ask(target, "INSERT INTO sessions (id, created_at, last_served_at) VALUES ('ses_x', 0, 0)")
    assert "has data already (in the table sessions)" in refusal(installation, target, bucket)
    ask(target, "UPDATE alembic_version SET version_num = '0028 moving 12345678 12345678'")
    assert "the incomplete copy of another installation" in refusal(installation, target, bucket)
    assert ask(target, "SELECT id FROM sessions") == [("ses_x",)]


# Interruptions


def starts(tmp_path, url, bucket):
    """What a server and a worker say that start on the target, and the doctor."""
    env = environment(tmp_path / "new", database_url=url, storage_url=bucket, secret_key=KEY)
    config, said = AppConfig.from_env(env), []
    for start in (lambda: open_parts(config, build_engines(config)).__enter__(), lambda: run_worker(config, [], None)):
        with pytest.raises(StartError) as refused:
            start()
        said.append(refused.value.detail)
    (schema,) = (found for found in server(config) if found.check == "schema")
    return [*said, schema.repair]


class Puts:
    """Counts the keys that are uploaded; fails before one of them."""

    def __init__(self, monkeypatch, fails_at=-1):
        self.keys = []
        real = S3Objects.put

        def put(objects, name, source):
            if len(self.keys) == fails_at:
                raise OSError("Generic S3 error: 503 Service Unavailable")
            real(objects, name, source)
            self.keys.append(name)

        monkeypatch.setattr(S3Objects, "put", put)
        monkeypatch.setattr("videogen.jobs.moving.files._AT_ONCE", 1)


@pytest.mark.postgresql
def test_it_goes_on_after_an_interruption_and_nothing_starts_before_it_is_complete(
    installation, target, bucket, objects, tmp_path, monkeypatch
):
    before = fingerprints(installation.stop().folder.root)
    puts = Puts(monkeypatch, fails_at=3)
    assert "then run the command again: it goes on" in refusal(installation, target, bucket)
    assert all(ADVICE in text for text in starts(tmp_path, target, bucket))
    there = objects()
    assert len(there) == 3
    kill_while_it_copies_rows(installation, target, bucket)
    assert len(objects()) == 4
    assert all(ADVICE in text for text in starts(tmp_path, target, bucket))
    text, lines = run(installation, target, bucket)
    events = moving.count_rows(installation.path)["events"]
    things = f"1 session, 3 generations, {events} events, 4 files (0.0 MB, 0 sent by this run)."
    assert text.splitlines()[0] == f"Moved, and checked: {things}"
    assert [*lines[:2], lines[-1]] == ["4 files to copy.", "Copied 4 of 4 files.", "Checked 4 of 4 files."]
    assert f'VIDEOGEN_SECRET_KEY="$(cat {installation.folder.root / SECRET_FILE})"' in text
    assert installation.secret not in text
    assert there.items() <= objects().items(), "what was there is not sent again"
    assert len(puts.keys) == 3
    assert fingerprints(installation.folder.root) == before
    assert ask(target, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == [(1,)]
    assert "the move is complete" in refusal(installation, target, bucket)


def kill_while_it_copies_rows(installation, target, bucket):
    """SIGKILL in the middle of the transaction."""
    with psycopg.connect(target) as holder, psycopg.connect(target, autocommit=True) as looks:
        holder.execute("LOCK TABLE events IN SHARE MODE")
        argv = [sys.executable, "-m", "videogen", *command(target, bucket)]
        with subprocess.Popen(
            argv, cwd=ROOT, env=environment(installation.folder.root), stderr=subprocess.PIPE
        ) as done:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            while looks.execute(waits, (moving.APPLICATION,)).fetchone() == (0,):
                assert done.poll() is None, done.stderr.read()
                time.sleep(0.02)
            done.kill()


@pytest.mark.postgresql
def test_an_interrupted_move_goes_on_to_another_empty_bucket_alone(installation, target, bucket, monkeypatch):
    with monkeypatch.context() as patch:
        Puts(patch, fails_at=3)
        refusal(installation, target, bucket)
    assert "The bucket of --storage has files already" in refusal(installation, target, f"{bucket}&region=eu-west-1")
    assert "4 sent by this run" in run(installation, target, bucket.replace("?", "-other?"))[0]


# What the checks find


@pytest.mark.postgresql
def test_an_object_that_was_changed_behind_its_back_is_found(installation, target, bucket, s3, objects, monkeypatch):
    copy_rows = moving.copy_rows

    def change(path, url):
        copy_rows(path, url)
        name = sorted(objects())[0]
        prefix = bucket.partition("?")[0].removeprefix(f"s3://{BUCKET}/")
        content = s3.client().get_object(Bucket=BUCKET, Key=f"{prefix}/{name}")["Body"].read()
        s3.client().put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=b"V" + content[1:])

    with monkeypatch.context() as patch:
        patch.setattr(moving, "copy_rows", change)
        assert "1 file in the bucket of --storage, such as gen_" in refusal(installation, target, bucket)
    assert moving.MOVING in ask(target, "SELECT version_num FROM alembic_version")[0][0]
    assert "1 sent by this run" in run(installation, target, bucket)[0]


@pytest.mark.postgresql
def test_a_row_that_is_missing_is_found(installation, target, bucket):
    migrate(target)
    drop = "CREATE FUNCTION drop_it() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql"
    ask(target, drop)
    ask(
        target,
        "CREATE TRIGGER drops BEFORE INSERT ON devices EXECUTE FUNCTION drop_it()".replace("EXEC", "FOR EACH ROW EXEC"),
    )
    assert "The table devices has 0 rows in the database of --to, and 1 here" in refusal(installation, target, bucket)
    ask(target, "DROP TRIGGER drops ON devices")
    run(installation, target, bucket)


@pytest.mark.postgresql
def test_a_file_that_is_not_here_is_named_and_may_be_in_the_snapshots(installation, target, bucket, tmp_path):
    lost = next(installation.disk.list()).key
    installation.disk.delete(lost)
    text = refusal(installation, target, bucket, snapshot_url=f"{tmp_path}")
    assert f"1 file may still be in the snapshots only, such as {lost}" in text
    text, lines = run(installation, target, bucket)
    assert "3 files" in text
    assert lines[-1] == f"1 file of the database could not be found here, such as {lost}."


@pytest.mark.postgresql
def test_the_address_for_browsers_is_taken_and_printed_with_the_settings(installation, target, bucket):
    text, _ = run(installation, target, f"{bucket}&public=https://files.example.org")
    assert f"VIDEOGEN_STORAGE_URL='{bucket}&public=https://files.example.org'" in text


# Jobs


@pytest.mark.postgresql
def test_what_a_kill_left_is_queued_at_the_newest_checkpoint_and_keeps_its_log(installation, target, bucket, objects):
    begun, ended, fresh = installation.work(attempt=3), installation.work(), installation.work()
    installation.store.fail(Fence(ended.id, 1), "broken", "It broke.", retryable=True)
    for row in (begun, ended, fresh):
        (installation.folder.make_work_folder(row.id) / LOG_NAME).write_text("It prints.\n")
    # It was saved in the moment of the kill: the row does not know of it.
    root = installation.folder.work_folder(begun.id)
    (root / CHECKPOINT_NAME).write_text('{"job": "sent and paid for"}')
    (root / "part").mkdir()
    (root / "part" / "frames.bin").write_bytes(b"frames")
    (root / "torn.part").write_bytes(b"x")
    (installation.folder.work_folder(fresh.id) / "frames.bin").write_bytes(b"x")
    run(installation, target, bucket)
    found = ask(target, "SELECT status, attempt, lost, checkpoint FROM generations WHERE id = %s", begun.id)
    assert found == [("queued", 3, 0, {"job": "sent and paid for", "videogen.attempt": 3})]
    assert ask(target, "SELECT status, lost, checkpoint FROM generations WHERE id = %s", fresh.id) == [
        ("queued", 0, None)
    ]
    new = {key for key in objects() if begun.id in key or ended.id in key or fresh.id in key}
    names = (CHECKPOINT_NAME, LOG_NAME, "part/frames.bin")
    work = {f"{begun.id}/work-3/{name}" for name in names} | {f"{fresh.id}/work-1/{LOG_NAME}"}
    assert new == work | {f"{ended.id}/log.txt"}
    assert ask(target, "SELECT count(*) FROM files WHERE kind = 'log'") == [(1,)]
