"""Places in the line, and what is told of the wait, as a client sees them."""

import pytest

from tests.support.api import Session, connect

UNKNOWN = "gen_AAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def waiting(session):
    """Three that wait behind two that never end by themselves."""
    for _ in range(2):
        session.wait_rendering(session.submit("until-cancelled")["id"])
    return [session.submit("until-cancelled")["id"] for _ in range(3)]


def test_a_move_answers_with_the_new_place_and_keeps_it(session, waiting):
    a, b, c = waiting
    before = {name: session.read(name)["queuePosition"] for name in waiting}
    answer = session.post(f"/generations/{c}/move", json={"before": a})
    assert (answer.status_code, answer.json()["id"]) == (200, c)
    assert answer.json()["queuePosition"] == before[a]
    assert [session.read(name)["queuePosition"] for name in (c, a, b)] == sorted(before.values())
    assert session.post(f"/generations/{c}/move", json={"before": None}).json()["queuePosition"] == before[c]


def test_a_move_is_refused_in_one_sentence(session, session_of, waiting, app):
    a, b, _ = waiting
    assert session_of().post(f"/generations/{a}/move", json={"before": None}).status_code == 404
    assert session.post(f"/generations/{a}/move", json={"before": UNKNOWN}).status_code == 404
    for body in ({}, {"before": 7}, {"before": b, "after": a}, {"before": "x" * 101}):
        assert session.post(f"/generations/{a}/move", json=body).json()["code"] == "invalid_request", body
    session.cancel(b)
    for name, before in ((b, None), (a, b)):
        refused = session.post(f"/generations/{name}/move", json={"before": before})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_queued")
    with connect(app.base_url) as nobody:
        assert nobody.post(f"/api/v1/generations/{a}/move", json={"before": None}).status_code == 401


def test_the_time_is_told_once_one_of_its_kind_was_measured_and_after_a_restart(running_app):
    app = running_app(engines=["slow", "until-cancelled"], workers=1)
    settings = {"delay_ms": 40, "width": 96}
    with Session(app.base_url) as session:
        first = session.submit("slow", settings=settings)
        assert (first["expectedWaitSeconds"], first["etaSeconds"]) == (None, None)
        session.follow(first["id"])
        app.restart()
        running, waiting = (session.submit("slow", settings=settings) for _ in range(2))
        assert running["expectedWaitSeconds"] == 0
        took = running["etaSeconds"]
        assert 0.1 < took < 30
        told = session.read(waiting["id"])
        assert told["expectedWaitSeconds"] == pytest.approx(took, abs=took)
        assert told["etaSeconds"] == pytest.approx(told["expectedWaitSeconds"] + took, abs=0.3)
        for frame in session.follow(running["id"], 0)[:-1]:
            assert frame.data["etaSeconds"] is not None
