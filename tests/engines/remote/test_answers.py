"""Answers of any size, speed and form are bounded: none fills the memory, lasts for ever, or ends in a traceback."""

import gzip

import httpx
import orjson
import pytest

from videogen.engines.remote import answers
from videogen.engines.remote.answers import bounded_events, error_text, read_body, retry_after
from videogen.engines.remote.download import Download
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.options import RemoteOptions
from videogen.engines.remote.provider import (
    MAX_RETRY_AFTER,
    Answer,
    Provider,
    RemoteFault,
    ResultFile,
    Submitted,
    Update,
)  # fmt: skip

LIMIT = 1000
BASE = "https://api.example.com"


class Chunks(httpx.SyncByteStream):
    """A body as it comes, and how many of its chunks were read."""

    def __init__(self, *chunks):
        self.chunks, self.read = chunks, 0

    def __iter__(self):
        for chunk in self.chunks:
            self.read += 1
            yield chunk


def response(*chunks, encoding=""):
    return httpx.Response(200, headers={"content-encoding": encoding} if encoding else {}, stream=Chunks(*chunks))


def test_a_body_is_read_whole_also_if_a_gateway_compresses_it():
    assert read_body(response(b"a", b"b"), 5) == b"ab"
    assert read_body(response(gzip.compress(b"abc"), encoding="gzip"), 5) == b"abc"


@pytest.mark.parametrize(
    ("chunks", "encoding", "words"),
    [
        ([b"x" * 600] * 100, "", "too large"),
        ([gzip.compress(b"x" * 50_000_000)] * 2, "gzip", "too large"),
        ([b"no gzip"], "gzip", "broken"),
        ([b"x"], "br", "not asked for"),
    ],
)
def test_a_body_that_is_too_large_or_in_another_form_is_a_fault_of_the_server(chunks, encoding, words):
    given = response(*chunks, encoding=encoding)
    with pytest.raises(RemoteFault, match=words) as caught:
        read_body(given, 5, LIMIT)
    assert caught.value.kind == "server"
    assert given.stream.read <= 2, "it is read no further"


def test_a_body_that_comes_slowly_ends_by_its_time(monkeypatch):
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr(answers.time, "monotonic", lambda: next(seconds))
    given = response(*[b"x"] * 100)
    with pytest.raises(RemoteFault, match="too slow"):
        read_body(given, 5)
    assert given.stream.read <= 4


def test_events_may_be_many_but_none_may_be_large(monkeypatch):
    monkeypatch.setattr(answers, "MAX_EVENT", LIMIT)
    many = [b"data: " + b"x" * 500 + b"\n", b"\n"] * 50
    assert b"".join(bounded_events(response(*many)).iter_raw()) == b"".join(many)
    endless = response(*[b"x" * 500] * 50)
    stream = endless.stream
    with pytest.raises(RemoteFault, match="event of its stream was too large"):
        list(bounded_events(endless).iter_raw())
    assert stream.read == 3
    with pytest.raises(RemoteFault, match="compressed"):
        bounded_events(response(b"", encoding="gzip"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("9" * 30, MAX_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
        ("-1", None),
        ("soon", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
    ],
)
def test_a_wait_that_is_asked_for_is_a_day_at_most(value, seconds):
    assert RemoteFault("rate_limit", retry_after=retry_after({"retry-after": value})).retry_after == seconds


def test_an_error_that_is_nested_without_end_has_no_text():
    nested = "deep"
    for _ in range(500):
        nested = {"error": nested}
    assert error_text(Answer(500, {}, "", nested)) == ""


@pytest.mark.parametrize(
    "make",
    [
        lambda: Update(3),
        lambda: Update("running", step="4"),
        lambda: Update("running", position="first"),
        lambda: ResultFile(None),
        lambda: Submitted(id="x" * 1001),
    ],
)
def test_a_value_of_another_type_is_noticed_while_the_answer_is_read(make):
    with pytest.raises((TypeError, ValueError)):
        make()


class _Own(Provider):
    name, states = "Own", {}

    def submit(self, http, job):
        raise NotImplementedError

    def poll(self, http, job, sent):
        raise NotImplementedError


def client(answer, key="", **options):
    """For an API that answers so."""
    connections = Connections(_Own(), RemoteOptions(base_url=BASE, **options), key)
    connections.client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    return HttpClient(connections, lambda _: None, 0.0)


@pytest.mark.parametrize("place", ["http://[", "https://api.example.com:99999999/", "\x00"])
def test_a_redirect_to_no_address_is_a_fault(place):
    answer = httpx.Response(302, headers={"location": place})
    with pytest.raises(RemoteFault):
        client(answer).get("/jobs")


def test_a_key_is_cut_out_in_whatever_form_json_has_it():
    key = 'se"cr\\et'
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    for body in (orjson.dumps({"detail": f"wrong {key}"}), f'{{"detail": "wrong {escaped}"}}'.encode()):
        found = client(response(body), key).get("/jobs").json
        assert found == {"detail": "wrong ***"}


def test_a_result_that_comes_byte_by_byte_ends_by_its_time(tmp_path):
    body = Chunks(*[b"\x00"] * 1_000_000)
    http = client(httpx.Response(200, stream=body), download_seconds=0.05)
    download = Download(http.connections, http, lambda _: None, 0.0)
    with pytest.raises(RemoteFault, match="took more than"):
        download.fetch(ResultFile(f"{BASE}/a.mp4"), tmp_path / "a.mp4", lambda *_: None)
    assert 0 < body.read < 1_000_000
    assert list(tmp_path.iterdir()) == []
