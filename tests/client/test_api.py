"""The calls: what they send, what they give back, and what they raise."""

import json

import httpx
import pytest

from tests.client.answers import GENERATION
from tests.client.conftest import AT
from videogen.client import ApiError, AsyncClient, ProtocolError, Unreachable
from videogen.schemas import Generation, GenerationCreate, Status


async def test_submit_sends_what_was_asked_and_its_key(client, script):
    script.answers = [httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [GENERATION]})]

    project = await client.submit(GenerationCreate(prompt="sea", settings={"seed": 7}), "key-1")

    (request,) = script.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/generations")
    assert request.headers["idempotency-key"] == "key-1"
    assert json.loads(request.content) == {"prompt": "sea", "settings": {"seed": 7}}
    assert project.generations[0].status is Status.QUEUED


async def test_list_sends_only_what_was_given(client, script):
    script.answers = [httpx.Response(200, json={"items": [GENERATION], "nextCursor": "c2"})]
    page = await client.list(cursor="c1", limit=24)
    assert dict(script.requests[0].url.params) == {"cursor": "c1", "limit": "24"}
    assert page.next_cursor == "c2"


async def test_calls_go_where_they_should(client, script):
    script.answers = [httpx.Response(200, json=GENERATION) for _ in range(3)]
    for call in (client.get, client.cancel, client.retry):
        assert isinstance(await call("gen_a"), Generation)
    assert [(request.method, request.url.path) for request in script.requests] == [
        ("GET", "/api/v1/generations/gen_a"),
        ("POST", "/api/v1/generations/gen_a/cancel"),
        ("POST", "/api/v1/generations/gen_a/retry"),
    ]


async def test_an_image_is_sent_as_a_form_and_told_as_a_file(client, script):
    told = {"id": "fil_a", "contentType": "image/png", "width": 64, "height": 48, "sizeBytes": 9, "url": "/media/fil_a"}
    script.answers = [httpx.Response(status, json=told | {"createdAt": AT}) for status in (201, 200)]
    for call in (client.upload(b"picture"), client.file("fil_a")):
        file = await call
        assert (file.id, file.width, file.url) == ("fil_a", 64, "/media/fil_a")
    sent, asked = script.requests
    assert (sent.method, sent.url.path) == ("POST", "/api/v1/files")
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"' in sent.content
    assert b"picture" in sent.content
    assert (asked.method, asked.url.path) == ("GET", "/api/v1/files/fil_a")


async def test_fields_of_a_newer_server_are_left_out(client, script):
    newer = GENERATION | {"mood": "blue", "error": {"code": "c", "message": "m", "retryable": True, "hint": "h"}}
    script.answers = [httpx.Response(200, json=newer)]
    generation = await client.get("gen_a")
    assert generation.error is not None
    assert generation.error.message == "m"
    # What an engine calls its settings is not ours to judge.
    assert generation.settings == {"fps": 24}


async def test_a_problem_is_raised_with_its_code_and_fields(client, script):
    errors = [{"field": "settings.fps", "expected": "1 to 60", "got": "90"}]
    body = {"title": "Invalid request", "status": 422, "detail": "settings.fps: no.", "code": "invalid_request"}
    script.answers = [httpx.Response(422, json=body | {"errors": errors})]

    with pytest.raises(ApiError) as refusal:
        await client.engines()

    problem = refusal.value
    assert (problem.code, problem.status, problem.detail) == ("invalid_request", 422, "settings.fps: no.")
    assert problem.errors == errors
    assert not problem.is_temporary


async def test_a_proxy_that_speaks_its_own_words_is_still_an_api_error(client, script):
    script.answers = [httpx.Response(502, html="<h1>Bad Gateway</h1>")]
    with pytest.raises(ApiError, match="The server answered 502 Bad Gateway") as refusal:
        await client.engines()
    assert refusal.value.code == "http_error"
    assert refusal.value.is_temporary


async def test_no_answer(client, script):
    script.answers = [httpx.ConnectError("refused")]
    with pytest.raises(Unreachable, match="ConnectError"):
        await client.get("gen_a")


async def test_an_answer_that_is_not_the_contract(client, script):
    script.answers = [httpx.Response(200, json={"id": "gen_a"}), httpx.Response(200, text="hello")]
    for _ in range(2):
        with pytest.raises(ProtocolError, match="expected a Generation"):
            await client.get("gen_a")


async def test_sessions_share_their_connections_and_nothing_else(script):
    asked = []

    def base_url():
        asked.append(1)
        return "http://videogen.test"

    script.answers = [httpx.Response(201, json={"sessionId": "s", "token": "t"}), httpx.Response(200, json=GENERATION)]
    async with AsyncClient(base_url, transport=httpx.MockTransport(script)) as client:
        session = await client.create_session()
        await client.as_session(session.token).get("gen_a")

    assert [request.headers.get("authorization") for request in script.requests] == [None, "Bearer t"]
    assert asked == [1]
    assert client.token is None
