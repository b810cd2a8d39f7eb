"""Retention and quotas over HTTP, on a server that keeps results for a few seconds."""

import time
from datetime import datetime, timedelta

import httpx
import pytest

from tests.support.api import Session

HOURS = 4 / 3600
QUOTA = 3.0


@pytest.fixture(scope="module")
def keeper(module_app):
    return module_app(
        engines=["bars", "slow"], retention_hours=HOURS, retention_shared="same", quota_seconds_per_day=QUOTA
    )


@pytest.fixture
def session(keeper):
    with Session(keeper.base_url) as session:
        yield session


def _moment(text):
    return datetime.fromisoformat(text)


def _wait_until_gone(session, generation_id):
    deadline = time.monotonic() + 60
    while session.get(f"/generations/{generation_id}").status_code != 404:
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.2)


def test_a_result_is_kept_for_its_time_and_goes_with_its_link(session, keeper):
    made = session.submit()
    assert made["expiresAt"] is None
    ended = session.finish(made["id"])
    assert _moment(ended["expiresAt"]) - _moment(ended["finishedAt"]) == timedelta(hours=HOURS)
    kept = session.post(f"/generations/{made['id']}/keep").raise_for_status().json()
    assert _moment(kept["expiresAt"]) > _moment(ended["expiresAt"])
    shared = session.post(f"/generations/{made['id']}/share", json={}).json()
    said = session.get("/retention").json()
    assert (said["favorites"], said["shared"]) == ("keep", "same")
    assert said["hours"] == pytest.approx(HOURS)
    assert said["soon"] or said["nextWarningAt"]
    with session.stream("/events") as stream:
        frame = stream.until(lambda frame: frame.event == "retention" and made["id"] in frame.data["removed"])
    assert set(frame.data) == {"removed"}
    assert session.get(f"/generations/{made['id']}").status_code == 404
    page = httpx.get(httpx.URL(keeper.base_url).join(httpx.URL(shared["url"]).path), trust_env=False)
    assert page.status_code == 410
    assert session.get("/generations/trash").json()["items"] == []
    assert session.get("/retention").json()["soon"] == []


@pytest.mark.long
def test_what_is_looked_at_is_still_there_after_its_time(session):
    first, second = (session.finish(session.submit()["id"]) for _ in range(2))
    assert session.post(f"/generations/{first['id']}/use").status_code == 204
    _wait_until_gone(session, second["id"])
    assert session.read(first["id"])["expiresAt"] == first["expiresAt"]


def test_keep_and_use_are_for_the_owner_alone(session, keeper):
    made = session.submit()
    with Session(keeper.base_url) as other:
        for action in ("keep", "use"):
            assert other.post(f"/generations/{made['id']}/{action}").status_code == 404


def test_a_quota_is_shown_counted_and_refused_with_the_time_when_there_is_more(session):
    session.http.headers["X-Forwarded-For"] = "192.0.2.7"  # the tests before have used this machine's address
    assert session.get("/quota").json()["engines"]["slow"] == {
        "limit": QUOTA,
        "used": 0.0,
        "left": QUOTA,
        "resetsAt": None,
    }
    assert session.try_submit(settings={"durationSeconds": 2.5}).status_code == 201
    shown = session.get("/quota").json()["engines"]["bars"]
    assert (shown["used"], shown["left"]) == (2.5, 0.5)
    explained = session.post("/engines/bars/explain", json={"prompt": "a kite"}).json()
    assert explained["quota"] == shown
    refused = session.try_submit(variations=2)
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_exceeded")
    assert refused.json()["limit"]["name"] == "quota_per_session"
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    assert session.try_submit("slow", settings={"durationSeconds": 2}).status_code == 201, "each engine has its own"
    assert session.try_submit().status_code == 201, "half a second is left"
