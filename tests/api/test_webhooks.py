"""Webhooks over HTTP: the whole way from a submit to a verified message, and who may see one."""

import pytest
from standardwebhooks import Webhook

from tests.support.api import Session
from tests.support.app import App
from tests.support.receiver import Receiver


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """A server whose webhooks may reach this machine."""
    with App(tmp_path_factory.mktemp("webhooks"), ("bars",), webhook_hosts="127.0.0.1") as app:
        yield app


def test_a_submit_ends_as_a_verified_message_also_after_a_restart(telling):
    with Receiver() as receiver, Session(telling.base_url) as session:
        made = session.post("/webhooks", json={"url": receiver.url}).json()
        receiver.status = [500, 200, 200]
        generation = session.submit("bars")
        first, message = receiver.next(made["secret"])
        assert message["data"]["id"] == generation["id"]
        # The first answer was 500: what is still to be sent outlives the server.
        telling.restart()
        again, message = receiver.next(made["secret"])
        assert again == first
        assert message["type"] == "generation.completed"
        assert session.http.get(message["data"]["videoUrl"]).status_code == 200
        tested = session.post(f"/webhooks/{made['id']}/test").json()
        assert (tested["ok"], tested["status"]) == (True, 200)
        message = receiver.next(made["secret"])[1]
        assert (message["type"], message["data"]) == ("webhook.test", None)


def test_it_is_the_owners_alone_and_its_secret_is_shown_once(session_of):
    owner, other = session_of(), session_of()
    made = owner.post("/webhooks", json={"url": "https://93.184.215.14/hook"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    Webhook(made.json()["secret"])
    (listed,) = owner.get("/webhooks").json()["items"]
    assert "secret" not in listed
    assert other.get("/webhooks").json() == {"items": []}
    unknown = other.delete("/webhooks/whk_unknown").json()
    path = f"/webhooks/{listed['id']}"
    for refused in (other.delete(path), other.post(f"{path}/test")):
        assert (refused.status_code, refused.json()) == (404, unknown)
    assert owner.delete(path).status_code == 204
    assert owner.get("/webhooks").json() == {"items": []}


def test_a_private_address_is_refused_without_saying_what_is_there(session):
    for url in ("https://127.0.0.1/", "https://no-such-host.invalid/"):
        refused = session.post("/webhooks", json={"url": url})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["expected"] == "an address whose host is found on the public internet"
