"""Attacks on open pages: by whoever knows the session hash of one, and by many joins that nobody reads."""

import json
import secrets
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.support.api import connect

UNREAD_SECONDS = 2
READ_TIMEOUT = 20
SUBMITS = 2
"""In a year, of one address."""


@pytest.fixture(scope="module")
def app(module_app):
    limits = {"max_streams_per_session": 20, "max_streams_per_address": 64, "rate_submits": f"{SUBMITS}/365 days"}
    server = {"page": True, "workers": 0, "trusted_proxies": "127.0.0.1", "test_unread_seconds": UNREAD_SECONDS}
    return module_app(**server, **limits)


@pytest.fixture(scope="module")
def config(app):
    """What Gradio's page is made of."""
    with connect(app.base_url) as http:
        return http.get("/config").json()


@pytest.fixture(scope="module")
def handlers(config):
    """The numbers of the page's handlers, by their name in Python."""
    return {one["api_name"]: one["id"] for one in config["dependencies"]}


class Visitor:
    """Somebody with a browser, at an address of their own."""

    def __init__(self, app, handlers, address) -> None:
        self._watch, self._act = handlers["watch"], handlers["act"]
        headers = {"X-Forwarded-For": address, "Origin": app.base_url, "Sec-Fetch-Site": "same-origin"}
        self.http = connect(app.base_url)
        self.http.headers.update(headers)
        self.token = self.http.post("/api/v1/sessions").json()["token"]
        self.hash = secrets.token_hex(6)

    def with_cookie(self):
        self.http.cookies.set("videogen_session", self.token)
        return self

    def call(self, path, session_hash, token, handler):
        body = {"data": [{"token": token}], "session_hash": session_hash, "fn_index": handler}
        event = {"event_data": {"do": "close-notice"}, "trigger_id": None}
        return self.http.post(f"/gradio_api/{path}", json=body | event)

    def join(self, session_hash=None, token=None):
        return self.call("queue/join", session_hash or self.hash, token, self._watch)

    def click(self, session_hash=None, token=None):
        return self.call("run/act", session_hash or self.hash, token, self._act)

    def gets_a_frame(self, messages):
        """Do something that the page shows at once."""
        assert self.click(token=self.token).status_code == 200
        return frame(messages)

    @contextmanager
    def reading(self, session_hash=None):
        """The answer to `queue/data`, and what its messages hold."""
        with self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": session_hash or self.hash}
        ) as answer:
            yield answer, (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line)

    def refused_to_read(self, session_hash):
        with self.reading(session_hash) as (answer, _):
            return answer.read() and answer.status_code, answer.json()["code"]


def frame(messages):
    """The next frame of the page."""
    return next(message for message in messages if message["msg"] == "process_generating" and message["success"])


@pytest.fixture
def visitor(app, handlers):
    """Makes visitors, each at another address."""
    made = []

    def make(address=None):
        made.append(Visitor(app, handlers, address or f"198.51.100.{len(made) + 1}"))
        return made[-1]

    yield make
    for one in made:
        one.http.close()


def refused(answer):
    return answer.status_code, answer.json()["code"], answer.headers["content-type"]


FOREIGN = (403, "foreign_page", "application/problem+json")


@pytest.mark.parametrize("cookies", [True, False], ids=["cookies", "no cookies"])
def test_who_knows_the_hash_of_a_page_can_do_nothing_with_it(visitor, cookies):
    victim, attacker = visitor(), visitor()
    if cookies:
        victim.with_cookie()
        attacker.with_cookie()
    assert victim.join(token=victim.token).status_code == 200
    # Before the victim reads, and while it does.
    assert attacker.refused_to_read(victim.hash) == FOREIGN[:2]
    with victim.reading() as (answer, messages):
        assert answer.status_code == 200
        frame(messages)
        for token in (None, attacker.token, "guess"):
            assert refused(attacker.join(victim.hash, token)) == FOREIGN
            assert refused(attacker.click(victim.hash, token)) == FOREIGN
        assert attacker.refused_to_read(victim.hash) == FOREIGN[:2]
        # Gradio's own ways to end a page's events.
        assert attacker.http.get(f"/gradio_api/heartbeat/{victim.hash}").status_code == 404
        event = {"session_hash": victim.hash, "fn_index": 0, "event_id": "x"}
        assert attacker.http.post("/gradio_api/cancel", json=event).status_code == 404
        # Nobody was disturbed.
        victim.gets_a_frame(messages)


def test_a_page_with_a_cookie_is_not_read_without_one(visitor):
    victim = visitor().with_cookie()
    victim.join(token=victim.token)
    neighbour = visitor("198.51.100.1")
    assert neighbour.refused_to_read(victim.hash) == FOREIGN[:2]


def test_a_page_without_cookies_is_read_once_and_from_its_own_address(visitor):
    victim, neighbour, stranger = visitor(), visitor("198.51.100.1"), visitor()
    victim.join(token=victim.token)
    assert stranger.refused_to_read(victim.hash) == FOREIGN[:2]
    with victim.reading() as (answer, messages):
        assert answer.status_code == 200
        assert neighbour.refused_to_read(victim.hash) == FOREIGN[:2]
        frame(messages)


def test_the_token_is_not_sent_to_who_brought_it_and_else_until_it_comes_back(visitor):
    known, new = visitor(), visitor().with_cookie()
    known.join(token=known.token)
    with known.reading() as (_, messages):
        assert known.token not in json.dumps(frame(messages))
    new.join()
    with new.reading() as (_, messages):
        assert new.token in json.dumps(frame(messages))
        # A click brings it back; frames that were made before may still hold it.
        while new.token in json.dumps(new.gets_a_frame(messages)):
            pass


def test_the_hash_of_a_page_that_has_gone_is_anybodys_again_and_shows_its_own_session(visitor):
    first, second = visitor(), visitor()
    first.join(token=first.token)
    with first.reading() as (_, messages):
        frame(messages)
    deadline = time.monotonic() + READ_TIMEOUT
    while (answer := second.join(first.hash, second.token)).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code == 200


class Form:
    """The page's form as it is at first, found by the ids of its elements."""

    def __init__(self, config) -> None:
        components = {one["id"]: one for one in config["components"]}
        ids = {one["props"].get("elem_id"): number for number, one in components.items()}
        click = [ids["generate"], "click"]
        self._handler = next(one for one in config["dependencies"] if click in one["targets"] and one["backend_fn"])
        self._inputs = [components[number] for number in self._handler["inputs"]]

    def press_generate(self, visitor):
        key = secrets.token_hex(8)
        data = [key if one["type"] == "browserstate" else one["props"].get("value") for one in self._inputs]
        data[[one["props"].get("elem_id") for one in self._inputs].index("prompt")] = "a calm sea"
        data[-1] = {"token": visitor.token, "key": key}
        body = {"data": data, "session_hash": visitor.hash, "fn_index": self._handler["id"]}
        answer = visitor.http.post("/gradio_api/run/generate", json=body | {"event_data": None, "trigger_id": None})
        assert answer.status_code == 200, answer.text

    def generations_after_it(self, visitor):
        """How many generations a visitor has, whose page is open, who has pressed Generate."""
        visitor.join(token=visitor.token)
        with visitor.reading() as (_, messages):
            frame(messages)
            self.press_generate(visitor)
        headers = {"Authorization": f"Bearer {visitor.token}"}
        return len(visitor.http.get("/api/v1/generations", headers=headers).json()["items"])


def test_generate_on_the_page_counts_for_the_address_of_its_visitor(visitor, config):
    form, address = Form(config), "192.0.2.100"
    first, second, third, elsewhere = visitor(address), visitor(address), visitor(address), visitor("192.0.2.200")
    assert [form.generations_after_it(one) for one in (first, second, third, elsewhere)] == [1, 1, 0, 1]
    # It is the count of the API, and the page's own address has used nothing of it.
    headers = {"Authorization": f"Bearer {first.token}"}
    refusal = first.http.post("/api/v1/generations", json={"prompt": "a calm sea"}, headers=headers)
    assert (refusal.status_code, refusal.json()["code"]) == (429, "limit_exceeded")
    server = visitor("127.0.0.1")
    assert [form.generations_after_it(server) for _ in range(SUBMITS)] == [1, 2]


def descriptors(app):
    return psutil.Process(app.pid).num_fds()


def test_joins_that_nobody_reads_end_and_disturb_no_page(app, visitor):
    living, attacker = visitor(), visitor("192.0.2.1")
    living.join(token=living.token)
    with living.reading() as (_, messages):
        frame(messages)
        before = descriptors(app)
        # One address gets a small part of the places, many addresses get no place of a page that is read.
        allowed = 0
        while (answer := attacker.join(secrets.token_hex(6))).status_code == 200:
            allowed += 1
        assert allowed >= 64
        assert refused(answer) == (429, "limit_exceeded", FOREIGN[2])
        assert int(answer.headers["retry-after"]) > 0
        for number in range(40):
            attacker.http.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            assert attacker.join(secrets.token_hex(6)).status_code == 200
        another = visitor()
        assert another.join(token=another.token).status_code == 200
        with another.reading() as (answer, news):
            assert answer.status_code == 200
            frame(news)
        living.gets_a_frame(messages)
        # They end, so that the address has its places again.
        attacker.http.headers["X-Forwarded-For"] = "192.0.2.1"
        deadline = time.monotonic() + READ_TIMEOUT
        while (answer := attacker.join(secrets.token_hex(6))).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert answer.status_code == 200
        another.http.close()
        while descriptors(app) > before + 10 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert descriptors(app) <= before + 10, "a few connections are kept for the next visitor"
    assert "Traceback" not in app.log
