import asyncio
import threading

import pytest

from tests.support.rows import stored_event
from videogen.live.hub import BACKLOG, TICKS, Hub

PATIENCE = 20


@pytest.fixture
async def hub():
    hub = Hub(lambda event: b"%d" % event.id)
    hub.open()
    yield hub
    hub.close()


def _listen(hub, kind="session", value="ses_a", session="ses_a"):
    return hub.subscribe(session, (kind, value))


async def _ids(subscription):
    """The ids of what is there, or of what comes next."""
    news = asyncio.Event()
    subscription.on_news = news.set
    frames = subscription.take()
    if not frames and not subscription.closed:
        async with asyncio.timeout(PATIENCE):
            await news.wait()
        frames = subscription.take()
    return [frame.id for frame in frames]


async def _delivered():
    """Let what was published before reach the mailboxes."""
    await asyncio.sleep(0)


async def test_events_arrive_in_order_and_once(hub):
    listener = _listen(hub)
    for number in range(1, 6):
        hub.publish([stored_event(number)])
    await _delivered()
    assert await _ids(listener) == [1, 2, 3, 4, 5]
    assert listener.take() == []


async def test_events_of_one_commit_arrive_together_in_order(hub):
    listener = _listen(hub)
    hub.publish([stored_event(1), stored_event(2, "gen_b"), stored_event(3)])
    assert await _ids(listener) == [1, 2, 3]


async def test_publishing_from_another_thread_wakes_who_waits(hub):
    listener = _listen(hub)
    waiting = asyncio.create_task(_ids(listener))
    await _delivered()
    thread = threading.Thread(target=hub.publish, args=([stored_event(1)],))
    thread.start()
    assert await waiting == [1]
    thread.join()


async def test_each_scope_hears_its_own_events_only(hub):
    listeners = {
        ("session", "ses_a"): [1, 2, 3],
        ("project", "prj_a"): [1, 2],
        ("generation", "gen_a"): [1],
        ("generation", "gen_none"): [],
    }
    subscriptions = {key: hub.subscribe("ses_a", key) for key in listeners}
    hub.publish(
        [
            stored_event(1, "gen_a"),
            stored_event(2, "gen_b"),
            stored_event(3, "gen_c", project="prj_b"),
            stored_event(4, "gen_d", session="ses_b", project="prj_c"),
        ]
    )
    await _delivered()
    for key, expected in listeners.items():
        assert [frame.id for frame in subscriptions[key].take()] == expected


async def test_a_listener_of_another_session_hears_nothing_even_under_the_right_key(hub):
    spy = _listen(hub, "generation", "gen_a", session="ses_b")
    hub.publish([stored_event(1, "gen_a")])
    await _delivered()
    assert spy.take() == []


async def test_an_event_is_encoded_once_for_all_who_listen():
    encoded = []
    hub = Hub(lambda event: encoded.append(event.id) or b"")
    hub.open()
    listeners = [_listen(hub), _listen(hub), _listen(hub, "generation", "gen_a")]
    hub.publish([stored_event(1)])
    for listener in listeners:
        assert await _ids(listener) == [1]
    assert encoded == [1]
    hub.publish([stored_event(2, "gen_unheard", session="ses_unheard", project="prj_unheard")])
    await _delivered()
    assert encoded == [1], "what nobody hears is not encoded"
    hub.close()


async def test_a_slow_reader_loses_progress_but_never_an_end_nor_the_latest(hub):
    slow = _listen(hub)
    terminal = {100: "render_result", 150: "error"}
    for number in range(1, 301):
        hub.publish([stored_event(number, f"gen_{number % 3}", terminal.get(number, "render_progress"))])
    await _delivered()
    frames = slow.take()
    ids = [frame.id for frame in frames]
    assert ids == sorted(set(ids))
    assert len(ids) <= BACKLOG
    assert {100, 150} <= set(ids)
    assert {298, 299, 300} <= set(ids)
    assert len(ids) < 300


async def test_ends_are_kept_however_many_there_are(hub):
    slow = _listen(hub)
    for number in range(1, 4 * BACKLOG):
        hub.publish([stored_event(number, f"gen_{number}", "render_result")])
    await _delivered()
    assert [frame.id for frame in slow.take()] == list(range(1, 4 * BACKLOG))


async def test_a_slow_reader_slows_no_other(hub):
    slow, quick = _listen(hub), _listen(hub)
    seen = []
    for number in range(1, 3 * BACKLOG):
        hub.publish([stored_event(number)])
        seen += await _ids(quick)
    assert seen == list(range(1, 3 * BACKLOG))
    assert 0 < len(slow.take()) <= BACKLOG


async def test_a_reader_that_keeps_up_loses_nothing_up_to_the_backlog(hub):
    reader = _listen(hub)
    for number in range(1, BACKLOG + 1):
        hub.publish([stored_event(number)])
    await _delivered()
    assert await _ids(reader) == list(range(1, BACKLOG + 1))


async def test_who_is_told_nothing_is_woken_in_time_for_a_sign_of_life():
    hub = Hub(lambda event: b"", heartbeat=0.03)
    hub.open()
    listener = _listen(hub)
    assert await _ids(listener) == []
    assert TICKS - 1 <= listener.quiet <= TICKS
    hub.close()


async def test_a_listener_that_fails_is_closed_and_disturbs_no_other(hub, caplog):
    broken, well = _listen(hub), _listen(hub)

    def fail():
        raise RuntimeError("broken")

    broken.on_news = fail
    hub.publish([stored_event(1)])
    assert await _ids(well) == [1]
    assert (broken.closed, well.closed) == (True, False)
    assert "is closed" in caplog.text


async def test_a_listener_may_leave_when_it_is_woken(hub):
    leaving, staying = _listen(hub), _listen(hub)
    leaving.on_news = leaving.close
    hub.publish([stored_event(1)])
    assert await _ids(staying) == [1]
    assert hub.listeners == 1


async def test_a_closed_listener_is_forgotten_and_closing_may_be_repeated(hub):
    listener, other = _listen(hub), _listen(hub)
    assert hub.listeners == 2
    listener.close()
    listener.close()
    assert hub.listeners == 1
    hub.publish([stored_event(1)])
    assert await _ids(other) == [1]
    assert await _ids(listener) == []


async def test_closing_the_hub_ends_all_who_listen_and_all_who_come_later(hub):
    waiting = [asyncio.create_task(_ids(_listen(hub))) for _ in range(3)]
    await _delivered()
    assert hub.listeners == 3
    hub.close()
    hub.close()
    assert await asyncio.gather(*waiting) == [[], [], []]
    assert hub.listeners == 0
    late = _listen(hub)
    assert late.closed
    assert await _ids(late) == []


async def test_publishing_into_a_closed_hub_is_nothing(hub):
    hub.close()
    hub.publish([stored_event(1)])


def test_publishing_after_the_loop_has_ended_is_nothing():
    hub = Hub(lambda event: b"")

    async def run():
        hub.open()

    asyncio.run(run())
    hub.publish([stored_event(1)])


async def test_visitors_get_an_encoding_of_their_own_made_once_for_all():
    made = []

    def for_visitors(event):
        made.append(event.id)
        return b"visitor %d" % event.id

    hub = Hub(lambda event: b"owner %d" % event.id, for_visitors)
    hub.open()
    visitors = [_listen(hub, "visitors", "gen_a") for _ in range(3)]
    owner = _listen(hub, "generation", "gen_a")
    stranger = _listen(hub, "visitors", "gen_a", session="ses_b")
    hub.publish([stored_event(1)])
    await _delivered()
    assert [[frame.data for frame in one.take()] for one in visitors] == [[b"visitor 1"]] * 3
    assert made == [1]
    assert [frame.data for frame in owner.take()] == [b"owner 1"]
    assert stranger.take() == []
    hub.close()


async def test_a_key_can_be_ended_and_only_that(hub):
    ended, other = _listen(hub, "visitors", "gen_a"), _listen(hub, "visitors", "gen_b")
    hub.end(("visitors", "gen_a"))
    await _delivered()
    assert (ended.closed, other.closed) == (True, False)


async def test_without_an_encoding_for_visitors_they_are_told_nothing(hub):
    visitor = _listen(hub, "visitors", "gen_a")
    hub.publish([stored_event(1)])
    await _delivered()
    assert b"".join(frame.data for frame in visitor.take()) == b""
