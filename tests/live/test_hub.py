"""Fan-out to subscribers: order, isolation, conflation for slow readers, and the end."""

import asyncio
import threading

import pytest

from tests.support.rows import stored_event
from videogen.live.hub import MAX_PENDING, EncodedEvent, Hub

TIMEOUT = 20
"""Seconds after which a wait has failed."""


@pytest.fixture
async def hub():
    hub = Hub(lambda event: b"%d" % event.id)
    hub.open()
    yield hub
    hub.close()


def _subscribe(hub, kind="session", value="ses_a", session="ses_a"):
    return hub.subscribe(session, (kind, value))


async def _ids(subscription):
    """The ids of the pending events, or of those that come next."""
    events = subscription.take()
    if not events and not subscription.closed:
        async with asyncio.timeout(TIMEOUT):
            await subscription.wait()
        events = subscription.take()
    return [event.id for event in events]


async def _delivered():
    """Let the loop deliver what was published before."""
    await asyncio.sleep(0)


async def test_events_arrive_in_order_and_once(hub):
    subscription = _subscribe(hub)
    for number in range(1, 6):
        hub.publish([stored_event(number)])
    await _delivered()
    assert await _ids(subscription) == [1, 2, 3, 4, 5]
    assert subscription.take() == []


async def test_events_of_one_commit_arrive_together_in_order(hub):
    subscription = _subscribe(hub)
    hub.publish([stored_event(1), stored_event(2, "gen_b"), stored_event(3)])
    assert await _ids(subscription) == [1, 2, 3]


async def test_publishing_from_another_thread_wakes_a_waiting_subscriber(hub):
    subscription = _subscribe(hub)
    waiting = asyncio.create_task(_ids(subscription))
    await _delivered()
    thread = threading.Thread(target=hub.publish, args=([stored_event(1)],))
    thread.start()
    assert await waiting == [1]
    thread.join()


async def test_each_scope_receives_only_its_own_events(hub):
    expected = {
        ("session", "ses_a"): [1, 2, 3],
        ("project", "prj_a"): [1, 2],
        ("generation", "gen_a"): [1],
        ("generation", "gen_none"): [],
    }
    subscriptions = {key: hub.subscribe("ses_a", key) for key in expected}
    hub.publish(
        [
            stored_event(1, "gen_a"),
            stored_event(2, "gen_b"),
            stored_event(3, "gen_c", project="prj_b"),
            stored_event(4, "gen_d", session="ses_b", project="prj_c"),
        ]
    )
    await _delivered()
    for key, ids in expected.items():
        assert [event.id for event in subscriptions[key].take()] == ids


async def test_another_session_receives_nothing_even_with_the_right_key(hub):
    other_session = _subscribe(hub, "generation", "gen_a", session="ses_b")
    hub.publish([stored_event(1, "gen_a")])
    await _delivered()
    assert other_session.take() == []


async def test_an_event_is_encoded_once_for_all_its_subscribers():
    encoded = []
    hub = Hub(lambda event: encoded.append(event.id) or b"")
    hub.open()
    subscriptions = [_subscribe(hub), _subscribe(hub), _subscribe(hub, "generation", "gen_a")]
    hub.publish([stored_event(1)])
    for subscription in subscriptions:
        assert await _ids(subscription) == [1]
    assert encoded == [1]
    hub.publish([stored_event(2, "gen_b", session="ses_b", project="prj_b")])
    await _delivered()
    assert encoded == [1], "an event without a subscriber is not encoded"
    hub.close()


async def test_a_slow_reader_loses_progress_but_no_terminal_event_and_not_the_latest(hub):
    slow = _subscribe(hub)
    terminal = {100: "render_result", 150: "error"}
    for number in range(1, 301):
        hub.publish([stored_event(number, f"gen_{number % 3}", terminal.get(number, "render_progress"))])
    await _delivered()
    ids = [event.id for event in slow.take()]
    assert ids == sorted(set(ids))
    assert len(ids) <= MAX_PENDING
    assert {100, 150} <= set(ids)
    assert {298, 299, 300} <= set(ids)


async def test_every_terminal_event_is_kept(hub):
    slow = _subscribe(hub)
    for number in range(1, 4 * MAX_PENDING):
        hub.publish([stored_event(number, f"gen_{number}", "render_result")])
    await _delivered()
    assert [event.id for event in slow.take()] == list(range(1, 4 * MAX_PENDING))


async def test_a_slow_reader_does_not_slow_another(hub):
    slow, fast = _subscribe(hub), _subscribe(hub)
    received = []
    for number in range(1, 3 * MAX_PENDING):
        hub.publish([stored_event(number)])
        received += await _ids(fast)
    assert received == list(range(1, 3 * MAX_PENDING))
    assert 0 < len(slow.take()) <= MAX_PENDING


async def test_up_to_the_limit_no_pending_event_is_dropped(hub):
    subscription = _subscribe(hub)
    for number in range(1, MAX_PENDING + 1):
        hub.publish([stored_event(number)])
    await _delivered()
    assert await _ids(subscription) == list(range(1, MAX_PENDING + 1))


async def test_a_subscriber_without_events_is_woken_before_the_heartbeat_has_passed():
    hub = Hub(lambda event: b"", heartbeat=0.03)
    hub.open()
    subscription = _subscribe(hub)
    assert not subscription.heartbeat_is_due
    assert await _ids(subscription) == []
    assert subscription.heartbeat_is_due
    hub.close()


async def test_a_closed_subscription_receives_nothing_and_closing_is_safe_to_repeat(hub):
    subscription, other = _subscribe(hub), _subscribe(hub)
    assert hub.subscriber_count == 2
    subscription.close()
    subscription.close()
    assert hub.subscriber_count == 1
    hub.publish([stored_event(1)])
    assert await _ids(other) == [1]
    assert await _ids(subscription) == []


async def test_closing_the_hub_ends_every_subscription_and_refuses_new_ones(hub):
    waiting = [asyncio.create_task(_ids(_subscribe(hub))) for _ in range(3)]
    await _delivered()
    assert hub.subscriber_count == 3
    hub.close()
    hub.close()
    assert await asyncio.gather(*waiting) == [[], [], []]
    assert hub.subscriber_count == 0
    late = _subscribe(hub)
    assert late.closed
    assert await _ids(late) == []


async def test_a_closed_hub_delivers_nothing(hub):
    subscription = _subscribe(hub)
    hub.close()
    hub.publish([stored_event(1)])
    await _delivered()
    assert subscription.take() == []


def test_publishing_after_the_loop_has_ended_is_safe():
    encoded = []
    hub = Hub(lambda event: encoded.append(event) or b"")

    async def run():
        hub.open()
        return _subscribe(hub)

    subscription = asyncio.run(run())
    hub.publish([stored_event(1)])
    assert (subscription.take(), encoded) == ([], [])


async def test_visitors_get_an_encoding_of_their_own_made_once_for_all():
    encoded = []

    def encode_for_visitors(event):
        encoded.append(event.id)
        return b"visitor %d" % event.id

    hub = Hub(lambda event: b"owner %d" % event.id, encode_for_visitors)
    hub.open()
    visitors = [_subscribe(hub, "visitors", "gen_a") for _ in range(3)]
    owner = _subscribe(hub, "generation", "gen_a")
    other_session = _subscribe(hub, "visitors", "gen_a", session="ses_b")
    hub.publish([stored_event(1)])
    await _delivered()
    assert [[event.data for event in visitor.take()] for visitor in visitors] == [[b"visitor 1"]] * 3
    assert encoded == [1]
    assert [event.data for event in owner.take()] == [b"owner 1"]
    assert other_session.take() == []
    hub.close()


async def test_ending_a_key_ends_only_its_subscriptions(hub):
    ended, other = _subscribe(hub, "visitors", "gen_a"), _subscribe(hub, "visitors", "gen_b")
    hub.end(("visitors", "gen_a"))
    await _delivered()
    assert (ended.closed, other.closed) == (True, False)


async def test_what_one_process_ends_or_reports_reaches_the_hubs_of_all(hub):
    here, there = hub, Hub(lambda event: b"%d" % event.id)
    there.open()
    here.send = there.send = lambda command: [one.receive(command) for one in (here, there)]
    ended, kept = _subscribe(there, "visitors", "gen_ä"), _subscribe(there, "session", "ses_a")
    exported = _subscribe(there, "export", "exp_a")
    here.end(("visitors", "gen_ä"))
    here.retention_changed("ses_a", ["gen_b"])
    here.push(("export", "exp_a"), EncodedEvent(3, "", True, "ü".encode()))
    await _delivered()
    assert (ended.closed, kept.closed) == (True, False)
    assert kept.take_notices() == b'event: retention\ndata: {"removed":["gen_b"]}\n\n'
    assert exported.take() == [EncodedEvent(3, "", True, "ü".encode())]
    here.end_session("ses_a")
    await _delivered()
    assert (kept.closed, exported.closed) == (True, True)
    there.close()


async def test_after_a_break_of_the_connection_to_the_others_all_streams_end(hub):
    one = _subscribe(hub, "session", "ses_a")
    hub.receive("")
    await _delivered()
    assert one.closed
    assert not _subscribe(hub, "session", "ses_a").closed


async def test_without_an_encoding_for_visitors_they_receive_empty_events(hub):
    visitor = _subscribe(hub, "visitors", "gen_a")
    hub.publish([stored_event(1)])
    await _delivered()
    assert [event.data for event in visitor.take()] == [b""]
