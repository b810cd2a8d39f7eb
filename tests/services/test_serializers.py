from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.rows import file_row, result
from tests.support.sse import parse
from videogen.core.security import Signer
from videogen.schemas.events import decode
from videogen.services.serializers import Serializer
from videogen.store import Fence, Progress

SIGNER = Signer(b"a secret of many bytes")


@pytest.fixture
def serializer():
    return Serializer(SIGNER, "https://video.example.org/app")


@pytest.fixture
def events(database):
    events = []
    database.listen(events.extend)
    return events


def _opens(url, file_id):
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return parts.path.endswith(f"/media/{file_id}") and SIGNER.verify(file_id, query["exp"][0], query["sig"][0])


@pytest.fixture
def running(store, queue, submit, alice):
    row = submit(alice)
    queue.claim("worker")
    return row


def test_a_link_begins_with_the_public_address_and_is_signed(serializer):
    url = serializer.media_url("fil_a")
    assert url.startswith("https://video.example.org/app/media/fil_a?exp=")
    assert _opens(url, "fil_a")
    assert serializer.media_url("fil_a", 3).endswith("&v=3")
    assert serializer.media_url(None) is None


def test_without_a_public_address_a_link_is_a_path():
    assert Serializer(SIGNER, "").media_url("fil_a").startswith("/media/fil_a?")


def test_every_kind_of_event_is_a_frame_that_decodes_and_tells_no_secret(
    serializer, store, events, running, alice, submit
):
    store.record_preview(Fence(running.id, 1), file_row(running, "preview"))
    done = result(running)
    store.complete(Fence(running.id, 1), done)
    store.cancel_generation(alice, submit(alice).id)
    frames = parse(b"".join(serializer.event_bytes(event) for event in events))
    assert [frame.id for frame in frames] == [event.id for event in events]
    assert {frame.event for frame in frames} == {"render_progress", "render_result", "error"}
    for frame in frames:
        decode(frame.event, frame.id, frame.data)
        assert not {"previewFileId", "previewVersion", "posterFileId", "sessionId", "id"} & frame.data.keys()
    assert next(url for frame in frames if (url := frame.data.get("previewUrl"))).endswith("&v=1")
    (end,) = [frame.data for frame in frames if frame.event == "render_result"]
    assert _opens(end["videoUrl"], done.video.id)
    assert _opens(end["posterUrl"], done.poster.id)


def test_an_event_can_be_told_many_times(serializer, events, running, submit, alice):
    submit(alice)
    assert serializer.event_bytes(events[0]) == serializer.event_bytes(events[0])


def test_text_of_any_script_stays_on_its_one_line(serializer, store, events, running):
    store.record_progress(Fence(running.id, 1), Progress(1.0, "rendering", 1, 9, "two\nlines 雲 \u2028 end", None))
    (frame,) = parse(serializer.event_bytes(events[-1]))
    assert frame.data["message"] == "two\nlines 雲 \u2028 end"


def test_a_generation_shows_its_moments_in_utc_to_the_millisecond(serializer, store, running, alice, clock):
    row = store.get_generation(alice, running.id)
    row.created_at = 1_750_000_000.12345
    shown = serializer.generation(row, clock.now)
    assert shown.created_at == datetime(2025, 6, 15, 15, 6, 40, 123000, UTC)
    assert shown.finished_at is None


def test_the_wait_runs_until_the_render_begins(serializer, store, submit, queue, alice, clock):
    row = submit(alice)
    clock.now += 2
    assert serializer.generation(store.get_generation(alice, row.id), clock.now).wait_seconds == 2
    queue.claim("worker")
    clock.now += 50
    assert serializer.generation(store.get_generation(alice, row.id), clock.now).wait_seconds == 2


def test_the_wait_of_one_that_never_began_ends_with_its_cancel(serializer, store, submit, alice, clock):
    row = submit(alice)
    clock.now += 3
    store.cancel_generation(alice, row.id)
    clock.now += 50
    assert serializer.generation(store.get_generation(alice, row.id), clock.now).wait_seconds == 3


def test_an_error_is_shown_only_where_it_ended_without_a_result(serializer, store, running, alice, clock):
    assert serializer.generation(store.get_generation(alice, running.id), clock.now).error is None
    store.fail(Fence(running.id, 1), "busy", "Try later.", retryable=True)
    shown = serializer.generation(store.get_generation(alice, running.id), clock.now)
    assert shown.error.model_dump() == {"code": "busy", "message": "Try later.", "retryable": True}


def test_a_result_is_shown_with_links_to_its_files(serializer, store, running, alice, clock):
    done = result(running)
    store.complete(Fence(running.id, 1), done)
    shown = serializer.generation(store.get_generation(alice, running.id), clock.now)
    assert _opens(shown.video_url, done.video.id)
    assert _opens(shown.poster_url, done.poster.id)
    assert (shown.file_id, shown.preview_url, shown.size_bytes) == (done.video.id, None, 1234)


def test_what_an_engine_told_of_the_prompt_is_shown_and_nothing_is_made_up(serializer, store, submit, alice, clock):
    row = submit(alice)
    assert serializer.generation(row, clock.now).understanding is None
    phrase = {"phrase": "<b>sea", "became": "ocean", "role": "subject"}
    understanding = {"understood": [phrase], "ignored": ["kraken"], "not_drawn": ["kraken"], "abstract": False}
    row.recipe = row.recipe | {"understanding": understanding}
    shown = serializer.generation(row, clock.now).understanding.model_dump(mode="json")
    assert shown == understanding | {"unused": []}
