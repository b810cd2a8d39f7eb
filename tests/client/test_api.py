"""The calls: what they send, return and raise."""

import inspect
import json

import httpx
import pytest

from tests.client.answers import GENERATION, generation_json
from tests.client.conftest import AT
from videogen.client import ApiError, AsyncClient, Client, ProtocolError, Unreachable, VersionMismatch
from videogen.core.errors import UNKNOWN_ROUTE
from videogen.schemas.generations import Generation, GenerationCreate
from videogen.schemas.status import Status


async def test_submit_sends_the_request_and_the_idempotency_key(client, script):
    script.answers = [httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [GENERATION]})]

    project = await client.submit(GenerationCreate(prompt="sea", settings={"seed": 7}), "key-1")

    (request,) = script.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/generations")
    assert request.headers["idempotency-key"] == "key-1"
    assert json.loads(request.content) == {"prompt": "sea", "settings": {"seed": 7}}
    assert project.generations[0].status is Status.QUEUED


async def test_list_sends_only_the_given_filters(client, script):
    script.answers = [httpx.Response(200, json={"items": [GENERATION], "nextCursor": "c2"})]
    page = await client.list(cursor="c1", limit=24)
    assert dict(script.requests[0].url.params) == {"cursor": "c1", "limit": "24"}
    assert page.next_cursor == "c2"


async def test_calls_use_the_right_method_and_path(client, script):
    script.answers = [httpx.Response(200, json=GENERATION) for _ in range(3)]
    for call in (client.get, client.cancel, client.retry):
        assert isinstance(await call("gen_a"), Generation)
    assert [(request.method, request.url.path) for request in script.requests] == [
        ("GET", "/api/v1/generations/gen_a"),
        ("POST", "/api/v1/generations/gen_a/cancel"),
        ("POST", "/api/v1/generations/gen_a/retry"),
    ]


async def test_remake_shot_names_the_shot_and_what_is_another(client, script):
    script.answers = [httpx.Response(201, json=GENERATION)]
    assert (await client.remake_shot("gen_a", 2, prompt="a forest", followers=False)).id == GENERATION["id"]
    (request,) = script.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/generations/gen_a/shots/2")
    assert json.loads(request.content) == {"prompt": "a forest", "seed": None, "followers": False}


async def test_resolve_sends_what_becomes_of_it_and_is_sent_once(client, script):
    script.answers = [httpx.Response(201, json=GENERATION), httpx.ConnectError("gone")]
    assert (await client.resolve("gen_a", "resubmit")).id == GENERATION["id"]
    (request,) = script.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/generations/gen_a/resolve")
    assert json.loads(request.content) == {"action": "resubmit"}
    with pytest.raises(Unreachable):
        await client.resolve("gen_a", "resubmit")
    assert len(script.requests) == 2


async def test_the_calls_of_the_queue(client, script):
    queue = {"paused": True, "items": [GENERATION]}
    script.answers = [httpx.Response(200, json=queue) for _ in range(3)]
    for call in (client.queue, client.pause_queue, client.resume_queue):
        answer = await call()
        assert (answer.paused, [item.id for item in answer.items]) == (True, [GENERATION["id"]])
    assert [(request.method, request.url.path) for request in script.requests] == [
        ("GET", "/api/v1/queue"),
        ("POST", "/api/v1/queue/pause"),
        ("POST", "/api/v1/queue/resume"),
    ]


async def test_an_edit_sends_what_is_changed_and_null_for_a_new_seed(client, script):
    script.answers = [httpx.Response(200, json=GENERATION)]
    await client.edit("gen_a", prompt="fog", settings={"seed": None})
    (request,) = script.requests
    assert (request.method, request.url.path) == ("PATCH", "/api/v1/generations/gen_a")
    assert json.loads(request.content) == {"prompt": "fog", "settings": {"seed": None}}


async def test_upload_sends_a_form_and_returns_a_file(client, script):
    body = {"id": "fil_a", "contentType": "image/png", "width": 64, "height": 48, "sizeBytes": 9, "url": "/media/fil_a"}
    script.answers = [httpx.Response(status, json=body | {"createdAt": AT}) for status in (201, 200)]
    for call in (client.upload(b"picture"), client.file("fil_a")):
        file = await call
        assert (file.id, file.width, file.url) == ("fil_a", 64, "http://videogen.test/media/fil_a")
    upload, lookup = script.requests
    assert (upload.method, upload.url.path) == ("POST", "/api/v1/files")
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"' in upload.content
    assert b"picture" in upload.content
    assert (lookup.method, lookup.url.path) == ("GET", "/api/v1/files/fil_a")


async def test_the_settings_of_a_file_are_a_request_to_submit(client, script):
    request = {"prompt": "sea", "settings": {"width": 64}, "inputFileId": "fil_a"}
    body = {"request": request, "engine": "bars", "engineVersion": "1", "hadImage": True, "warnings": []}
    script.answers = [httpx.Response(200, json=body)]
    found = await client.read_settings(b"video")
    assert (found.request.prompt, found.request.input_file_id) == ("sea", "fil_a")
    assert script.requests[0].url.path == "/api/v1/files/settings"
    assert b"video" in script.requests[0].content


async def test_unknown_fields_of_a_newer_server_are_ignored(client, script):
    newer = GENERATION | {"mood": "blue", "error": {"code": "c", "message": "m", "retryable": True, "hint": "h"}}
    script.answers = [httpx.Response(200, json=newer)]
    generation = await client.get("gen_a")
    assert generation.error is not None
    assert generation.error.message == "m"
    # The settings of an engine are not checked.
    assert generation.settings == {"fps": 24}


async def test_api_error_has_the_code_and_fields_of_the_problem(client, script):
    errors = [{"field": "settings.fps", "expected": "1 to 60", "got": "90"}]
    body = {"title": "Invalid request", "status": 422, "detail": "settings.fps: no.", "code": "invalid_request"}
    script.answers = [httpx.Response(422, json=body | {"errors": errors})]

    with pytest.raises(ApiError) as refusal:
        await client.engines()

    problem = refusal.value
    assert (problem.code, problem.status, problem.detail) == ("invalid_request", 422, "settings.fps: no.")
    assert problem.errors == errors
    assert not problem.is_temporary


async def test_error_page_of_a_proxy_is_an_api_error(client, script):
    script.answers = [httpx.Response(502, html="<h1>Bad Gateway</h1>")]
    with pytest.raises(ApiError, match="The server answered 502 Bad Gateway") as refusal:
        await client.engines()
    assert refusal.value.code == "http_error"
    assert refusal.value.is_temporary


async def test_call_without_response_is_sent_three_times(client, script):
    script.answers = [httpx.ConnectError("refused") for _ in range(3)]
    with pytest.raises(Unreachable, match="ConnectError"):
        await client.get("gen_a")
    assert len(script.requests) == 3


async def test_submit_without_response_is_sent_again_with_the_same_key(client, script):
    created = httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [GENERATION]})
    script.answers = [httpx.RemoteProtocolError("gone"), created]

    await client.submit("sea", settings={"seed": 7})

    first, second = script.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
    assert json.loads(second.content) == {"prompt": "sea", "settings": {"seed": 7}}


async def test_each_submit_has_its_own_key(client, script):
    created = {"projectId": "p", "requestId": "r", "generations": [GENERATION]}
    script.answers = [httpx.Response(201, json=created) for _ in range(2)]
    await client.submit("sea")
    await client.submit("sea")
    assert len({request.headers["idempotency-key"] for request in script.requests}) == 2


async def test_call_that_is_not_repeatable_is_sent_once(client, script):
    for call in (client.create_session, lambda: client.retry("gen_a"), lambda: client.delete("gen_a")):
        script.requests.clear()
        script.answers = [httpx.ConnectError("refused")]
        with pytest.raises(Unreachable):
            await call()
        assert len(script.requests) == 1


async def test_call_is_not_sent_again_after_a_read_timeout(client, script):
    script.answers = [httpx.ReadTimeout("silence")]
    with pytest.raises(Unreachable, match="GET /api/v1/generations/gen_a: no answer in time"):
        await client.get("gen_a")


@pytest.mark.parametrize(
    ("health", "message"),
    [
        (
            httpx.Response(200, json={"status": "ok", "name": "videogen", "version": "0.0.1"}),
            "the server has version 0.0.1",
        ),
        (httpx.Response(404), "it is not videogen, or does not state its version"),
        (httpx.ConnectError("gone"), "it is not videogen, or does not state its version"),
    ],
)
@pytest.mark.parametrize("status", [404, 405])
async def test_unknown_call_raises_version_mismatch(client, script, status, health, message):
    body = {"type": UNKNOWN_ROUTE, "title": "t", "status": status, "detail": "Gone fishing.", "code": "not_found"}
    script.answers = [httpx.Response(status, json=body), health]
    with pytest.raises(VersionMismatch, match=message) as refusal:
        await client.cancel("gen_a")
    assert refusal.value.detail.startswith("POST /api/v1/generations/gen_a/cancel: the server does not know this call")


async def test_a_server_of_version_0_1_0_has_another_sign_of_an_unknown_call(client, script):
    body = {"title": "t", "status": 404, "detail": "There is nothing at /api/v1/new. See /docs.", "code": "not_found"}
    health = {"status": "ok", "name": "videogen", "version": "0.1.0"}
    script.answers = [httpx.Response(404, json=body), httpx.Response(200, json=health)]
    with pytest.raises(VersionMismatch):
        await client.get("gen_a")


@pytest.mark.parametrize(
    ("base_url", "link", "expected"),
    [
        ("http://videogen.test", "/media/fil_a?sig=x", "http://videogen.test/media/fil_a?sig=x"),
        ("http://videogen.test/below", "/below/media/fil_a", "http://videogen.test/below/media/fil_a"),
        ("http://videogen.test", "https://public.test/media/fil_a", "https://public.test/media/fil_a"),
    ],
)
async def test_links_are_absolute(script, base_url, link, expected):
    result = generation_json(videoUrl=link, posterUrl=None, settings={"maskUrl": "/as/it/is"})
    script.answers = [httpx.Response(200, json=result) for _ in range(2)]
    async with AsyncClient(base_url, "t", httpx.MockTransport(script)) as client:
        generation = await client.as_session("u").get("gen_a")
    assert (generation.video_url, generation.poster_url) == (expected, None)
    assert generation.settings == {"maskUrl": "/as/it/is"}
    transport = httpx.MockTransport(script)
    async with AsyncClient(base_url, "t", transport, absolute_links=False) as client:
        assert (await client.get("gen_a")).video_url == link


async def test_unknown_id_is_no_version_mismatch(client, script):
    body = {"title": "Not found", "status": 404, "detail": "There is nothing here.", "code": "not_found"}
    script.answers = [httpx.Response(404, json=body)]
    with pytest.raises(ApiError) as refusal:
        await client.get("gen_a")
    assert refusal.value.code == "not_found"


async def test_generations_fetches_page_by_page(client, script):
    script.answers = [
        httpx.Response(200, json={"items": [generation_json("a"), generation_json("b")], "nextCursor": "c2"}),
        httpx.Response(200, json={"items": [generation_json("c")], "nextCursor": None}),
    ]
    assert [item.id async for item in client.generations(q="sea")] == ["a", "b", "c"]
    assert [dict(request.url.params) for request in script.requests] == [{"q": "sea"}, {"q": "sea", "cursor": "c2"}]


def test_both_clients_have_the_same_methods():
    def calls(client):
        methods = inspect.getmembers(client, inspect.isfunction)
        return {name: list(inspect.signature(call).parameters) for name, call in methods if not name.startswith("_")}

    blocking = calls(Client)
    blocking["aclose"] = blocking.pop("close")
    assert blocking == calls(AsyncClient)


async def test_response_outside_the_contract_is_a_protocol_error(client, script):
    script.answers = [httpx.Response(200, json={"id": "gen_a"}), httpx.Response(200, text="hello")]
    for _ in range(2):
        with pytest.raises(ProtocolError, match="expected a Generation"):
            await client.get("gen_a")


async def test_sessions_share_connections_but_not_tokens(script):
    lookups = []

    def base_url():
        lookups.append(1)
        return "http://videogen.test"

    script.answers = [httpx.Response(201, json={"sessionId": "s", "token": "t"}), httpx.Response(200, json=GENERATION)]
    async with AsyncClient(base_url, transport=httpx.MockTransport(script)) as client:
        session = await client.create_session()
        await client.as_session(session.token).get("gen_a")

    assert [request.headers.get("authorization") for request in script.requests] == [None, "Bearer t"]
    assert lookups == [1]
    assert client.token is None
