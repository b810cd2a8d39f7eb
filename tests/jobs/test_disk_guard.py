"""A disk that becomes full under a running server, and has space again: nothing is lost, nothing needs a restart."""

import subprocess
import sys

import pytest

from tests.support.api import Session, connect
from tests.support.app import ROOT, App, environment
from tests.support.disks import WAYS
from videogen.media.probe import probe

FRAMES = 24
LONG = {"durationSeconds": 3, "delay_ms": 60}


@pytest.fixture(params=WAYS)
def disk(request, tmp_path):
    with WAYS[request.param](tmp_path / "disk") as disk:
        yield disk


def _until_free(session, generation_id):
    """The finished generation, after it waited for free space."""
    ended = session.finish(generation_id)
    assert ended["status"] == "completed", ended
    return ended


def test_a_full_disk_refuses_writes_and_serves_reads_and_jobs_continue_with_free_space(disk, tmp_path):
    served = App(disk.folder / "data", ["paced", "bars"], workers=1, reserve_mb=1)
    with served as app, Session(app.base_url) as session:
        old = session.finish(session.submit("bars")["id"])
        running = session.submit("paced", settings=LONG)
        waiting = session.submit("bars")
        session.wait_rendering(running["id"], 10)
        known = [item["id"] for item in session.get("/generations").json()["items"]]

        disk.fill(app.pid)
        refused = session.try_submit("bars", headers={"Idempotency-Key": "the-key"})
        assert refused.status_code == 507, refused.text
        assert refused.json()["code"] == "storage_fault"
        assert refused.headers["content-type"] == "application/problem+json"
        _reads_go_on(app, session, old, known)

        # The renderer meets the full disk as well; from then on the server knows.
        assert "data folder" in _degraded(session) or "disk" in _degraded(session)
        assert session.read(running["id"])["status"] in ("processing", "queued")

        disk.free(app.pid)
        ended = _until_free(session, running["id"])
        _until_free(session, waiting["id"])
        path = tmp_path / "video.mp4"
        path.write_bytes(session.http.get(ended["videoUrl"]).raise_for_status().content)
        assert probe(path).num_frames == FRAMES
        assert session.http.get("/readyz").json() == {"status": "ready"}

        again = session.try_submit("bars", headers={"Idempotency-Key": "the-key"})
        assert again.status_code == 201, "nothing of the refused one was stored"
        _until_free(session, again.json()["generations"][0]["id"])
        assert len(session.get("/generations").json()["items"]) == len(known) + 1
        _one_end_each(session, known)
        assert "Traceback" not in app.log


def _reads_go_on(app, session, old, known):
    assert [item["id"] for item in session.get("/generations").json()["items"]] == known
    video = session.http.get(old["videoUrl"])
    assert (video.status_code, len(video.content)) == (200, old["sizeBytes"])
    assert [frame.event for frame in session.follow(old["id"])] == ["render_result"]
    with connect(app.base_url) as visitor:
        assert visitor.get("/").status_code == 200, "the page comes, and says what is wrong"
        assert visitor.post("/api/v1/sessions").json()["code"] == "storage_fault"


def _degraded(session):
    """What /readyz says is amiss, once the server has noticed."""
    while (answer := session.http.get("/readyz")).json()["status"] == "ready":
        assert answer.status_code == 200
    assert answer.status_code == 200
    return answer.json()["detail"]


def _one_end_each(session, ids):
    for generation_id in ids:
        frames = session.follow(generation_id, 0)
        assert [frame.terminal for frame in frames].count(True) == 1
        assert frames[-1].terminal


def test_a_start_on_a_full_disk_is_refused_with_one_line(tmp_path):
    command = f"ulimit -f 0; exec {sys.executable} app.py"
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment(tmp_path / "data"), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("videogen cannot start. VIDEOGEN_DATA_DIR: expected a folder that can be written")
    assert "free space" in line


def test_a_work_folder_that_cannot_be_written_fails_only_its_job(running_app):
    app = running_app()
    work = app.data_dir / "work"
    with Session(app.base_url) as session:
        old = session.finish(session.submit("bars")["id"])
        # Not by permissions, which a superuser does not heed.
        work.rename(app.data_dir / "aside")
        work.write_bytes(b"a file where the folder was")
        failed = session.finish(session.submit("bars", settings={"seed": 5})["id"])
        assert failed["status"] == "failed"
        assert (failed["error"]["code"], failed["error"]["retryable"]) == ("storage_fault", True)
        assert "work folder could not be made" in failed["error"]["message"]
        assert session.http.get(old["videoUrl"]).status_code == 200
        assert session.http.get("/readyz").json()["status"] == "ready"

        work.unlink()
        (app.data_dir / "aside").rename(work)
        again = session.finish(session.post(f"/generations/{failed['id']}/retry").json()["id"])
        assert (again["status"], again["seed"]) == ("completed", 5)
        assert "Traceback" not in app.log
