"""Webhooks: a message is stored with its event, signed, sent until it is taken, and given up visibly."""

import asyncio
import threading
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from tests.support.receiver import Receiver
from tests.support.rows import result
from videogen.core.config import AppConfig
from videogen.core.errors import LimitExceededError, NotFoundError
from videogen.core.security import Signer
from videogen.schemas.generations import Attention
from videogen.schemas.webhooks import WebhookCreate
from videogen.services.serializers import Serializer
from videogen.services.visitor_limits import RateLimits
from videogen.services.webhooks import DELAYS, MAX_RETRY_AFTER, WebhookService
from videogen.store import Fence, Store, Unknown

BASE = "https://video.example.org"


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def service_of(store):
    """The service of an app; another store on the same database stands for another process."""

    def make(store=store, **settings):
        config = AppConfig(webhook_hosts="127.0.0.1", **settings)
        signer = Signer(b"a secret of the app")
        parts = SimpleNamespace(config=config, store=store, signer=signer, serializer=Serializer(signer, ""))
        return WebhookService(parts, RateLimits(config))

    return make


@pytest.fixture
def service(service_of):
    return service_of()


def add(service, session_id, url, **options):
    return service.create(session_id, WebhookCreate(url=url, **options), BASE, "203.0.113.7")


def deliver(service):
    """Send what is due; return how many messages that were."""
    count = 0
    while claimed := service.claim(set()):
        for one in claimed:
            asyncio.run(service.deliver(one))
            count += 1
    return count


@pytest.fixture
def end(store, queue, submit):
    """Submits a generation of a session and lets it end: completed, failed, cancelled, or parked."""

    def end(session_id, how="completed"):
        row = submit(session_id)
        if how == "cancelled":
            store.cancel_generation(session_id, row.id)
            return row
        fence = Fence(row.id, queue.claim("worker").attempt)
        if how == "completed":
            store.complete(fence, result(row))
        elif how == "failed":
            store.fail(fence, "render_failed", "No light.", retryable=True)
        else:
            store.park(fence, Unknown("Its fate is not known.", Attention(provider_id="job-1")))
        return row

    return end


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled", "needs_attention"])
def test_each_end_and_a_need_of_attention_is_sent_with_the_generation(service, receiver, end, alice, state):
    secret = add(service, alice, receiver.url).secret
    row = end(alice, state)
    assert deliver(service) == 1
    message_id, message = receiver.next(secret)
    assert message["type"] == f"generation.{state}"
    data = message["data"]
    assert (data["id"], data["prompt"]) == (row.id, row.prompt)
    assert "sessionId" not in data
    if state == "completed":
        assert data["videoUrl"].startswith(f"{BASE}/media/fil_")
    if state == "failed":
        assert data["error"]["code"] == "render_failed"
    if state == "needs_attention":
        assert (data["status"], data["stage"]) == ("processing", "needs_attention")
    (listed,) = service.list(alice).items
    assert (listed.pending, listed.last.ok, listed.last.status, listed.disabled) == (0, True, 204, None)
    assert message_id.startswith("msg_")
    assert deliver(service) == 0


def test_the_signature_is_of_this_webhook_and_of_this_body(service, receiver, end, alice, bob):
    secret = add(service, alice, receiver.url).secret
    other = add(service, bob, receiver.url).secret
    end(alice)
    deliver(service)
    headers, body = receiver.messages.get(timeout=30)
    Webhook(secret).verify(body, headers)
    for key, changed in ((other, body), (secret, body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(changed, headers)


def test_the_operators_key_signs_all_and_is_shown_to_nobody(service_of, receiver, end, alice):
    key = "whsec_b3BlcmF0b3JzIG93biBrZXksIGxvbmcgZW5vdWdo"
    service = service_of(webhook_secret=key)
    assert add(service, alice, receiver.url).secret is None
    end(alice)
    deliver(service)
    assert receiver.next(key)[1]["type"] == "generation.completed"


def test_a_webhook_hears_of_its_own_session_and_of_what_it_asked_for(service, receiver, end, alice, bob):
    secret = add(service, alice, receiver.url, events=["generation.failed"]).secret
    end(bob, "failed")
    end(alice, "completed")
    end(alice, "failed")
    assert deliver(service) == 1
    assert receiver.next(secret)[1]["type"] == "generation.failed"


def test_a_message_is_stored_in_the_transaction_of_its_event(service, receiver, store, submit, alice, monkeypatch):
    add(service, alice, receiver.url)
    row = submit(alice)

    def fail(*_):
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr("videogen.store.transitions.add_deliveries", fail)
        with pytest.raises(RuntimeError):
            store.cancel_generation(alice, row.id)
    assert store.get_generation(alice, row.id).status == "queued", "without its message there is no event either"
    store.cancel_generation(alice, row.id)
    assert service.list(alice).items[0].pending == 1


def test_it_is_sent_again_by_the_schedule_with_the_same_id_and_signed_anew_until_it_is_taken(
    service, receiver, end, alice, clock, monkeypatch
):
    secret = add(service, alice, receiver.url).secret
    receiver.status, receiver.body = [500, 503, 200], b"not now"
    end(alice)
    ids, stamps, signatures = [], [], []
    for wait in (0, *DELAYS[:2]):
        assert deliver(service) == (wait == 0), "not before its time"
        clock.now += wait * 1.1 + 0.01
        now = time.time() + len(ids)
        monkeypatch.setattr("videogen.services.webhooks.time", SimpleNamespace(time=lambda now=now: now))
        deliver(service)
        headers, body = receiver.messages.get(timeout=30)
        Webhook(secret).verify(body, headers)
        ids.append(headers["webhook-id"])
        stamps.append(int(headers["webhook-timestamp"]))
        signatures.append(headers["webhook-signature"])
        last = service.list(alice).items[0].last
        assert last.text == "not now"
    assert len(set(ids)) == 1
    assert stamps[0] < stamps[1] < stamps[2], "a receiver refuses a message with an old time"
    assert len(set(signatures)) == 3
    assert last.ok
    clock.now += 1e6
    assert deliver(service) == 0


@pytest.mark.parametrize(
    ("status", "asked", "least"),
    [
        (503, "900", 900),
        (429, "in fifteen minutes", DELAYS[0]),
        (429, "a date", 900),
        (503, "1", DELAYS[0]),
        (503, "9" * 400, MAX_RETRY_AFTER),
        (500, "900", DELAYS[0]),
    ],
)
def test_a_receiver_that_asks_for_time_is_left_alone_for_it_within_bounds(
    service, receiver, end, alice, clock, status, asked, least
):
    add(service, alice, receiver.url)
    date = formatdate(time.time() + 1000, usegmt=True)
    receiver.status, receiver.headers = status, {"Retry-After": date if asked == "a date" else asked}
    end(alice)
    assert deliver(service) == 1
    clock.now += least - 1
    assert deliver(service) == 0
    clock.now += 0.25 * least + 1
    assert deliver(service) == 1


def test_after_a_day_of_failures_it_is_disabled_with_the_reason_and_a_test_enables_it(
    service, receiver, end, alice, clock
):
    webhook = add(service, alice, receiver.url)
    receiver.status, receiver.body = 500, b"broken"
    end(alice)
    end(alice, "failed")
    deliver(service)
    first = clock.now
    for wait in DELAYS:
        clock.now += wait * 1.1 + 0.01
        deliver(service)
    assert 24 * 3600 < clock.now - first < 36 * 3600
    (listed,) = service.list(alice).items
    assert "after 8 attempts; the last one: HTTP 500. broken" in listed.disabled
    assert listed.pending == 0
    end(alice)
    assert deliver(service) == 0, "nothing is stored for a disabled one"
    receiver.status = 200
    assert service.test(alice, webhook.id, "").ok
    assert service.list(alice).items[0].disabled is None
    end(alice)
    assert deliver(service) == 1


def test_one_message_that_is_never_taken_does_not_disable_a_webhook_that_works(service, receiver, end, alice, clock):
    add(service, alice, receiver.url)
    end(alice)
    receiver.status = 500
    deliver(service)
    receiver.status = 200
    end(alice)
    clock.now += 1
    deliver(service)
    receiver.status = 500
    for wait in DELAYS:
        clock.now += wait * 1.1 + 0.01
        deliver(service)
    (listed,) = service.list(alice).items
    assert (listed.disabled, listed.pending) == (None, 0)


def test_a_receiver_that_is_gone_is_asked_no_more(service, receiver, end, alice):
    add(service, alice, receiver.url)
    receiver.status = 410
    end(alice)
    deliver(service)
    assert "HTTP 410" in service.list(alice).items[0].disabled


def test_two_processes_never_send_the_same_message(service_of, receiver, end, alice, database, clock):
    services = [service_of(Store(database, clock)) for _ in range(2)]
    for _ in range(5):
        add(services[0], alice, receiver.url)
    end(alice)
    claimed = []
    threads = [threading.Thread(target=lambda one=one: claimed.extend(one.claim(set()))) for one in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.delivery.id for one in claimed}) == len(claimed) == 5


def test_what_a_process_claimed_before_it_died_is_sent_by_the_next_with_the_same_id(
    service, receiver, end, alice, clock
):
    add(service, alice, receiver.url)
    end(alice)
    (lost,) = service.claim(set())
    assert deliver(service) == 0, "it may still be sending"
    clock.now += 61
    assert deliver(service) == 1
    assert receiver.messages.get(timeout=30)[0]["webhook-id"] == lost.delivery.id
    # The first process lives after all: what it reports changes nothing.
    asyncio.run(service.deliver(lost))
    assert service.list(alice).items[0].pending == 0


def test_a_message_that_cannot_be_built_is_given_up_like_any_other(service, receiver, end, alice, clock, store, caplog):
    add(service, alice, receiver.url)
    end(alice)
    with store.database.write() as unit:
        unit.connection.exec_driver_sql("UPDATE deliveries SET snapshot = '{}'")
    for wait in (0, *DELAYS):
        clock.now += wait * 1.1 + 0.01
        deliver(service)
    assert "could not be built" in service.list(alice).items[0].disabled
    assert receiver.messages.empty()
    assert "could not be built" in caplog.text


def test_the_thread_sends_what_the_last_process_left_and_what_happens_now(service, receiver, end, alice):
    secret = add(service, alice, receiver.url).secret
    left = end(alice)
    service.sender.start()
    try:
        assert receiver.next(secret)[1]["data"]["id"] == left.id
        row = end(alice, "cancelled")
        assert receiver.next(secret)[1]["data"]["id"] == row.id
    finally:
        service.sender.stop()


def test_a_removed_webhook_and_a_deleted_generation_send_nothing(service, receiver, store, end, alice):
    webhook = add(service, alice, receiver.url)
    row = end(alice)
    store.delete_generation(alice, row.id)
    assert deliver(service) == 0
    end(alice)
    service.delete(alice, webhook.id)
    assert deliver(service) == 0
    assert service.list(alice).items == []


def test_a_session_sees_tests_and_removes_its_own_webhooks_only(service, receiver, alice, bob):
    webhook = add(service, alice, receiver.url)
    assert service.list(bob).items == []
    with pytest.raises(NotFoundError):
        service.delete(bob, webhook.id)
    with pytest.raises(NotFoundError):
        service.test(bob, webhook.id, "")


def test_a_session_has_five_webhooks_at_most(service, receiver, alice):
    for _ in range(5):
        add(service, alice, receiver.url)
    with pytest.raises(LimitExceededError, match="5 webhooks"):
        add(service, alice, receiver.url)


def test_tests_of_webhooks_are_limited(service, receiver, alice):
    webhook = add(service, alice, receiver.url)
    for _ in range(29):
        service.test(alice, webhook.id, "203.0.113.7")
    with pytest.raises(LimitExceededError):
        service.test(alice, webhook.id, "203.0.113.7")
