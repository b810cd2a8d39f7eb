"""Queue positions and expected waits, over HTTP."""

import pytest

from tests.support.api import Session, connect

UNKNOWN = "gen_AAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def waiting(session):
    """The ids of three queued generations, behind two that run until they are cancelled."""
    for _ in range(2):
        session.wait_rendering(session.submit("until-cancelled")["id"])
    return [session.submit("until-cancelled")["id"] for _ in range(3)]


def test_a_move_returns_the_new_queue_position(session, waiting):
    a, b, c = waiting
    before = {name: session.read(name)["queuePosition"] for name in waiting}
    answer = session.post(f"/generations/{c}/move", json={"before": a})
    assert (answer.status_code, answer.json()["id"]) == (200, c)
    assert answer.json()["queuePosition"] == before[a]
    assert [session.read(name)["queuePosition"] for name in (c, a, b)] == sorted(before.values())
    assert session.post(f"/generations/{c}/move", json={"before": None}).json()["queuePosition"] == before[c]


def test_an_invalid_move_is_rejected(session, session_of, waiting, app):
    a, b, _ = waiting
    assert session_of().post(f"/generations/{a}/move", json={"before": None}).status_code == 404
    assert session.post(f"/generations/{a}/move", json={"before": UNKNOWN}).status_code == 404
    for body in ({}, {"before": 7}, {"before": b, "after": a}, {"before": "x" * 101}):
        assert session.post(f"/generations/{a}/move", json=body).json()["code"] == "invalid_request", body
    session.cancel(b)
    for name, before in ((b, None), (a, b)):
        refused = session.post(f"/generations/{name}/move", json={"before": before})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_queued")
    with connect(app.base_url) as anonymous:
        assert anonymous.post(f"/api/v1/generations/{a}/move", json={"before": None}).status_code == 401


def test_the_expected_wait_is_known_after_a_measured_render_and_a_restart(running_app):
    app = running_app(engines=["slow", "until-cancelled"], workers=1)
    settings = {"delay_ms": 40, "width": 96}
    with Session(app.base_url) as session:
        first = session.submit("slow", settings=settings)
        assert (first["expectedWaitSeconds"], first["etaSeconds"]) == (None, None)
        session.follow(first["id"])
        app.restart()
        running, waiting = (session.submit("slow", settings=settings) for _ in range(2))
        assert running["expectedWaitSeconds"] == 0
        expected = running["etaSeconds"]
        assert 0.1 < expected < 30
        queued = session.read(waiting["id"])
        assert queued["expectedWaitSeconds"] == pytest.approx(expected, abs=expected)
        assert queued["etaSeconds"] == pytest.approx(queued["expectedWaitSeconds"] + expected, abs=0.3)
        for event in session.follow(running["id"], 0)[:-1]:
            assert event.data["etaSeconds"] is not None
