"""A server loses its disk and comes back: the whole way, in processes."""

import os
import random
import shutil
import time
from contextlib import suppress

import pytest

from tests.support.api import Session
from videogen.media.probe import probe

KEY = "correct horse battery"


def _plays(session, generation, path):
    path.write_bytes(session.http.get(generation["videoUrl"]).raise_for_status().content)
    return probe(path).num_frames == 4


def test_a_server_that_lost_its_disk_comes_back_with_history_links_sessions_and_queue(running_app, tmp_path):
    place = tmp_path / "place"
    app = running_app(engines=["paced"], workers=1, snapshot_url=place, snapshot_key=KEY, snapshot_seconds=3600)
    with Session(app.base_url) as session:
        made = session.finish(session.submit("paced", settings={"delay_ms": 1})["id"])
        share = session.post(f"/generations/{made['id']}/share", json={}).json()
        begun = session.submit("paced", settings={"delay_ms": 200})
        last = session.wait_rendering(begun["id"])
        instance = session.http.get("/healthz").json()["instance"]
        app.stop()
        shutil.rmtree(app.data_dir)
        app.start()
        ready = session.http.get("/readyz").json()
        assert ready["restored"]["complete"] is True
        assert session.http.get("/healthz").json()["instance"] == instance
        assert _plays(session, made, tmp_path / "video.mp4"), "the link of before is valid"
        assert session.http.get(f"/s/{share['slug']}").status_code == 200
        events = session.follow(begun["id"], last.id)
        assert events[-1].event == "render_result"
        assert min(event.id for event in events) > last.id
        assert "Restored from the snapshot of" in app.log
        assert "nothing was lost" in app.log


INTERVAL = 2.0
NO_LIMIT = {"max_active_per_session": 100_000, "max_queue": 100_000}
KILLS = int(os.environ.get("VIDEOGEN_TEST_KILLS", "24"))


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_storm_of_kills_with_an_empty_disk_loses_nothing_that_is_older_than_one_interval(running_app, tmp_path):
    """What was answered longer than one interval before a kill is there after it; a torn snapshot is never taken.

    All processes are killed, also while a start claims and restores.
    """
    dice = random.Random(7)
    place = tmp_path / "place"
    app = running_app(engines=["bars"], workers=1, snapshot_url=place, snapshot_seconds=INTERVAL, **NO_LIMIT)
    submitted: dict[str, float] = {}
    with Session(app.base_url) as session:
        for _ in range(KILLS):
            until = time.monotonic() + dice.uniform(0.2, 6.0)
            while time.monotonic() < until:
                made = session.submit("bars")
                submitted[made["id"]] = time.monotonic()
                time.sleep(0.1)
            killed = time.monotonic()
            app.kill_all()
            shutil.rmtree(app.data_dir)
            if dice.random() < 1 / 3:
                with suppress(TimeoutError):
                    app.start(patience=dice.uniform(0.5, 4.0))
                    app.kill_all()
                shutil.rmtree(app.data_dir, ignore_errors=True)
            app.start()
            there = {one["id"] for one in session.get("/generations", params={"limit": 100}).json()["items"]}
            there |= {one for one in submitted if session.get(f"/generations/{one}").status_code == 200}
            lost = {one for one in submitted if one not in there}
            assert all(killed - submitted[one] <= INTERVAL for one in lost), [killed - submitted[one] for one in lost]
            submitted = {one: at for one, at in submitted.items() if one not in lost}
            assert "is not whole" not in app.log
        for one in submitted:
            ended = session.finish(one)
            assert ended["status"] == "completed"
            assert _plays(session, ended, tmp_path / "video.mp4")
    assert submitted
