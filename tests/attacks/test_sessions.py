"""Attacks on sessions: rows without end, forged tokens, tokens that were signed out, devices of other people."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.support.api import API, TINY, Session, connect
from videogen.api.events import StreamOpener
from videogen.core.errors import SessionRequiredError
from videogen.services.sessions import Identity

SUBMIT = {"prompt": "a test", "engine": "bars", "settings": TINY}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["bars", "until-cancelled"], workers=1)


@pytest.fixture
def http(app):
    with connect(app.base_url) as client:
        yield client


@pytest.fixture
def count(app):
    """Counts the rows of a table."""

    def rows(table):
        with closing(sqlite3.connect(app.data_dir / "videogen.sqlite")) as database:
            return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    return rows


@pytest.fixture
def visit(http):
    """A browser's first visit; gives its cookie's token."""

    def open_page():
        value = http.get("/").headers["set-cookie"].partition(";")[0]
        http.cookies.clear()
        return value.partition("=")[2]

    return open_page


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def devices(app, http):
    """A session on two devices: a `Session`, and the token of the other device."""
    with Session(app.base_url) as session:
        code = session.post("/sessions/transfer").json()["code"]
        other = http.post(f"{API}/sessions/claim", json={"code": code}, headers={"User-Agent": FIREFOX}).json()["token"]
        http.cookies.clear()
        yield session, other


def test_a_visit_stores_nothing_and_reads_as_an_empty_session(http, visit, count):
    before = count("sessions"), count("devices")
    for _ in range(20):
        headers = bearer(visit())
        assert http.get(f"{API}/generations", headers=headers).json() == {"items": [], "nextCursor": None}
    for path in ("/shares", "/generations/ids", "/devices"):
        assert http.get(API + path, headers=headers).status_code == 200
    assert http.get(f"{API}/generations/gen_a", headers=headers).status_code == 404
    assert (count("sessions"), count("devices")) == before


@pytest.mark.parametrize("way", ["submit", "upload", "import", "transfer"])
def test_the_first_thing_worth_keeping_stores_the_session(http, visit, count, way):
    headers, before = bearer(visit()), count("sessions")
    call = {
        "submit": ("/generations", {"json": SUBMIT}),
        "upload": ("/files", {"files": {"file": ("x.png", b"no image", "image/png")}}),
        "import": ("/import", {"content": b"no zip"}),
        "transfer": ("/sessions/transfer", {}),
    }[way]
    assert http.post(API + call[0], headers=headers, **call[1]).status_code != 401
    assert count("sessions") == before + 1


def test_a_stream_that_was_open_before_the_session_was_stored_goes_on(app, http, visit):
    token = visit()
    with Session(app.base_url) as session:
        session.http.headers["Authorization"] = f"Bearer {token}"
        with session.stream("/events") as stream:
            assert stream.response.status_code == 200
            made = http.post(f"{API}/generations", json=SUBMIT, headers=bearer(token)).json()["generations"][0]
            assert stream.until(lambda frame: frame.terminal).data["generationId"] == made["id"]


def test_two_first_writes_at_the_same_time_make_one_session(http, visit, count):
    headers, before = bearer(visit()), count("sessions")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.post(f"{API}/sessions/transfer", headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert count("sessions") == before + 1
    assert len(http.get(f"{API}/devices", headers=headers).json()["items"]) == 1


def test_a_forged_token_opens_nothing(http, visit):
    value, _, mac = visit().partition(".")
    for forged in (
        value,
        f"{value}.",
        f"{value}.{mac[:-1]}",
        f"{value}x.{mac}",
        f"{value}.{mac}.",
        f"{mac}.{value}",
        ".",
    ):
        for method, path in (("GET", "/generations"), ("POST", "/sessions/transfer"), ("GET", "/events")):
            answer = http.request(method, API + path, headers=bearer(forged))
            assert (answer.status_code, answer.json()["code"]) == (401, "session_required"), forged


def test_a_signed_out_device_opens_the_session_never_again(http, devices):
    session, other = devices
    mine, theirs = session.get("/devices").json()["items"]
    assert (mine["current"], theirs["current"]) == (True, False) or (mine["current"], theirs["current"]) == (
        False,
        True,
    )
    ((device, name),) = [(item["id"], item["name"]) for item in (mine, theirs) if not item["current"]]
    assert name == "Firefox on Linux"
    code = http.post(f"{API}/sessions/transfer", headers=bearer(other)).json()["code"]
    assert session.delete(f"/devices/{device}").status_code == 204
    for method, path in (
        ("GET", "/generations"),
        ("POST", "/sessions/transfer"),
        ("GET", "/devices"),
        ("GET", "/events"),
    ):
        assert http.request(method, API + path, headers=bearer(other)).status_code == 401
    # Neither by a code that it made before.
    assert http.post(f"{API}/sessions/claim", json={"code": code}).status_code == 410
    assert session.delete(f"/devices/{device}").status_code == 404
    assert [item["current"] for item in session.get("/devices").json()["items"]] == [True]


def test_the_first_device_can_be_signed_out_and_its_signature_does_not_help(app, http, devices):
    session, other = devices
    (first,) = [
        item["id"] for item in http.get(f"{API}/devices", headers=bearer(other)).json()["items"] if not item["current"]
    ]
    assert http.delete(f"{API}/devices/{first}", headers=bearer(other)).status_code == 204
    assert session.get("/generations").status_code == 401
    assert session.try_submit().status_code == 401
    assert "set-cookie" in http.get("/", headers={"Cookie": f"videogen_session={session.token}"}).headers


def test_signing_out_all_others_replaces_the_own_token_and_revokes_the_code(http, devices):
    session, other = devices
    made = session.submit()
    code = session.post("/sessions/transfer").json()["code"]
    answer = session.delete("/devices")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    created = answer.json()
    assert created["sessionId"] == session.id
    for old in (session.token, other):
        assert http.get(f"{API}/generations", headers=bearer(old)).status_code == 401
    assert http.get(f"{API}/generations/{made['id']}", headers=bearer(created["token"])).status_code == 200
    assert http.post(f"{API}/sessions/claim", json={"code": code}).status_code == 410


def test_only_one_of_several_calls_replaces_a_token(http, devices):
    session, _ = devices
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: session.delete("/devices"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    (token,) = [answer.json()["token"] for answer in answers if answer.status_code == 200]
    assert http.get(f"{API}/generations", headers=bearer(token)).status_code == 200


def test_with_the_cookie_the_new_token_comes_as_the_cookie(http, devices):
    _, other = devices
    cookie = {"Cookie": f"videogen_session={other}"}
    assert http.delete(f"{API}/devices", headers=cookie | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    answer = http.delete(f"{API}/devices", headers=cookie | SAME_ORIGIN)
    assert answer.headers["set-cookie"].startswith(f"videogen_session={answer.json()['token']};")


def test_open_streams_of_a_signed_out_device_end(app, http, devices):
    session, other = devices
    made = session.submit("until-cancelled")
    with Session(app.base_url) as thief:
        thief.http.headers["Authorization"] = f"Bearer {other}"
        with thief.stream("/events") as stream, thief.stream(f"/generations/{made['id']}/events") as second:
            assert {stream.response.status_code, second.response.status_code} == {200}
            token = session.delete("/devices").json()["token"]
            for each in (stream, second):
                assert not [frame for frame in each if frame.terminal], "it ends without a last event"
        assert thief.get("/events").status_code == 401
    http.post(f"{API}/generations/{made['id']}/cancel", headers=bearer(token))


async def test_a_stream_that_opens_while_its_device_is_signed_out_is_closed():
    closed = []

    async def subscribe(*_):
        # Here the device is signed out; its streams were ended just before.
        return SimpleNamespace(close=lambda: closed.append(True))

    services = SimpleNamespace(
        generations=SimpleNamespace(stream=subscribe), sessions=SimpleNamespace(find=lambda _token: None)
    )
    with pytest.raises(SessionRequiredError):
        await StreamOpener(services, "its token", Identity("ses_a", "dev_a")).open("ses_a", ("session", "ses_a"), None)
    assert closed


def test_devices_of_another_session_are_not_found(app, devices):
    session, _ = devices
    ids = [item["id"] for item in session.get("/devices").json()["items"]]
    with Session(app.base_url) as attacker:
        answers = [attacker.delete(f"/devices/{device}") for device in (*ids, "dev_unknown")]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[-1].content)}
        assert attacker.delete("/devices").status_code == 200
    assert [item["id"] for item in session.get("/devices").json()["items"]] == ids
