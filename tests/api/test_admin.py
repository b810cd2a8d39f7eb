"""The operator's API on a real server: who may call it, what it shows, and what each act does."""

import time

import httpx
import pytest

from tests.support.api import API, Session, connect
from tests.support.pictures import encoded
from videogen.schemas.status import HELD

TOKEN = "the-token-of-the-operator"
UNKNOWN = "gen_abcdefghij0123456789"
ENGINES = ("bars", "until-cancelled", "looks", "wrong-shape")
READS = ("/overview", "/bans", "/audit", f"/generations/{UNKNOWN}/log")
ACTS = ("/pause", "/resume", "/drain", f"/generations/{UNKNOWN}/cancel", "/sessions/ses_x/ban", "/sessions/ses_x/unban")
ACTS += ("/addresses/192.0.2.1/ban", "/addresses/192.0.2.1/unban")
ACTS += tuple(f"/generations/{UNKNOWN}/{act}" for act in ("unshare", "dismiss", "remove"))


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=ENGINES, workers=1, admin_token=TOKEN)


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


class Operator:
    """Calls the API with the operator's token."""

    def __init__(self, app, address=None):
        self.http = connect(app.base_url + API + "/admin")
        self.http.headers["Authorization"] = f"Bearer {TOKEN}"

    def get(self, path):
        return self.http.get(path).raise_for_status().json()

    def post(self, path):
        return self.http.post(path).raise_for_status().json()

    def act(self):
        """The newest entry of the audit log: what, and to what."""
        newest = self.get("/audit?limit=1")["items"][0]
        assert newest["who"] == "ADMIN_TOKEN"
        assert newest["at"]
        return newest["act"], newest["target"]


@pytest.fixture
def operator(app):
    operator = Operator(app)
    yield operator
    operator.http.base_url = app.base_url + API + "/admin"
    operator.post("/resume")
    operator.http.close()


def every_call(url, **headers):
    """The answers to each call of the API of the operator."""
    with connect(url + API + "/admin") as http:
        http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        return [http.get(path) for path in READS] + [http.post(path) for path in ACTS]


def test_a_stranger_and_the_owner_of_a_session_are_refused_each_call(app, session):
    cookie = {"Cookie": f"videogen_session={session.token}; videogen_admin={TOKEN}"}
    for headers in ({}, {"Authorization": f"Bearer {session.token}", "X_Forwarded_For": "192.0.2.50"}, cookie):
        answers = every_call(app.base_url, **headers)
        # The first ten wrong tokens of an address are refused by name, the others by number.
        assert {answer.status_code for answer in answers} <= {401, 429}
        assert answers[0].status_code == 401
        assert answers[0].json()["code"] == "admin_required"
        assert answers[0].headers["www-authenticate"] == "Bearer"


def test_wrong_tokens_of_one_address_are_limited_and_then_the_right_one_too(app):
    with connect(f"{app.base_url}{API}/admin") as http:
        http.headers["X-Forwarded-For"] = "192.0.2.51"
        wrong = [http.get("/overview", headers={"Authorization": f"Bearer wrong{n:020}"}) for n in range(11)]
        assert [answer.status_code for answer in wrong] == [401] * 10 + [429]
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert http.get("/overview", headers=right).status_code == 429
        assert http.get("/overview", headers=right | {"X-Forwarded-For": "192.0.2.52"}).status_code == 200


def test_the_overview_has_what_runs_and_waits_and_why_and_no_token(app, session, operator):
    running = session.submit("until-cancelled", prompt="a heron")
    session.wait_rendering(running["id"])
    slot, paused = session.submit("until-cancelled"), None
    with Session(app.base_url) as other:
        other.post("/queue/pause")
        paused = other.submit("until-cancelled")
        answer = operator.http.get("/overview")
        shown = answer.json()
        other.cancel(paused["id"])
    active = {one["id"]: one for one in shown["active"]}
    assert active[running["id"]]["prompt"] == "a heron"
    assert active[running["id"]]["sessionId"] == session.id
    waits = [active[one["id"]]["waitsFor"] for one in (running, slot, paused)]
    assert waits == [None, "slot", "owner"]
    assert (shown["runningCount"], shown["waitingCount"]) == (1, 2)
    assert shown["queue"] == "running"
    assert session.token not in answer.text
    assert other.token not in answer.text
    assert "127.0.0.1" not in answer.text
    mine = next(one for one in shown["sessions"] if one["id"] == session.id)
    assert (mine["today"], mine["active"], mine["banned"]) == (2, 2, False)
    session.cancel(slot["id"])
    session.cancel(running["id"])
    session.finish(running["id"])


def test_the_overview_has_the_rate_of_errors_of_each_engine_and_what_was_refused(session, operator):
    for engine, status in (("bars", "completed"), ("wrong-shape", "failed")):
        assert session.finish(session.submit(engine)["id"])["status"] == status
    assert session.get(f"/generations/{UNKNOWN}").status_code == 404
    shown = operator.get("/overview")
    engines = {one["id"]: one for one in shown["engines"]}
    assert (engines["bars"]["hour"]["errorRate"], engines["wrong-shape"]["day"]["errorRate"]) == (0.0, 1.0)
    assert engines["wrong-shape"]["hour"]["codes"] == {"wrong_frame_count": 1}
    assert engines["looks"]["hour"]["errorRate"] is None
    assert shown["refused"]["not_found"] >= 1
    assert shown["storage"]["bytes"] > 0
    largest = {one["id"]: one["bytes"] for one in shown["largest"]}
    assert largest[session.id] > 0


def test_the_log_of_a_running_job_of_any_session(session, operator):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    mine = session.get(f"/generations/{running['id']}/log")
    answer = operator.http.get(f"/generations/{running['id']}/log")
    assert (answer.status_code, answer.text) == (200, mine.text)
    assert operator.http.get(f"/generations/{UNKNOWN}/log").status_code == 404
    session.cancel(running["id"])
    session.finish(running["id"])


def test_a_pause_holds_the_queue_of_everybody_over_a_restart_and_says_so(app, session, operator):
    assert operator.post("/pause")["queue"] == "paused"
    assert operator.act() == ("pause", "")
    waiting = session.submit("bars")
    app.restart()
    session.moved(app.base_url)
    operator.http.base_url = app.base_url + API + "/admin"
    with session.stream(f"/generations/{waiting['id']}/events") as stream:
        stream.until(lambda frame: frame.data["stage"] == "waiting" and frame.data["message"] == HELD)
    health = session.http.get("/healthz").json()
    ready = session.http.get("/readyz").json()
    assert (health["queue"], ready["queue"], ready["status"]) == ("paused", "paused", "degraded")
    assert next(one for one in operator.get("/overview")["active"] if one["id"] == waiting["id"])["waitsFor"] == (
        "operator"
    )
    assert session.read(waiting["id"])["status"] == "queued"
    operator.post("/resume")
    assert session.finish(waiting["id"])["status"] == "completed"
    assert session.http.get("/readyz").json()["status"] == "ready"


def test_a_drain_lets_what_runs_end_starts_nothing_and_ends_with_a_restart(app, session, operator):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    assert operator.post("/drain")["queue"] == "draining"
    late = session.submit("bars")
    assert session.http.get("/readyz").json()["queue"] == "draining"
    session.cancel(running["id"])
    session.finish(running["id"])
    deadline = time.monotonic() + 20
    while (ready := session.http.get("/readyz").json())["queue"] != "drained":
        assert time.monotonic() < deadline, ready
    assert "nothing runs" in ready["detail"]
    assert session.read(late["id"])["status"] == "queued"
    app.restart()
    session.moved(app.base_url)
    assert session.finish(late["id"])["status"] == "completed"
    assert session.http.get("/healthz").json()["queue"] == "running"


def test_the_operator_cancels_the_generation_of_any_session(session, operator):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    assert operator.post(f"/generations/{running['id']}/cancel")["changed"] is True
    assert operator.act() == ("cancel", running["id"])
    assert session.finish(running["id"])["status"] == "cancelled"
    assert operator.post(f"/generations/{running['id']}/cancel") == {
        "id": running["id"], "status": "cancelled", "changed": False,
    }  # fmt: skip
    assert operator.http.post(f"/generations/{UNKNOWN}/cancel").status_code == 404


def test_what_visitors_report_is_settled_by_ending_the_link_dismissing_or_removing(app, session, operator):
    made = session.finish(session.submit("bars")["id"])["id"]
    slug = session.post(f"/generations/{made}/share").json()["slug"]
    page = f"{app.base_url}/s/{slug}"
    for reason in ("It shows me.", "Again."):
        assert session.post("/reports", json={"slug": slug, "reason": reason}).status_code == 202
    (flag,) = operator.get("/overview")["flags"]
    assert (flag["id"], flag["sessionId"], flag["reports"], flag["slug"]) == (made, session.id, 2, slug)
    assert httpx.get(page, trust_env=False).status_code == 200
    assert operator.post(f"/generations/{made}/unshare")["items"] == [flag | {"slug": None}]
    assert operator.act() == ("unshare", made)
    assert httpx.get(page, trust_env=False).status_code == 404
    assert session.read(made)["videoUrl"], "its owner keeps it"
    assert operator.post(f"/generations/{made}/dismiss")["items"] == []
    assert operator.act() == ("dismiss", made)
    with session.stream("/events") as stream:
        assert operator.post(f"/generations/{made}/remove")["items"] == []
        stream.until(lambda frame: frame.event == "retention" and frame.data["removed"] == [made])
    assert operator.act() == ("remove", made)
    assert session.get(f"/generations/{made}").status_code == 404
    assert not [path for path in (app.data_dir / "files").rglob("*") if made in str(path) and path.is_file()]
    waits = session.submit("until-cancelled")["id"]
    assert operator.http.post(f"/generations/{waits}/remove").json()["code"] == "not_terminal"
    for act in ("unshare", "dismiss", "remove"):
        assert operator.http.post(f"/generations/{UNKNOWN}/{act}").status_code == 404
    session.cancel(waits)


def test_a_banned_session_makes_nothing_new_and_keeps_what_it_has(session, operator):
    mine = session.finish(session.submit("bars")["id"])
    operator.post(f"/sessions/{session.id}/ban")
    assert operator.act() == ("ban", session.id)
    refused = [
        session.try_submit(),
        session.post(f"/generations/{mine['id']}/retry"),
        session.try_upload(encoded()),
        session.post("/import", content=b"PK"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "banned")}
    assert session.read(mine["id"])["videoUrl"]
    assert [ban["target"] for ban in operator.get("/bans")["items"]] == [session.id]
    operator.post(f"/sessions/{session.id}/unban")
    assert operator.act() == ("unban", session.id)
    assert session.try_submit().status_code == 201
    assert operator.http.post(f"/sessions/{session.id}/unban").status_code == 404
    assert operator.http.post("/sessions/ses_unknown/ban").status_code == 404


def test_a_banned_address_makes_neither_sessions_nor_anything_in_one(app, session, operator):
    with connect(app.base_url + API) as http:
        http.headers["X-Forwarded-For"] = "192.0.2.60"
        bans = operator.post("/addresses/192.0.2.60/ban")["items"]
        hashed = next(ban["target"] for ban in bans if ban["kind"] == "address")
        assert "192.0.2" not in hashed
        assert http.post("/sessions").json()["code"] == "banned"
        http.headers["Authorization"] = f"Bearer {session.token}"
        assert http.post("/generations", json={"prompt": "a sea"}).json()["code"] == "banned"
        assert session.try_submit().status_code == 201
        operator.post(f"/addresses/{hashed}/unban")
        assert http.post("/sessions").status_code == 201
    assert operator.http.post("/addresses/nowhere/ban").status_code == 422


def test_the_audit_log_comes_in_pages(operator):
    for act in ("pause", "resume", "pause"):
        operator.post(f"/{act}")
    first = operator.get("/audit?limit=2")
    second = operator.get(f"/audit?limit=1&before={first['nextBefore']}")
    assert [one["act"] for one in [*first["items"], *second["items"]]] == ["pause", "resume", "pause"]
