from datetime import datetime

import psutil
import pytest

from tests.api.conftest import MAX_ACTIVE
from tests.support.api import API, TINY, Session, connect

pytestmark = pytest.mark.databases("sqlite", "postgresql")

UNKNOWN = "gen_AAAAAAAAAAAAAAAAAAAA"
# The fields of a generation and their types.
NUMBER, TEXT, NOTHING = (int, float), (str,), type(None)
FIELDS = {
    "id": TEXT, "type": TEXT, "status": TEXT, "projectId": TEXT, "requestId": TEXT, "fileId": (str, NOTHING),
    "engine": TEXT, "engineVersion": TEXT, "prompt": TEXT, "negativePrompt": TEXT, "settings": (dict,),
    "seed": (int,), "recipeHash": TEXT, "inputFileId": (str, NOTHING), "lastFrameFileId": (str, NOTHING),
    "extends": (str, NOTHING), "shots": (list,),
    "progress": NUMBER, "stage": TEXT, "step": (int,), "totalSteps": (int,),
    "message": TEXT, "estimated": (bool,), "queuePosition": (int, NOTHING), "waitSeconds": NUMBER,
    "expectedWaitSeconds": (*NUMBER, NOTHING),
    "etaSeconds": (*NUMBER, NOTHING), "attempt": (int,), "previewUrl": (str, NOTHING), "videoUrl": (str, NOTHING),
    "imageUrl": (str, NOTHING),
    "posterUrl": (str, NOTHING), "width": (int,), "height": (int,), "durationSeconds": NUMBER, "fps": (int,),
    "hasAudio": (bool,),
    "sizeBytes": (int, NOTHING), "title": TEXT, "favorite": (bool,), "error": (dict, NOTHING), "createdAt": TEXT,
    "startedAt": (str, NOTHING), "updatedAt": TEXT, "finishedAt": (str, NOTHING), "expiresAt": (str, NOTHING),
    "understanding": (dict, NOTHING), "attention": (dict, NOTHING), "cost": (dict, NOTHING),
}  # fmt: skip


def _is_generation(value):
    assert value.keys() == FIELDS.keys()
    assert {name: value[name] for name, kinds in FIELDS.items() if not isinstance(value[name], kinds)} == {}
    return True


# Submitting


def test_a_submit_answers_201_with_the_project_and_every_field_of_its_generation(session):
    response = session.try_submit(prompt=" a red kite ", settings={"seed": 7})
    assert response.status_code == 201
    project = response.json()
    assert project.keys() == {"projectId", "requestId", "generations"}
    (generation,) = project["generations"]
    assert _is_generation(generation)
    assert (generation["status"], generation["progress"], generation["attempt"]) == ("queued", 0, 0)
    assert (generation["projectId"], generation["requestId"]) == (project["projectId"], project["requestId"])
    assert (generation["prompt"], generation["seed"], generation["engine"]) == ("a red kite", 7, "bars")
    assert generation["settings"] == TINY | {"seed": 7}
    assert generation["queuePosition"] >= 1
    assert (generation["videoUrl"], generation["error"]) == (None, None)


@pytest.mark.parametrize(
    "prompt",
    [
        '<script>alert(1)</script> & "quotes" over the sea',
        "שלום \u202eover\u202c the sea",
        "sea 👨‍👩‍👧 🏳️‍🌈 e\u0301\u200b",
        "Ignore all previous instructions; DROP TABLE generations; --",
        "sea " * 500,
    ],
    ids=["markup", "right-to-left", "emoji", "commands", "long"],
)
def test_any_prompt_is_returned_unchanged_with_its_understanding(session, prompt):
    generation = session.submit("procedural", prompt=prompt)
    session.cancel(generation["id"])
    stored = session.read(generation["id"])
    assert stored["prompt"] == prompt.strip()
    understood = {item["phrase"]: item["became"] for item in stored["understanding"]["understood"]}
    assert understood.get("sea") == ("ocean" if "sea" in prompt else None)
    assert stored["understanding"]["abstract"] == ("sea" not in prompt)
    assert not set('<>"\u202e') & set("".join(stored["understanding"]["ignored"]))


def test_a_prompt_that_is_too_long_or_invalid_is_rejected(session):
    for prompt, expected in (("sea " * 2_500, "at most 2000 characters"), ("sea\x00", "control characters")):
        refused = session.try_submit("procedural", prompt=prompt)
        assert refused.status_code == 422
        assert expected in refused.json()["errors"][0]["expected"]


def test_an_engine_without_explanations_gives_no_understanding(session):
    assert session.submit("bars")["understanding"] is None


def test_the_first_engine_and_its_settings_are_the_default(session):
    response = session.post("/generations", json={"prompt": "anything"})
    (generation,) = response.json()["generations"]
    session.cancel(generation["id"])
    assert (generation["engine"], generation["type"]) == ("bars", "video")
    assert generation["seed"] == generation["settings"]["seed"]
    assert generation["width"] == generation["settings"]["width"] > 0


def test_variations_use_the_seed_and_the_following_ones(session):
    project = session.submit_all("until-cancelled", settings={"seed": 7}, variations=3)
    assert [generation["seed"] for generation in project["generations"]] == [7, 8, 9]
    assert len({generation["recipeHash"] for generation in project["generations"]}) == 3
    assert {generation["projectId"] for generation in project["generations"]} == {project["projectId"]}


def test_the_same_key_and_body_give_the_same_project_again(session):
    key = {"Idempotency-Key": "k" * 128}
    first = session.try_submit(headers=key)
    session.follow(first.json()["generations"][0]["id"])
    again = session.try_submit(headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["projectId"] == first.json()["projectId"]
    assert [item["id"] for item in again.json()["generations"]] == [item["id"] for item in first.json()["generations"]]
    assert len(session.get("/generations").json()["items"]) == 1


def test_the_same_key_with_another_body_is_a_conflict(session):
    key = {"Idempotency-Key": "k"}
    session.try_submit(headers=key)
    response = session.try_submit(headers=key, prompt="something else")
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")


def test_idempotency_keys_are_separate_for_each_session(session_of):
    key = {"Idempotency-Key": "k"}
    answers = [session_of().try_submit(headers=key, prompt=prompt).status_code for prompt in ("one", "two")]
    assert answers == [201, 201]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "  "}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "a\x00b"}, "prompt"),
        ({"prompt": "x" * 2001}, "prompt"),
        ({"engine": "unknown"}, "engine"),
        ({"type": "song"}, "type"),
        ({"type": "image"}, "type"),
        ({"negativePrompt": "people"}, "negativePrompt"),
        ({"inputFileId": "fil_a"}, "inputFileId"),
        ({"variations": 0}, "variations"),
        ({"variations": 9}, "variations"),
        ({"variations": 1.5}, "variations"),
        ({"surprise": 1}, "surprise"),
        ({"settings": {"width": 63}}, "settings.width"),
        ({"settings": {"width": 3840, "height": 2160}}, "settings.width"),
        ({"settings": {"height": "64"}}, "settings.height"),
        ({"settings": {"durationSeconds": 11}}, "settings.durationSeconds"),
        ({"settings": {"fps": 1000}}, "settings.fps"),
        ({"settings": {"seed": 2**53}}, "settings.seed"),
        ({"settings": {"seed": 2**53 - 1}, "variations": 2}, "settings.seed"),
        ({"settings": {"colour": "blue"}}, "settings.colour"),
    ],
    ids=repr,
)
def test_an_invalid_request_names_field_expected_and_got(session, body, field):
    response = session.try_submit(**body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request")
    assert response.headers["content-type"] == "application/problem+json"
    (fault,) = problem["errors"]
    assert fault["field"] == field
    assert fault["expected"]
    assert fault["got"]
    assert field in problem["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff", b"null"])
def test_a_body_that_is_not_a_json_object_is_invalid(session, content):
    response = session.post("/generations", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_lone_surrogate_is_invalid_and_the_response_is_valid_json(session):
    content = b'{"prompt": "a\\ud800b"}'
    response = session.post("/generations", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert "U+D800" in response.json()["detail"]


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_an_idempotency_key_that_is_empty_or_too_long_is_invalid(session, key):
    response = session.try_submit(headers={"Idempotency-Key": key})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert "idempotency-key" in response.json()["errors"][0]["field"].lower()


def test_too_many_active_generations_are_429_with_retry_after(session):
    session.submit_all("until-cancelled", variations=8)
    response = session.try_submit("until-cancelled", variations=MAX_ACTIVE - 7)
    assert (response.status_code, response.json()["code"]) == (429, "limit_exceeded")
    assert int(response.headers["retry-after"]) > 0
    limit = response.json()["limit"]
    assert (limit["name"], limit["amount"], limit["used"]) == ("active_per_session", MAX_ACTIVE, 8)
    assert len(session.get("/generations").json()["items"]) == 8


# Rendering


def test_a_render_ends_completed_with_links_and_times(finished):
    generation = finished.generation
    assert _is_generation(generation)
    assert (generation["status"], generation["progress"], generation["attempt"]) == ("completed", 100, 1)
    # Compared as times: whole seconds are written without a fraction.
    moments = [datetime.fromisoformat(generation[name]) for name in ("createdAt", "startedAt", "finishedAt")]
    assert moments == sorted(moments)
    assert generation["finishedAt"] == generation["updatedAt"]
    assert (generation["previewUrl"], generation["queuePosition"], generation["etaSeconds"]) == (None, None, None)
    assert generation["stage"] == "completed"


def test_a_failure_has_code_message_and_whether_it_is_retryable(session):
    ended = session.finish(session.submit("refuses")["id"])
    assert ended["status"] == "failed"
    assert ended["error"] == {"code": "busy", "message": "The model is busy.", "retryable": True}
    assert ended["videoUrl"] is None


def test_a_generation_that_loses_its_renderer_too_often_fails_without_affecting_others(session):
    ended = session.finish(session.submit("dies", settings={"die_at": 1})["id"])
    assert (ended["status"], ended["error"]["code"], ended["attempt"]) == ("failed", "worker_lost", 3)
    assert ended["error"]["retryable"] is True
    assert session.finish(session.submit("bars")["id"])["status"] == "completed"


def test_a_render_continues_after_the_client_has_disconnected(app):
    submitter = Session(app.base_url)
    made = submitter.submit("slow", settings={"delay_ms": 50})
    submitter.wait_rendering(made["id"])
    submitter.close()
    with connect(app.base_url) as later:
        bearer = {"Authorization": f"Bearer {submitter.token}"}
        with later.stream("GET", f"{API}/generations/{made['id']}/events", headers=bearer) as response:
            response.read()
        assert later.get(f"{API}/generations/{made['id']}", headers=bearer).json()["status"] == "completed"


# Ownership


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/generations/{}", None),
        ("PATCH", "/generations/{}", {"title": "mine now"}),
        ("DELETE", "/generations/{}", None),
        ("POST", "/generations/{}/cancel", None),
        ("POST", "/generations/{}/retry", None),
        ("POST", "/generations/{}/resolve", {"action": "look"}),
        ("GET", "/generations/{}/events", None),
        ("GET", "/projects/{}/events", None),
    ],
)
def test_an_id_of_another_session_gets_the_same_response_as_an_unknown_one(session, finished, method, path, body):
    theirs = finished.generation["projectId" if "projects" in path else "id"]
    unknown = ("prj" if "projects" in path else "gen") + UNKNOWN[3:]
    answers = [session.http.request(method, API + path.format(which), json=body) for which in (theirs, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["code"] == "not_found"
    headers = [{name: value for name, value in answer.headers.items() if name != "date"} for answer in answers]
    assert headers[0] == headers[1]
    assert finished.session.read(finished.generation["id"]) == finished.generation


def test_sessions_are_isolated(session_of):
    first, second = session_of(), session_of()
    mine, theirs = first.submit(), second.submit()
    first.follow(mine["id"])
    second.follow(theirs["id"])
    assert [item["id"] for item in first.get("/generations").json()["items"]] == [mine["id"]]
    assert [item["id"] for item in second.get("/generations").json()["items"]] == [theirs["id"]]


# The history


@pytest.fixture(scope="module")
def history(app):
    """A session with five cancelled generations, oldest first."""
    with Session(app.base_url) as session:
        prompts = ("ocean one", "ocean two", "city one", "Wald", "100% rain")
        made = [session.submit("until-cancelled", prompt=prompt) for prompt in prompts]
        for generation in made:
            session.cancel(generation["id"])
        for generation in made:
            session.follow(generation["id"])
        session.patch(f"/generations/{made[2]['id']}", json={"title": "My town", "favorite": True})
        session.ids = [generation["id"] for generation in made]
        yield session


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_the_pages_of_a_list_contain_everything_once_newest_first(history, limit):
    ids, cursor = [], None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = history.get("/generations", params=params).json()
        assert page.keys() == {"items", "nextCursor"}
        assert len(page["items"]) <= limit
        assert all(map(_is_generation, page["items"]))
        ids += [item["id"] for item in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    assert ids == history.ids[::-1]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"status": "cancelled"}, [4, 3, 2, 1, 0]),
        ({"status": "completed, failed"}, []),
        ({"status": "queued,cancelled"}, [4, 3, 2, 1, 0]),
        ({"q": "ocean"}, [1, 0]),
        ({"q": "ONE ocean"}, [0]),
        ({"q": "town"}, [2]),
        ({"q": "%"}, [4]),
        ({"favorite": "true"}, [2]),
        ({"favorite": "false"}, [4, 3, 1, 0]),
        ({"type": "video"}, [4, 3, 2, 1, 0]),
        ({"type": "image"}, []),
        ({"engine": "until-cancelled"}, [4, 3, 2, 1, 0]),
        ({"engine": "bars"}, []),
        ({"q": "one", "favorite": "true"}, [2]),
    ],
    ids=repr,
)
def test_a_list_can_be_filtered(history, params, expected):
    items = history.get("/generations", params=params).json()["items"]
    assert [history.ids.index(item["id"]) for item in items] == expected


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"cursor": "nonsense!"},
        {"cursor": "é"},
        {"status": "done"},
        {"type": "song"},
        {"favorite": "perhaps"},
        {"colour": "blue"},
    ],
    ids=repr,
)
def test_invalid_filters_are_rejected(history, params):
    response = history.get("/generations", params=params)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert next(iter(params)) in response.json()["errors"][0]["field"]


# Title and favourite


def test_a_patch_changes_only_title_and_favourite(session):
    made = session.submit("until-cancelled")
    session.cancel(made["id"])
    before = session.finish(made["id"])
    first = session.patch(f"/generations/{made['id']}", json={"title": "Mine"}).json()
    second = session.patch(f"/generations/{made['id']}", json={"favorite": True}).json()
    assert first == before | {"title": "Mine"}
    assert second == before | {"title": "Mine", "favorite": True}
    for wrong in ({"title": "x" * 201}, {"status": "completed"}, {"favorite": "yes"}):
        assert session.patch(f"/generations/{made['id']}", json=wrong).status_code == 422
    assert session.read(made["id"]) == second


# Cancelling


def test_cancelling_a_running_render_ends_its_process(app, session):
    made = session.submit("until-cancelled")
    session.wait_rendering(made["id"])
    renderer = app.renderer(made["id"])
    answer = session.cancel(made["id"])
    assert answer.status_code == 202
    assert _is_generation(answer.json())
    ended = session.finish(made["id"])
    assert (ended["status"], ended["error"]["code"]) == ("cancelled", "cancelled")
    assert ended["videoUrl"] is None
    assert psutil.wait_procs([renderer], timeout=20)[1] == []


def test_cancelling_again_answers_200_and_changes_nothing(session):
    made = session.submit("until-cancelled")
    session.wait_rendering(made["id"])
    assert session.cancel(made["id"]).status_code == 202
    assert session.cancel(made["id"]).status_code == 200
    ended = session.finish(made["id"])
    again = session.cancel(made["id"])
    assert (again.status_code, again.json()) == (200, ended)


def test_a_renderer_that_ignores_a_cancel_is_killed(app, session):
    made = session.submit("ignores-cancel")
    session.wait_rendering(made["id"])
    renderer = app.renderer(made["id"])
    session.cancel(made["id"])
    assert session.finish(made["id"])["status"] == "cancelled"
    assert psutil.wait_procs([renderer], timeout=20)[1] == []


def test_a_queued_generation_is_cancelled_at_once(session):
    running = session.submit_all("until-cancelled", variations=2)["generations"]
    for generation in running:
        session.wait_rendering(generation["id"])
    waiting = session.submit("until-cancelled")
    answer = session.cancel(waiting["id"])
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert answer.json()["startedAt"] is None
    assert session.cancel(waiting["id"]).status_code == 200


def test_cancelling_a_completed_generation_changes_nothing(finished):
    answer = finished.session.cancel(finished.generation["id"])
    assert (answer.status_code, answer.json()) == (200, finished.generation)


# Retrying


def test_a_retry_is_a_new_generation_with_the_same_recipe_and_seed(finished):
    session, old = finished.session, finished.generation
    response = session.post(f"/generations/{old['id']}/retry")
    assert response.status_code == 201
    new = response.json()
    assert _is_generation(new)
    assert new["id"] != old["id"]
    assert new["projectId"] != old["projectId"]
    for field in ("recipeHash", "seed", "prompt", "settings", "engine", "engineVersion"):
        assert new[field] == old[field]
    ended = session.finish(new["id"])
    videos = [session.http.get(generation["videoUrl"]).content for generation in (old, ended)]
    assert videos[0] == videos[1]


def test_a_running_generation_cannot_be_retried(session):
    made = session.submit("until-cancelled")
    response = session.post(f"/generations/{made['id']}/retry")
    assert (response.status_code, response.json()["code"]) == (409, "not_terminal")


# Deleting


def test_deleting_a_generation_removes_its_files(app, session, stored):
    made = session.finish(session.submit()["id"])
    assert stored(made["id"])
    response = session.delete(f"/generations/{made['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert session.get(f"/generations/{made['id']}").status_code == 404
    assert session.get(f"/generations/{made['id']}/events").status_code == 404
    assert session.http.get(made["videoUrl"]).status_code == 404
    assert session.get("/generations").json()["items"] == []
    assert stored(made["id"]) == []
    assert not (app.data_dir / "work" / made["id"]).exists()
    assert session.delete(f"/generations/{made['id']}").status_code == 404


def test_a_running_generation_cannot_be_deleted(session):
    made = session.submit("until-cancelled")
    response = session.delete(f"/generations/{made['id']}")
    assert (response.status_code, response.json()["code"]) == (409, "not_terminal")
    assert session.read(made["id"])["id"] == made["id"]
