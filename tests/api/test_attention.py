"""A generation of which nobody knows whether a service has its job, over HTTP."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.api import Session
from videogen.testing.fakes import LostService

KNOWN = {"sentAt": "2026-11-28T12:30:00Z", "providerId": "job-7", "lookAt": LostService.LOOK_AT}


def is_parked(event):
    return event.data.get("stage") == "needs_attention"


def park(session, looks=1, **options):
    """Submits a generation, and waits until it needs attention."""
    made = session.submit("lost-service", settings={"found_after": looks} | options)
    with session.stream(f"/generations/{made['id']}/events") as stream:
        stream.until(is_parked)
    return session.read(made["id"])


def resolve(session, generation, action):
    return session.post(f"/generations/{generation['id']}/resolve", json={"action": action})


def test_it_says_what_is_known_and_what_it_costs(session):
    shown = park(session)
    assert (shown["status"], shown["stage"], shown["error"]) == ("processing", "needs_attention", None)
    assert shown["message"] == "The service does not know whether it has the job."
    assert shown["attention"] == KNOWN
    assert shown["cost"] == {"amount": 0.25, "currency": "USD", "estimated": True}
    assert (shown["estimated"], shown["progress"], shown["etaSeconds"]) == (True, 39.6, None)
    with session.stream(f"/generations/{shown['id']}/events") as stream:
        first = stream.until(is_parked)
    assert (first.event, first.data["attention"], first.data["estimated"]) == ("render_progress", KNOWN, True)


def test_a_look_goes_on_with_the_same_job_until_it_is_found(session):
    shown = park(session, looks=2)
    with session.stream(f"/generations/{shown['id']}/events") as stream:
        stream.until(is_parked)
        answer = resolve(session, shown, "look")
        assert (answer.status_code, answer.json()["id"], answer.json()["attention"]) == (200, shown["id"], None)
        stream.until(is_parked)
    answer = resolve(session, shown, "look")
    assert answer.json()["status"] in ("queued", "processing")
    ended = session.finish(shown["id"])
    assert (ended["status"], ended["attempt"], ended["attention"], ended["estimated"]) == ("completed", 3, None, False)
    assert ended["cost"]["amount"] == 0.25


def test_it_can_be_given_up(session):
    shown = park(session)
    answer = resolve(session, shown, "fail")
    assert answer.status_code == 200
    ended = session.read(shown["id"])
    assert answer.json() == ended
    assert (ended["status"], ended["error"]["code"], ended["attention"]) == ("failed", "given_up", KNOWN)
    assert "may still render it, and bill it" in ended["error"]["message"]


def test_it_is_sent_again_once_as_a_new_generation_with_the_same_recipe_and_seed(session):
    shown = park(session)
    answer = resolve(session, shown, "resubmit")
    assert answer.status_code == 201
    new, old = answer.json(), session.read(shown["id"])
    assert (old["status"], old["error"]["code"]) == ("failed", "sent_again")
    assert new["id"] != old["id"]
    assert [new[name] for name in ("recipeHash", "seed", "prompt")] == [
        old[name] for name in ("recipeHash", "seed", "prompt")
    ]
    for action in ("resubmit", "look", "fail"):
        answer = resolve(session, shown, action)
        assert (answer.status_code, answer.json()["code"]) == (409, "needs_no_attention")
    assert {item["id"] for item in session.get("/generations").json()["items"]} == {old["id"], new["id"]}


def test_of_two_answers_at_the_same_time_one_counts(session):
    shown = park(session)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: resolve(session, shown, "resubmit").status_code, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
    assert len(session.get("/generations").json()["items"]) == 2


def test_one_that_does_not_need_attention_cannot_be_resolved(session, finished):
    for owner, generation in ((session, session.submit("bars")), (finished.session, finished.generation)):
        answer = resolve(owner, generation, "fail")
        assert (answer.status_code, answer.json()["code"]) == (409, "needs_no_attention")
    answer = resolve(session, generation, "wait")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_it_can_be_cancelled_and_not_deleted(session):
    shown = park(session)
    answer = session.delete(f"/generations/{shown['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_terminal")
    answer = session.cancel(shown["id"])
    assert answer.status_code == 202
    ended = session.read(shown["id"])
    assert (ended["status"], ended["error"]["code"]) == ("cancelled", "cancelled")
    assert "may still render it, and bill it" in ended["error"]["message"]
    assert session.delete(f"/generations/{shown['id']}").status_code == 204


def test_an_export_counts_what_waits_and_has_the_cost_of_what_ended(session, session_of):
    shown = park(session)
    manifest = zipfile.ZipFile(io.BytesIO(session.get("/export").content)).read("manifest.json")
    assert (json.loads(manifest)["generations"], json.loads(manifest)["leftOut"]) == ([], 1)
    resolve(session, shown, "fail")
    other = session_of()
    data = session.get("/export").content
    assert other.post("/import", content=data, headers={"Content-Type": "application/zip"}).json()["imported"] == 1
    (imported,) = other.get("/generations").json()["items"]
    assert (imported["status"], imported["cost"]) == ("failed", shown["cost"])


def test_it_survives_restarts_and_is_sent_once(running_app):
    app = running_app(engines=["lost-service"], workers=1, max_active_per_session=1)
    with Session(app.base_url) as session:
        shown = park(session)
        for _ in range(2):
            app.restart()
            session.moved(app.base_url)
            again = session.read(shown["id"])
            assert (again["stage"], again["attempt"], again["attention"]) == ("needs_attention", 1, KNOWN)
        other = session.submit("lost-service", settings={"found_after": 0})
        assert session.finish(other["id"])["status"] == "completed", "it takes no place of its owner, and no slot"
        assert (app.data_dir / "work" / shown["id"] / "submitted").read_text() == "attempt 1\n"
        resolve(session, shown, "look")
        assert session.finish(shown["id"])["status"] == "completed"


@pytest.mark.parametrize("action", ["look", "fail"])
def test_all_actions_are_those_of_the_owner(session_of, action):
    owner, stranger = session_of(), session_of()
    shown = park(owner)
    assert resolve(stranger, shown, action).status_code == 404
    assert owner.read(shown["id"])["stage"] == "needs_attention"
