"""`videogen migrate --to --storage`: an installation that was killed in the middle of its work goes on elsewhere."""

import pytest

from tests.support.api import API, Session, connect
from tests.support.app import App, environment, run_to_end
from tests.support.cluster import Worker
from tests.support.pictures import encoded
from tests.support.s3_server import BUCKET, ENVIRONMENT, S3Server

ENGINES = ["bars", "paced"]
LONG = {"delay_ms": 40, "durationSeconds": 5}
SHORT = {"delay_ms": 10}


def everything(session):
    """What a session shows, and the bytes of all its files, by the paths of their links without signatures."""
    listed = session.get("/generations").raise_for_status().json()["items"]
    files = {}
    for item in listed:
        links = [item[name] for name in ("videoUrl", "posterUrl", "imageUrl") if item[name]]
        made = session.get(f"/generations/{item['id']}/exports").json()["items"]
        for link in links + [export["url"] for export in made]:
            response = session.http.get(link).raise_for_status()
            files[link.partition("/media/")[2].partition("?")[0]] = response.content
    return [without_links(item) for item in listed if item["status"] == "completed"], files


def without_links(item):
    return {name: value for name, value in item.items() if not name.endswith("Url")}


def fill(app, session):
    """A session with one thing of each kind. Returns what of it the test looks up later."""
    picture = session.upload(encoded())
    done = session.finish(session.submit()["id"])
    export = session.post(f"/generations/{done['id']}/exports", json={"format": "gif"}).json()
    list(session.http.get(f"{API}/exports/{export['id']}/events").iter_lines())
    share = session.post(f"/generations/{done['id']}/share").json()
    thrown = session.finish(session.submit()["id"])
    assert session.post("/generations/trash", json={"ids": [thrown["id"]]}).status_code == 200
    code = session.post("/sessions/transfer").json()["code"]
    with connect(app.base_url) as http:
        other = http.post(f"{API}/sessions/claim", json={"code": code}).json()["token"]
    unused = session.post("/sessions/transfer").json()["code"]
    return {"picture": picture, "done": done, "share": share, "thrown": thrown, "other": other, "code": unused}


def migrate(app, url, storage):
    env = environment(app.data_dir, engines=ENGINES) | ENVIRONMENT
    return run_to_end("-m", "videogen", "migrate", "--to", url, "--storage", storage, env=env)


@pytest.mark.postgresql
def test_all_of_it_goes_on_at_the_new_place(postgresql, running_app, tmp_path):
    app = running_app(engines=ENGINES, workers=1)
    with Session(app.base_url) as session:
        known = fill(app, session)
        killed = session.submit("paced", settings=LONG)
        seen = session.wait_rendering(killed["id"], 20).id
        queued = session.submit("paced", settings=SHORT)
        before = everything(session)
        app.kill_all()
        database = [app.data_dir / f"videogen.sqlite{end}" for end in ("", "-wal")]
        source = [path.read_bytes() for path in database]
        with postgresql.database("template0") as url, S3Server() as s3:
            storage = f"s3://{BUCKET}/moved?endpoint={s3.url}"
            done = migrate(app, url, storage)
            assert done.returncode == 0, done.stderr
            assert [path.read_bytes() for path in database] == source
            key = (app.data_dir / "secret.key").read_text()
            assert key not in done.stdout + done.stderr
            shared = {"database_url": url, "storage_url": storage, "secret_key": key}
            web = App(tmp_path / "web", ENGINES, page=False, workers=0, **shared)
            worker = Worker(tmp_path / "worker", ENGINES, 1, ENGINES, **shared)
            web.variables = worker.variables = ENVIRONMENT
            with web:
                session.moved(web.base_url)
                look_around(web, session, known, before)
                with worker:
                    go_on(session, killed["id"], queued["id"], seen)


def look_around(web, session, known, before):
    """What was there is there, before anything renders."""
    assert everything(session) == before
    picture = session.get(f"/files/{known['picture']['id']}").json()
    assert session.http.get(picture["url"]).content == session.http.get(known["picture"]["url"]).content
    assert [item["id"] for item in session.get("/generations/trash").json()["items"]] == [known["thrown"]["id"]]
    path = known["share"]["url"].partition("/s/")[2]
    with connect(web.base_url) as http:
        assert http.get(f"/s/{path}").status_code == 200
        assert http.get(f"/s/{path}/video.mp4").content == before[1][known["done"]["fileId"]]
        http.headers["Authorization"] = f"Bearer {known['other']}"
        assert len(http.get(f"{API}/devices").json()["items"]) == 2
        assert http.post(f"{API}/sessions/claim", json={"code": known["code"]}).status_code == 201
    assert session.post("/generations/restore", json={"ids": [known["thrown"]["id"]]}).status_code == 200
    assert session.http.get(session.read(known["thrown"]["id"])["videoUrl"]).status_code == 200


def go_on(session, killed, queued, seen):
    """What had no result gets one, and a stream goes on after its last event."""
    rest = session.follow(killed, seen)
    assert all(event.id > seen for event in rest)
    assert rest == [event for event in session.follow(killed, 0) if event.id > seen]
    again = session.read(killed)
    assert (again["status"], again["attempt"]) == ("completed", 2)
    steps = [event.data["step"] for event in rest if event.event == "render_progress" and event.data["attempt"] == 2]
    assert steps[0] > 0, "it goes on, and does not start again"
    assert session.finish(queued)["status"] == "completed"
