"""Somebody registers a webhook to reach what only the server can reach, or to keep the server busy."""

import asyncio
import socket
import threading

import pytest

from tests.support.receiver import Receiver
from videogen.core import addresses
from videogen.core.errors import InvalidRequestError
from videogen.services import webhook_requests
from videogen.services.webhook_requests import MAX_TEXT, Message, WebhookHosts, send

MESSAGE = Message(b"{}", {"Content-Type": "application/json"})
PUBLIC = "203.0.114.9"


def post(url, hosts=()):
    return asyncio.run(send(url, MESSAGE, WebhookHosts(hosts)))


@pytest.fixture
def names(monkeypatch):
    """Answers for host names, in turn; each look-up is counted."""
    asked = []

    def answer(**known):
        def getaddrinfo(host, *_args, **_options):
            asked.append(host)
            found = known[host.partition(".")[0]]
            address = found.pop(0) if len(found) > 1 else found[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

        monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00::1]/",
        "https://[fe80::1%25eth0]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
    ],
)
def test_private_addresses_are_refused_in_every_spelling(url):
    with pytest.raises(InvalidRequestError):
        WebhookHosts(()).check(url)
    assert post(url).status is None


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "gopher://93.184.215.14/_x",
        "https:///nothing",
        "https://user:password@93.184.215.14/",
        "https://93.184.215.14@127.0.0.1/",
        "https://93.184.215.14/#127.0.0.1",
        "https://93.184.215.14:22/",
        "https://93.184.215.14:25/",
        "https://93.184.215.14:99999/",
        "https://93.184.215.14:0/",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: other",
        f"https://93.184.215.14/{'a' * 2000}",
        "not an address",
    ],
)
def test_other_schemes_users_fragments_and_ports_are_refused(url):
    with pytest.raises(InvalidRequestError):
        WebhookHosts(()).check(url)


@pytest.mark.parametrize(
    "url", ["https://93.184.215.14/a?b=c", "https://93.184.215.14:8443/", "https://[2606:4700::1]/"]
)
def test_public_https_is_allowed(url):
    WebhookHosts(()).check(url)


def test_a_named_host_may_be_private_and_http_and_no_other_is(names):
    names(hooks=["10.0.0.5"], other=["10.0.0.5"])
    hosts = WebhookHosts(["*.example.org"])
    hosts.check("http://hooks.example.org:81/")
    with pytest.raises(InvalidRequestError):
        hosts.check("https://other.example.net/")


def test_a_host_with_a_public_and_a_private_address_is_refused(monkeypatch):
    monkeypatch.setattr(webhook_requests, "resolve", lambda _host: [PUBLIC, "10.0.0.1"])
    with pytest.raises(InvalidRequestError):
        WebhookHosts(()).check("https://hooks.example.org/")


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(names):
    with Receiver() as receiver, Receiver() as other:
        # Rebinding: whoever looks up again gets another machine.
        asked = names(hooks=["127.0.0.1", "127.0.0.2"])
        assert other.port != receiver.port
        attempt = post(f"http://hooks.example.org:{receiver.port}/", ["hooks.example.org"])
        assert attempt.ok
        assert asked == ["hooks.example.org"]
        headers, _ = receiver.messages.get(timeout=30)
        assert headers["host"] == f"hooks.example.org:{receiver.port}"


def test_a_name_that_became_private_since_it_was_registered_is_not_asked(names):
    with Receiver() as receiver:
        names(hooks=["93.184.215.14", "127.0.0.1"])
        url = f"https://hooks.example.org:{receiver.port}/"
        WebhookHosts(()).check(url)
        assert "private" in post(url).text
        assert receiver.messages.empty()


def test_redirects_are_not_followed():
    with Receiver() as receiver, Receiver() as inside:
        receiver.status, receiver.headers = 307, {"Location": inside.url}
        attempt = post(receiver.url, ["127.0.0.1"])
        assert (attempt.ok, attempt.status, attempt.text) == (
            False,
            307,
            "The answer is a redirect, which is not followed.",
        )
        assert inside.messages.empty()


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with Receiver() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert post(receiver.url, ["127.0.0.1"]).ok


def test_a_large_answer_is_not_read_to_its_end_and_little_of_it_is_kept():
    written = []

    def answer(stream):
        try:
            for _ in range(160):
                stream.write(b"\x1b[31m" + b"x" * 65_531)
                written.append(1)
        except OSError:
            pass

    with Receiver() as receiver:
        receiver.status, receiver.answer = 200, answer
        attempt = post(receiver.url, ["127.0.0.1"])
        assert attempt.ok
        assert len(attempt.text) <= MAX_TEXT
        assert "\x1b" not in attempt.text
    assert len(written) < 160, "the sender hangs up long before 10 MB"


def test_a_compressed_answer_is_not_unpacked():
    with Receiver() as receiver:
        receiver.status, receiver.headers = 200, {"Content-Encoding": "gzip"}
        receiver.body = b"\x1f\x8b" + b"not really gzip"
        assert post(receiver.url, ["127.0.0.1"]).ok
        assert receiver.messages.get(timeout=30)[0]["accept-encoding"] == "identity"


def test_a_receiver_that_sends_a_byte_now_and_then_is_left_in_time(monkeypatch):
    monkeypatch.setattr(webhook_requests, "SECONDS", 0.3)
    released = []

    def answer(stream):
        while not released:
            stream.write(b".")
            stream.flush()
            receiver.pause.wait(0.05)

    with Receiver() as receiver:
        receiver.status, receiver.answer = 200, answer
        receiver.pause = threading.Event()
        attempt = post(receiver.url, ["127.0.0.1"])
        released.append(True)
        receiver.pause.set()
    assert attempt.status is None
    assert "no complete answer" in attempt.text


def test_where_nobody_listens_the_reason_is_in_words():
    with Receiver() as receiver:
        url = receiver.url
    assert post(url, ["127.0.0.1"]).text.startswith("There was no answer")
