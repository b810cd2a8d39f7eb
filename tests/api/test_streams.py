import random
from datetime import datetime

import pytest

from videogen.schemas.events import decode

pytestmark = pytest.mark.databases("sqlite", "postgresql")

COMMON = {"generationId", "projectId", "requestId", "status", "progress", "attempt", "at"}
SHAPES = {
    "render_progress": COMMON
    | {"stage", "step", "totalSteps", "message", "queuePosition", "expectedWaitSeconds"}
    | {"etaSeconds", "estimated", "previewUrl", "recipeHash", "attention", "cost"},
    "render_result": COMMON
    | {"fileId", "videoUrl", "imageUrl", "posterUrl"}
    | {"width", "height", "durationSeconds", "fps", "hasAudio", "sizeBytes", "cost"},
    "error": COMMON | {"code", "message", "retryable", "cost"},
}


def _events(generation):
    return f"/generations/{generation['id']}/events"


def _is_whole(events):
    """Check the events of one generation, from the first to the terminal one."""
    ids = [event.id for event in events]
    assert ids == sorted(set(ids)), "ids rise strictly"
    assert [event.terminal for event in events] == [False] * (len(events) - 1) + [True], (
        "the last event is the only terminal one"
    )
    by_attempt = {}
    for event in events:
        assert event.data["progress"] >= by_attempt.get(event.data["attempt"], 0), "progress never falls"
        by_attempt[event.data["attempt"]] = event.data["progress"]
    return True


def test_a_stream_has_the_headers_of_an_event_stream(session):
    made = session.submit("until-cancelled")
    with session.stream(_events(made)) as stream:
        headers = stream.response.headers
        assert stream.response.status_code == 200
        assert headers["content-type"].partition(";")[0] == "text/event-stream"
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
        next(stream)
        assert stream.retry == 1000


def test_a_stream_covers_a_render_from_the_first_step_to_the_end(finished):
    events = finished.events
    assert _is_whole(events)
    assert [event.event for event in events] == ["render_progress"] * (len(events) - 1) + ["render_result"]
    stages = list(dict.fromkeys(event.data["stage"] for event in events[:-1]))
    assert stages == ["queued", "starting", "preparing", "rendering", "finishing"]
    assert events[-1].data["progress"] == 100
    assert events[-1].data["fileId"] == finished.generation["fileId"]
    assert any(event.data.get("previewUrl") for event in events)
    assert not any(event.data.get("estimated") for event in events)


def test_every_event_is_a_full_snapshot_with_the_fields_of_the_contract(finished):
    for event in finished.events:
        assert event.data.keys() == SHAPES[event.event]
        assert decode(event.event, event.id, event.data).type == event.event
        assert datetime.fromisoformat(event.data["at"]).utcoffset().total_seconds() == 0
        for name in ("projectId", "requestId"):
            assert event.data[name] == finished.generation[name]


def test_a_failure_ends_as_an_error_event_with_its_code(session):
    events = session.follow(session.submit("refuses")["id"])
    assert _is_whole(events)
    assert events[-1].event == "error"
    assert events[-1].data.keys() == SHAPES["error"]
    assert {key: events[-1].data[key] for key in ("code", "message", "retryable", "status")} == {
        "code": "busy",
        "message": "The model is busy.",
        "retryable": True,
        "status": "failed",
    }


def test_a_cancel_ends_as_an_error_event_with_the_code_cancelled(session):
    made = session.submit("until-cancelled")
    with session.stream(_events(made)) as stream:
        events = [stream.until(lambda event: event.data["stage"] == "rendering")]
        session.cancel(made["id"])
        events += list(stream)
    assert _is_whole(events)
    assert (events[-1].event, events[-1].data["code"], events[-1].data["status"]) == ("error", "cancelled", "cancelled")


def test_a_late_reader_gets_the_current_snapshot_first(session):
    made = session.submit("until-cancelled")
    session.wait_rendering(made["id"])
    with session.stream(_events(made)) as stream:
        first = next(stream)
    assert (first.event, first.data["status"], first.data["stage"]) == ("render_progress", "processing", "rendering")


def test_a_reconnect_with_the_last_id_gets_204(finished):
    generation, last = finished.generation, finished.events[-1].id
    for path in (_events(generation), f"/projects/{generation['projectId']}/events"):
        with finished.session.stream(path, last) as stream:
            assert stream.response.status_code == 204
            assert list(stream) == []


def test_an_ended_generation_sends_its_terminal_event_and_closes(finished):
    assert finished.session.follow(finished.generation["id"]) == finished.events[-1:]


def test_a_reconnect_from_any_id_gets_the_rest_once_and_in_order(finished):
    for cut, event in enumerate(finished.events[:-1], 1):
        assert finished.session.follow(finished.generation["id"], event.id) == finished.events[cut:]


def test_a_reader_with_repeated_disconnects_misses_no_event(session):
    randomness = random.Random(5)
    made = session.submit("slow", settings={"delay_ms": 60, "durationSeconds": 2})
    received, last = [], 0
    while not (received and received[-1].terminal):
        with session.stream(_events(made), last) as stream:
            for event in stream:
                received.append(event)
                last = event.id
                if randomness.random() < 0.4:
                    break
    assert _is_whole(received)
    assert len(received) > 8
    assert received == session.follow(made["id"], 0)


def test_all_readers_of_a_render_receive_the_same_events(session):
    made = session.submit("slow", settings={"delay_ms": 20})
    path = _events(made)
    with session.stream(path, 0) as first, session.stream(path, 0) as second:
        third = session.follow(made["id"], 0)
        assert list(first) == list(second) == third
    assert _is_whole(third)


def test_a_reader_that_disconnects_does_not_affect_the_render(session):
    made = session.submit("slow", settings={"delay_ms": 20})
    with session.stream(_events(made)) as stream:
        next(stream)
    assert session.finish(made["id"])["status"] == "completed"


def test_the_stream_of_a_project_closes_after_the_last_of_its_generations(session):
    project = session.submit_all("slow", variations=3, settings={"delay_ms": 5})
    with session.stream(f"/projects/{project['projectId']}/events") as stream:
        events = list(stream)
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    for generation in project["generations"]:
        assert _is_whole([event for event in events if event.data["generationId"] == generation["id"]])
    assert events[-1].terminal


def test_the_stream_of_a_session_has_all_its_generations_and_stays_open(session_of):
    session, other = session_of(), session_of()
    with session.stream("/events") as stream:
        made = [session.submit()["id"] for _ in range(2)]
        other.submit("until-cancelled")
        ends = [stream.until(lambda event: event.terminal) for _ in made]
        late = session.submit("refuses")["id"]
        ends.append(stream.until(lambda event: event.terminal))
    assert {event.data["generationId"] for event in ends} == {*made, late}
    ids = [event.id for event in ends]
    assert ids == sorted(set(ids))


def test_the_stream_of_a_session_begins_with_queued_and_running_generations(session):
    session.finish(session.submit()["id"])
    running = session.submit_all("until-cancelled", variations=2)["generations"]
    with session.stream("/events") as stream:
        ids = {next(stream).data["generationId"] for _ in running}
    assert ids == {generation["id"] for generation in running}


def test_the_stream_of_a_session_replays_from_any_id(session):
    made = [session.submit()["id"], session.submit("refuses")["id"]]
    events = sorted((event for each in made for event in _ended(session, each)), key=lambda event: event.id)
    for cut in (0, len(events) // 2, len(events) - 1):
        after = events[cut - 1].id if cut else 0
        with session.stream("/events", after) as stream:
            assert [next(stream) for _ in events[cut:]] == events[cut:]


def _ended(session, generation_id):
    session.follow(generation_id)
    return session.follow(generation_id, 0)


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 30, "١"])
def test_a_last_event_id_that_is_not_a_number_is_invalid(session, value):
    response = session.get("/events", headers={"Last-Event-ID": value.encode()})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_an_unknown_last_event_id_gets_the_snapshot(finished):
    assert finished.session.follow(finished.generation["id"], 10**15) == finished.events[-1:]


def test_deleting_another_generation_repeats_no_event(session):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    other = session.submit("refuses")
    last = session.follow(other["id"])[-1].id
    session.delete(f"/generations/{other['id']}")
    with session.stream("/events", last) as stream:
        session.cancel(running["id"])
        assert next(stream).id > last


def test_a_lost_renderer_starts_a_new_attempt_of_the_same_generation(session):
    made = session.submit("dies", settings={"die_at": 2, "attempts": 1})
    session.follow(made["id"])
    events = session.follow(made["id"], 0)
    assert _is_whole(events)
    assert (events[-1].event, events[-1].data["attempt"]) == ("render_result", 2)
    states = [(event.data["status"], event.data["attempt"]) for event in events]
    assert list(dict.fromkeys(states)) == [
        ("queued", 0),
        ("processing", 1),
        ("queued", 1),
        ("processing", 2),
        ("completed", 2),
    ]


def test_the_response_names_the_id_after_which_it_goes_on(finished):
    last = finished.events[-2].id
    resumed = {}
    for after in (None, last, 10**15):
        with finished.session.stream(_events(finished.generation), after) as stream:
            resumed[after] = stream.response.headers.get("videogen-resumed-after")
    assert resumed == {None: None, last: str(last), 10**15: "0"}
