"""The session's own queue over HTTP: pause, resume, and changes of what waits."""

import pytest

from tests.support.api import TINY, Session, connect


@pytest.fixture
def paused(session):
    """The ids of three generations in a paused queue."""
    assert session.post("/queue/pause").json() == {"paused": True, "items": []}
    return [session.submit("bars")["id"] for _ in range(3)]


def test_a_paused_queue_stands_still_until_it_is_resumed(session, paused, session_of):
    other = session_of()
    assert other.finish(other.submit("bars")["id"])["status"] == "completed"
    queue = session.get("/queue").json()
    assert [item["id"] for item in queue["items"]] == paused
    for item in queue["items"]:
        assert (item["status"], item["stage"], item["queuePosition"]) == ("queued", "paused", None)
        assert (item["expectedWaitSeconds"], item["etaSeconds"]) == (None, None)
    for _ in range(2):
        assert session.post("/queue/resume").json()["paused"] is False
    assert {session.finish(one)["status"] for one in paused} == {"completed"}
    assert session.get("/queue").json() == {"paused": False, "items": []}


def test_open_streams_hear_of_a_pause(session):
    running = session.submit("until-cancelled")["id"]
    session.wait_rendering(running)
    with session.stream("/events") as stream:
        session.post("/queue/pause")
        made = session.submit("bars")["id"]
        event = stream.until(lambda event: event.data["generationId"] == made)
        assert (event.data["status"], event.data["stage"]) == ("queued", "paused")
        session.post("/queue/resume")
        stream.until(lambda event: event.data["generationId"] == made and event.data.get("stage") != "paused")
        assert session.read(running)["status"] == "processing"
        stream.until(lambda event: event.data["generationId"] == made and event.event == "render_result")


def test_a_pause_is_kept_over_a_restart(running_app):
    app = running_app(engines=["bars"], workers=1)
    with Session(app.base_url) as session:
        session.post("/queue/pause")
        made = session.submit()["id"]
        app.restart()
        assert session.get("/queue").json()["paused"] is True
        assert session.read(made)["stage"] == "paused"
        session.post("/queue/resume")
        assert session.finish(made)["status"] == "completed"


def test_a_queued_generation_can_be_changed(session, paused):
    before = session.read(paused[0])
    with session.stream(f"/generations/{paused[0]}/events") as stream:
        changes = {"prompt": " fog over a lake ", "settings": {"durationSeconds": 1.0}, "title": "Fog"}
        answer = session.patch(f"/generations/{paused[0]}", json=changes)
        assert answer.status_code == 200, answer.text
        after = answer.json()
        stream.until(lambda event: event.data.get("recipeHash") == after["recipeHash"])
    assert (after["prompt"], after["title"], after["seed"]) == ("fog over a lake", "Fog", before["seed"])
    assert after["settings"] == before["settings"] | {"durationSeconds": 1.0}
    assert (after["durationSeconds"], after["status"]) == (1.0, "queued")
    assert after["recipeHash"] != before["recipeHash"]
    assert [item["id"] for item in session.get("/generations", params={"q": "fog"}).json()["items"]] == [paused[0]]
    session.post("/queue/resume")
    assert session.finish(paused[0])["recipeHash"] == after["recipeHash"]


def test_a_changed_request_has_the_recipe_of_the_same_request_submitted(session, paused):
    edited = session.patch(f"/generations/{paused[0]}", json={"prompt": "fog", "settings": {"seed": 5}}).json()
    submitted = session.submit("bars", prompt="fog", settings={"seed": 5})
    assert edited["recipeHash"] == submitted["recipeHash"]
    drawn = [session.patch(f"/generations/{paused[0]}", json={"settings": {"seed": None}}).json() for _ in range(2)]
    assert drawn[0]["seed"] != drawn[1]["seed"]


def test_a_change_that_is_not_valid_changes_nothing(session, session_of, paused):
    before = session.read(paused[0])
    for body in (
        {"prompt": ""},
        {"prompt": "x" * 5000},
        {"settings": {"width": -1}},
        {"settings": {"nonsense": 1}},
        {"settings": 7},
        {"negativePrompt": "x" * 5000},
        {"title": "Mine", "settings": {"durationSeconds": 1000}},
    ):
        refused = session.patch(f"/generations/{paused[0]}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), body
    assert session_of().patch(f"/generations/{paused[0]}", json={"prompt": "mine"}).status_code == 404
    assert session.read(paused[0]) == before | {"waitSeconds": pytest.approx(before["waitSeconds"], abs=60)}


def test_what_is_not_queued_cannot_be_changed(session):
    made = session.submit("until-cancelled")["id"]
    session.wait_rendering(made)
    before = session.read(made)["prompt"]
    for body in ({"prompt": "fog"}, {"settings": TINY}, {"negativePrompt": ""}, {"title": "No", "prompt": "fog"}):
        refused = session.patch(f"/generations/{made}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_queued"), body
    assert (session.read(made)["prompt"], session.read(made)["title"]) == (before, "")


def test_a_session_is_needed(app):
    with connect(app.base_url) as anonymous:
        for method, path in (("GET", "/queue"), ("POST", "/queue/pause"), ("POST", "/queue/resume")):
            assert anonymous.request(method, f"/api/v1{path}").status_code == 401


def test_variations_are_queued_and_rendered_in_the_order_of_their_numbers(session):
    session.post("/queue/pause")
    made = session.submit_all("bars", variations=4)["generations"]
    seeds = [item["seed"] for item in made]
    assert seeds == sorted(set(seeds))
    assert [item["id"] for item in session.get("/queue").json()["items"]] == [item["id"] for item in made]
