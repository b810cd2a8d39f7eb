import random
from datetime import datetime

import pytest

from videogen.schemas.events import decode

COMMON = {"generationId", "projectId", "requestId", "status", "progress", "attempt", "at"}
SHAPES = {
    "render_progress": COMMON
    | {"stage", "step", "totalSteps", "message", "queuePosition", "expectedWaitSeconds"}
    | {"etaSeconds", "estimated", "previewUrl"},
    "render_result": COMMON
    | {"fileId", "videoUrl", "imageUrl", "posterUrl", "width", "height", "durationSeconds", "fps", "sizeBytes"},
    "error": COMMON | {"code", "message", "retryable"},
}


def _events(generation):
    return f"/generations/{generation['id']}/events"


def _is_whole(frames):
    """What holds for every stream of one generation that was read to its end."""
    ids = [frame.id for frame in frames]
    assert ids == sorted(set(ids)), "ids rise strictly"
    assert [frame.terminal for frame in frames] == [False] * (len(frames) - 1) + [True], "one end, and it is the last"
    by_attempt = {}
    for frame in frames:
        assert frame.data["progress"] >= by_attempt.get(frame.data["attempt"], 0), "progress never falls"
        by_attempt[frame.data["attempt"]] = frame.data["progress"]
    return True


def test_a_stream_has_the_headers_of_one(session):
    made = session.submit("until-cancelled")
    with session.stream(_events(made)) as stream:
        headers = stream.response.headers
        assert stream.response.status_code == 200
        assert headers["content-type"].partition(";")[0] == "text/event-stream"
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
        next(stream)
        assert stream.retry == 1000


def test_a_render_is_told_from_its_first_step_to_its_end(finished):
    frames = finished.events
    assert _is_whole(frames)
    assert [frame.event for frame in frames] == ["render_progress"] * (len(frames) - 1) + ["render_result"]
    stages = list(dict.fromkeys(frame.data["stage"] for frame in frames[:-1]))
    assert stages == ["queued", "starting", "preparing", "rendering", "finishing"]
    assert frames[-1].data["progress"] == 100
    assert frames[-1].data["fileId"] == finished.generation["fileId"]
    assert any(frame.data.get("previewUrl") for frame in frames)
    assert not any(frame.data.get("estimated") for frame in frames)


def test_every_event_is_a_whole_snapshot_of_the_contract(finished):
    for frame in finished.events:
        assert frame.data.keys() == SHAPES[frame.event]
        assert decode(frame.event, frame.id, frame.data).type == frame.event
        assert datetime.fromisoformat(frame.data["at"]).utcoffset().total_seconds() == 0
        for name in ("projectId", "requestId"):
            assert frame.data[name] == finished.generation[name]


def test_a_failure_is_told_as_an_error_with_its_code(session):
    frames = session.follow(session.submit("refuses")["id"])
    assert _is_whole(frames)
    assert frames[-1].event == "error"
    assert frames[-1].data.keys() == SHAPES["error"]
    assert {key: frames[-1].data[key] for key in ("code", "message", "retryable", "status")} == {
        "code": "busy",
        "message": "The model is busy.",
        "retryable": True,
        "status": "failed",
    }


def test_a_cancel_ends_as_an_error_with_the_code_cancelled(session):
    made = session.submit("until-cancelled")
    with session.stream(_events(made)) as stream:
        frames = [stream.until(lambda frame: frame.data["stage"] == "rendering")]
        session.cancel(made["id"])
        frames += list(stream)
    assert _is_whole(frames)
    assert (frames[-1].event, frames[-1].data["code"], frames[-1].data["status"]) == ("error", "cancelled", "cancelled")


def test_a_listener_that_comes_late_gets_the_current_snapshot_first(session):
    made = session.submit("until-cancelled")
    session.wait_rendering(made["id"])
    with session.stream(_events(made)) as stream:
        first = next(stream)
    assert (first.event, first.data["status"], first.data["stage"]) == ("render_progress", "processing", "rendering")


def test_after_the_last_id_there_is_only_204(finished):
    generation, last = finished.generation, finished.events[-1].id
    for path in (_events(generation), f"/projects/{generation['projectId']}/events"):
        with finished.session.stream(path, last) as stream:
            assert stream.response.status_code == 204
            assert list(stream) == []


def test_without_a_last_id_an_ended_generation_tells_its_end_and_closes(finished):
    assert finished.session.follow(finished.generation["id"]) == finished.events[-1:]


def test_from_any_id_the_rest_comes_once_in_order_and_none_is_missing(finished):
    for cut, frame in enumerate(finished.events[:-1], 1):
        assert finished.session.follow(finished.generation["id"], frame.id) == finished.events[cut:]


def test_a_reader_whose_connection_breaks_again_and_again_misses_nothing(session):
    chance = random.Random(5)
    made = session.submit("slow", settings={"delay_ms": 60, "durationSeconds": 2})
    seen, last = [], 0
    while not (seen and seen[-1].terminal):
        with session.stream(_events(made), last) as stream:
            for frame in stream:
                seen.append(frame)
                last = frame.id
                if chance.random() < 0.4:
                    break
    assert _is_whole(seen)
    assert len(seen) > 8
    assert seen == session.follow(made["id"], 0)


def test_many_readers_of_one_render_all_see_the_same(session):
    made = session.submit("slow", settings={"delay_ms": 20})
    path = _events(made)
    with session.stream(path, 0) as first, session.stream(path, 0) as second:
        third = session.follow(made["id"], 0)
        assert list(first) == list(second) == third
    assert _is_whole(third)


def test_a_reader_that_leaves_does_not_disturb_the_render(session):
    made = session.submit("slow", settings={"delay_ms": 20})
    with session.stream(_events(made)) as stream:
        next(stream)
    assert session.finish(made["id"])["status"] == "completed"


def test_the_stream_of_a_project_closes_after_the_last_of_its_generations(session):
    project = session.submit_all("slow", variations=3, settings={"delay_ms": 5})
    with session.stream(f"/projects/{project['projectId']}/events") as stream:
        frames = list(stream)
    ids = [frame.id for frame in frames]
    assert ids == sorted(set(ids))
    for generation in project["generations"]:
        assert _is_whole([frame for frame in frames if frame.data["generationId"] == generation["id"]])
    assert frames[-1].terminal


def test_the_stream_of_a_session_carries_all_its_generations_and_stays_open(session_of):
    session, stranger = session_of(), session_of()
    with session.stream("/events") as stream:
        made = [session.submit()["id"] for _ in range(2)]
        stranger.submit("until-cancelled")
        ends = [stream.until(lambda frame: frame.terminal) for _ in made]
        late = session.submit("refuses")["id"]
        ends.append(stream.until(lambda frame: frame.terminal))
    assert {frame.data["generationId"] for frame in ends} == {*made, late}
    ids = [frame.id for frame in ends]
    assert ids == sorted(set(ids))


def test_the_stream_of_a_session_begins_with_what_is_queued_or_running(session):
    session.finish(session.submit()["id"])
    running = session.submit_all("until-cancelled", variations=2)["generations"]
    with session.stream("/events") as stream:
        found = {next(stream).data["generationId"] for _ in running}
    assert found == {generation["id"] for generation in running}


def test_a_session_replays_from_any_id_too(session):
    made = [session.submit()["id"], session.submit("refuses")["id"]]
    events = sorted((frame for each in made for frame in _ended(session, each)), key=lambda frame: frame.id)
    for cut in (0, len(events) // 2, len(events) - 1):
        after = events[cut - 1].id if cut else 0
        with session.stream("/events", after) as stream:
            assert [next(stream) for _ in events[cut:]] == events[cut:]


def _ended(session, generation_id):
    session.follow(generation_id)
    return session.follow(generation_id, 0)


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 30, "١"])
def test_a_last_id_that_is_no_number_is_invalid(session, value):
    response = session.get("/events", headers={"Last-Event-ID": value.encode()})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_last_id_that_was_never_given_gets_the_snapshot(finished):
    assert finished.session.follow(finished.generation["id"], 10**15) == finished.events[-1:]


def test_a_removed_neighbour_makes_nobody_see_anything_twice(session):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    other = session.submit("refuses")
    last = session.follow(other["id"])[-1].id
    session.delete(f"/generations/{other['id']}")
    with session.stream("/events", last) as stream:
        session.cancel(running["id"])
        assert next(stream).id > last


def test_a_lost_renderer_is_told_as_a_new_attempt_of_the_same_generation(session):
    made = session.submit("dies", settings={"die_at": 2, "attempts": 1})
    session.follow(made["id"])
    frames = session.follow(made["id"], 0)
    assert _is_whole(frames)
    assert (frames[-1].event, frames[-1].data["attempt"]) == ("render_result", 2)
    moves = [(frame.data["status"], frame.data["attempt"]) for frame in frames]
    assert list(dict.fromkeys(moves)) == [
        ("queued", 0),
        ("processing", 1),
        ("queued", 1),
        ("processing", 2),
        ("completed", 2),
    ]


def test_the_answer_says_after_which_number_it_goes_on(finished):
    last = finished.events[-2].id
    said = {}
    for after in (None, last, 10**15):
        with finished.session.stream(_events(finished.generation), after) as stream:
            said[after] = stream.response.headers.get("videogen-resumed-after")
    assert said == {None: None, last: str(last), 10**15: "0"}
