"""Limits for one visitor, attacked on real servers: what one address can take, and what others are left with."""

import hashlib
import hmac
import time
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
from starlette.testclient import TestClient

from tests.support.api import API, connect
from tests.support.app import environment
from tests.support.zips import picture_bytes
from videogen.core.config import AppConfig
from videogen.core.security import Signer
from videogen.server import create_app
from videogen.web.visitor import HEADER

SECRET = "the secret of page and API"
CLIENTS = []
"""Of the current test."""
ACTIVE, QUEUE, STREAMS, SUBMITS = 4, 12, 3, 6


def api(url, address=None, token=None, **headers):
    """A client behind a trusted proxy, which saw `address`."""
    headers |= {"X-Forwarded-For": address} if address else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    client = connect(url + API)
    client.headers.update(headers)
    CLIENTS.append(client)
    return client


def visitor(url, address, **headers):
    """The same, with a session of its own."""
    client = api(url, address, **headers)
    client.headers["Authorization"] = f"Bearer {client.post('/sessions').raise_for_status().json()['token']}"
    return client


def submit(client, **more):
    return client.post("/generations", json={"prompt": "a calm sea"} | more)


def refused(answer, words):
    """It is a 429 in words that name the limit, with the whole seconds after which to try again."""
    assert answer.status_code == 429, answer.text
    problem = answer.json()
    assert problem["code"] == "limit_exceeded"
    assert words in problem["detail"]
    assert int(answer.headers["retry-after"]) >= 1
    return True


def signed_header(address, secret=SECRET, at=None):
    key = Signer(secret.encode()).derive("visitor")
    stamped = f"{address} {int(time.time() if at is None else at)}"
    return {HEADER: f"{stamped} {hmac.digest(key.encode(), stamped.encode(), hashlib.sha256).hex()}"}


@pytest.fixture(scope="module")
def url(module_app):
    """Renders nothing, so that what is queued stays queued. Rates are of a year: no window ends within a test."""
    return module_app(
        workers=0,
        max_active_per_address=ACTIVE,
        max_active_per_session=ACTIVE,
        max_queue=QUEUE,
        max_streams_per_address=STREAMS,
        max_streams_per_session=STREAMS - 1,
        rate_sessions="5/365 days",
        rate_submits=f"{SUBMITS}/365 days",
        rate_claims="3/365 days",
        rate_uploads="2/365 days",
        secret_key=SECRET,
    ).base_url


@pytest.fixture(autouse=True)
def _clean_up(url):
    """What a test has queued is cancelled after it."""
    yield
    for client in CLIENTS:
        if not client.is_closed and "Authorization" in client.headers and str(client.base_url).startswith(url):
            for one in client.get("/generations", params={"status": "queued"}).json()["items"]:
                client.post(f"/generations/{one['id']}/cancel")
        client.close()
    CLIENTS.clear()


@pytest.fixture
def come(url):
    """Makes visitors with a session: `come("192.0.2.1")`."""
    return partial(visitor, url)


def test_one_address_cannot_fill_the_queue_with_many_sessions(come):
    attackers = [come("192.0.2.1") for _ in range(4)]
    answers = [submit(client) for client in attackers for _ in range(2)]
    assert [answer.status_code for answer in answers].count(201) == ACTIVE
    assert refused(answers[-1], "generations of one address")
    assert submit(come("192.0.2.2")).status_code == 201
    # What has ended gives its place back.
    first = attackers[0]
    assert first.post(f"/generations/{answers[0].json()['generations'][0]['id']}/cancel").is_success
    assert submit(attackers[3]).status_code == 201


def test_the_left_of_a_forwarded_chain_makes_no_other_visitor(come):
    clients = [come(f"8.8.8.{number}, 192.0.2.10") for number in range(3)]
    answers = [submit(client) for client in clients for _ in range(2)]
    assert [answer.status_code for answer in answers].count(201) == ACTIVE
    assert refused(answers[-1], "generations of one address")


def test_all_addresses_of_an_ipv6_network_are_one_visitor(come, url):
    answers = [api(url, f"[2001:db8:0:1::{number}]:443").post("/sessions") for number in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert refused(answers[-1], "at most 5 in 365 days from one address (VIDEOGEN_RATE_SESSIONS)")
    assert api(url, "2001:db8:0:2::1").post("/sessions").status_code == 201


@pytest.mark.parametrize(
    "header",
    [
        {HEADER: "8.8.8.8"},
        signed_header("8.8.8.8", "another secret of another host"),
        signed_header("8.8.8.8", at=time.time() - 3600),
        {HEADER: signed_header("192.0.2.99")[HEADER].replace("192.0.2.99", "8.8.8.8")},
    ],
    ids=["without a signature", "another key", "stale", "another address"],
)
def test_a_forged_visitor_header_counts_for_nobody_else(url, header, request):
    address = f"192.0.2.{20 + request.node.callspec.indices['header']}"
    answers = [api(url, address, **header).post("/sessions") for _ in range(6)]
    assert refused(answers[-1], "RATE_SESSIONS")


def test_the_header_of_the_page_counts_for_its_visitor(url):
    answers = [api(url, "192.0.2.30", **signed_header(f"8.8.8.{number}")).post("/sessions") for number in range(8)]
    assert all(answer.status_code == 201 for answer in answers)
    answers = [api(url, **signed_header("8.8.4.4")).post("/sessions") for _ in range(6)]
    assert refused(answers[-1], "RATE_SESSIONS")


def test_loopback_is_not_exempt(url):
    answers = [api(url).post("/sessions") for _ in range(6)]
    assert refused(answers[-1], "RATE_SESSIONS")


def test_each_generation_counts_and_a_repeated_submit_does_not(come):
    client = come("192.0.2.40")
    for _ in range(SUBMITS // 2):
        made = submit(client, variations=2).json()["generations"]
        for one in made:
            assert client.post(f"/generations/{one['id']}/cancel").is_success
    assert refused(submit(client), f"Too many generations: at most {SUBMITS}")
    assert refused(client.post(f"/generations/{made[0]['id']}/retry"), "RATE_SUBMITS")
    other = come("192.0.2.41")
    other.headers["Idempotency-Key"] = "one"
    assert [submit(other).status_code for _ in range(SUBMITS * 2)] == [201] + [200] * (SUBMITS * 2 - 1)


def test_wrong_codes_of_many_addresses_do_not_stop_another_one(url, come):
    code = come("192.0.2.50").post("/sessions/transfer").raise_for_status().json()["code"]
    guesser = api(url)
    for number in range(40):
        address = {"X-Forwarded-For": f"198.51.100.{number % 10}"}
        answer = guesser.post("/sessions/claim", json={"code": f"{number:08d}"}, headers=address)
        assert answer.status_code == (410 if number < 30 else 429)
    assert refused(answer, "Too many wrong codes: at most 3")
    assert api(url, "192.0.2.51").post("/sessions/claim", json={"code": code}).status_code == 201


def test_uploads_count_before_they_are_read(come):
    client = come("192.0.2.60")
    picture = {"file": ("a.png", picture_bytes("PNG"), "image/png")}
    statuses = [client.post(path, files=picture).status_code for path in ("/files", "/files/settings")]
    assert statuses == [201, 422]
    assert refused(client.post("/files", files=picture), "Too many uploads: at most 2")
    assert refused(client.post("/import", content=b"no zip"), "RATE_UPLOADS")


@asynccontextmanager
async def streams(url, address, count, path="/api/v1/events", **headers):
    """The statuses of streams that are opened one after the other; those that are open are dropped at the end."""
    headers |= {"X-Forwarded-For": address}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False, verify=False) as client:
        opened = [await client.send(client.build_request("GET", path), stream=True) for _ in range(count)]
        yield [answer.status_code for answer in opened]
        for answer in opened:
            await answer.aclose()


async def test_streams_are_bounded_and_a_dropped_one_gives_its_place_back(url, come):
    alice, bob, carol = ({"Authorization": come("192.0.2.70").headers["Authorization"]} for _ in range(3))
    for _ in range(5):
        until = time.monotonic() + 30
        statuses = []
        while statuses != [200] * (STREAMS - 1) + [429]:
            # A place is free again once the server has noticed that its connection is gone.
            assert time.monotonic() < until, statuses
            async with streams(url, "192.0.2.70", STREAMS, **alice) as statuses:
                pass
    async with streams(url, "192.0.2.71", STREAMS - 1, **bob) as first, streams(url, "192.0.2.71", 2, **carol) as more:
        assert (first, more) == ([200] * (STREAMS - 1), [200, 429])
        async with streams(url, "192.0.2.73", 1, **carol) as elsewhere:
            assert elsewhere == [200]


async def test_streams_of_shared_links_count_by_address_and_a_head_takes_no_place(url, come):
    owner = come("192.0.2.80")
    generation = submit(owner).json()["generations"][0]["id"]
    slug = owner.post(f"/generations/{generation}/share").raise_for_status().json()["slug"]
    path = f"/s/{slug}/events"
    for _ in range(STREAMS * 2):
        assert api(url, "192.0.2.81").head(f"{url}{path}").status_code == 200
    async with (
        streams(url, "192.0.2.81", STREAMS + 1, path) as statuses,
        streams(url, "192.0.2.82", 1, path) as elsewhere,
    ):
        assert statuses == [200] * STREAMS + [429]
        assert elsewhere == [200]


def test_the_refusals_are_in_the_description(url):
    paths = api(url).get(f"{url}/openapi.json").json()["paths"]
    calls = [
        *("post /sessions", "post /sessions/claim", "post /sessions/transfer", "post /generations", "post /files"),
        *("post /generations/{generation_id}/retry", "post /import", "get /events"),
        *("get /generations/{generation_id}/events", "get /projects/{project_id}/events"),
    ]
    for call in calls:
        method, path = call.split()
        assert "429" in paths[f"/api/v1{path}"][method]["responses"], call


# `videogen.server.app` silences it for the server; pytest turns it into an error again.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
def test_full_storage_refuses_and_the_count_of_an_address_outlives_a_restart(tmp_path):
    def start(**limits):
        config = AppConfig.from_env(environment(tmp_path / "data", workers=0, **limits))
        return TestClient(create_app(config, page=False), f"http://page.test{API}/", client=("127.0.0.1", 1))

    def come(http, address):
        http.headers |= {"X-Forwarded-For": address}
        http.headers["Authorization"] = f"Bearer {http.post('sessions', headers={'Authorization': ''}).json()['token']}"

    def submit(http, key, **more):
        return http.post("generations", json={"prompt": "a calm sea"} | more, headers={"Idempotency-Key": key})

    picture = {"file": ("a.png", picture_bytes("PNG"), "image/png")}
    with start() as http:
        come(http, "192.0.2.1")
        stored = http.post("files", files=picture).raise_for_status().json()["sizeBytes"]
        assert submit(http, "one", variations=2).status_code == 201
        known = http.headers
    with start(max_active_per_address=2, max_storage_mb_per_session=stored / 1e6) as http:
        http.headers = known
        assert refused(http.post("files", files=picture), "VIDEOGEN_MAX_STORAGE_MB_PER_SESSION")
        assert submit(http, "one", variations=2).status_code == 200, "the same submit again is the same project"
        assert refused(submit(http, "two"), "Delete videos or pictures")
        come(http, "192.0.2.1")
        assert refused(submit(http, "two"), "VIDEOGEN_MAX_ACTIVE_PER_ADDRESS")
        come(http, "192.0.2.2")
        assert submit(http, "two").status_code == 201
