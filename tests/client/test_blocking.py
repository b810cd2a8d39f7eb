"""The blocking client: it runs `AsyncClient` in an event loop thread and behaves like ordinary blocking code."""

import asyncio
import gc
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from tests.client.answers import GENERATION, generation_json
from tests.client.conftest import AT, ScriptedBody, result, sse
from tests.support.app import ROOT
from videogen.client import AttentionNeeded, Client, ClientError, ConnectionChange, GenerationFailed, WaitTimeout


@pytest.fixture
def blocking_client(script):
    with Client("http://videogen.test", "secret-token", httpx.MockTransport(script)) as client:
        yield client


class Silence(httpx.AsyncByteStream):
    """A response body that never comes. `reached` is set when it is awaited, `closed` when it is closed."""

    def __init__(self) -> None:
        self.reached, self.closed = threading.Event(), threading.Event()

    async def __aiter__(self):
        self.reached.set()
        await asyncio.Event().wait()
        yield b""

    async def aclose(self):
        self.closed.set()

    def response(self):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)


def client_threads():
    return [thread for thread in threading.enumerate() if thread.name == "videogen-client"]


def test_watch_yields_in_the_thread_of_the_caller(blocking_client, script):
    script.answers = [[sse(1), result(2)]]
    connected, *events = blocking_client.watch(generation="gen_a")
    assert connected == ConnectionChange("connected")
    assert [event.id for event in events] == [1, 2]


def test_wait_calls_on_event_in_the_thread_of_the_caller(blocking_client, script):
    done = httpx.Response(200, json=generation_json(status="completed"))
    script.answers = [[sse(1), httpx.ReadError("reset")], httpx.Response(200, json=GENERATION), [result(2)], done]
    calls = []

    def on_event(item):
        calls.append((threading.current_thread(), item))
        if item == ConnectionChange("reconnecting", "ReadError: reset"):
            calls.append((threading.current_thread(), blocking_client.get("gen_a").status))

    assert blocking_client.wait("gen_a", on_event=on_event).status == "completed"
    assert {thread for thread, _ in calls} == {threading.current_thread()}
    assert len(calls) == 6


def test_closing_a_watch_closes_its_connection(blocking_client, script):
    body = Silence()
    script.answers = [body.response()]
    watch = blocking_client.watch()
    assert next(watch) == ConnectionChange("connected")
    watch.close()
    assert body.closed.is_set()


def test_wait_closes_its_connection_at_the_timeout(blocking_client, script):
    body = Silence()
    script.answers = [body.response()]
    with pytest.raises(WaitTimeout):
        blocking_client.wait("gen_a", timeout=0.05)
    assert body.closed.wait(10)


def test_ctrl_c_interrupts_a_watch_and_closes_its_connection(blocking_client, script):
    body = Silence()
    script.answers = [body.response()]

    def interrupt():
        body.reached.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            list(blocking_client.watch())
    finally:
        signal.signal(signal.SIGINT, handler)
    assert body.closed.wait(10)


def test_close_ends_the_calls_of_other_threads(script):
    body = Silence()
    script.answers = [body.response()]
    client = Client("http://videogen.test", transport=httpx.MockTransport(script))
    errors = []

    def watch():
        with pytest.raises(ClientError) as error:
            list(client.watch())
        errors.append(error.value)

    thread = threading.Thread(target=watch)
    thread.start()
    body.reached.wait()
    client.close()
    thread.join()
    assert [str(error) for error in errors] == ["The client was closed during this call."]


def test_close_ends_the_thread_and_a_later_call_starts_a_new_one(script):
    script.answers = [httpx.Response(200, json=GENERATION), [sse(1), sse(2)], httpx.Response(200, json=GENERATION)]
    client = Client("http://videogen.test", transport=httpx.MockTransport(script))
    assert client_threads() == []
    client.get("gen_a")
    assert len(client_threads()) == 1
    watch = client.watch()
    next(watch)
    client.close()
    assert client_threads() == []
    with pytest.raises(ClientError, match="The client was closed"):
        list(watch)
    with client:
        client.get("gen_a")
    assert client_threads() == []


def test_dropped_client_ends_its_thread(script):
    script.answers = [httpx.Response(200, json=GENERATION)]
    Client("http://videogen.test", transport=httpx.MockTransport(script)).get("gen_a")
    gc.collect()
    assert client_threads() == []


def test_open_client_does_not_block_the_end_of_python():
    code = """
import threading
import httpx
from videogen.client import Client

arrived = threading.Event()
async def silence(request):
    arrived.set()
    await __import__("asyncio").Event().wait()

client = Client("http://videogen.test", transport=httpx.MockTransport(silence))
threading.Thread(target=client.health, daemon=True).start()
arrived.wait()
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_many_threads_share_a_client(blocking_client, script):
    script.answers = [httpx.Response(200, json=GENERATION) for _ in range(20)]
    ids = []
    threads = [threading.Thread(target=lambda: ids.append(blocking_client.get("gen_a").id)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids == ["gen_a"] * 20


def test_generate_submits_waits_and_downloads(blocking_client, script, tmp_path):
    done = generation_json(status="completed", videoUrl="/media/v", fileId="fil_a", sizeBytes=5)
    script.answers = [
        httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [GENERATION]}),
        [result(1)],
        *[httpx.Response(200, json=done) for _ in range(2)],
        httpx.Response(200, stream=ScriptedBody(["video"])),
    ]
    generation = blocking_client.generate("sea", str(tmp_path / "sea.mp4"), settings={"seed": 7})
    assert generation.status == "completed"
    assert (tmp_path / "sea.mp4").read_bytes() == b"video"
    assert [request.url.path.rpartition("/")[2] for request in script.requests] == [
        "generations",
        "events",
        "gen_a",
        "gen_a",
        "v",
    ]


def test_generate_raises_generation_failed(blocking_client, script, tmp_path):
    failed = generation_json(status="failed", error={"code": "c", "message": "no memory", "retryable": True})
    script.answers = [
        httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [GENERATION]}),
        [result(1)],
        httpx.Response(200, json=failed),
    ]
    with pytest.raises(GenerationFailed, match="no memory"):
        blocking_client.generate("sea", tmp_path / "sea.mp4")
    assert list(tmp_path.iterdir()) == []


PARKED = {"status": "processing", "stage": "needs_attention", "message": "Nobody knows."}


def test_a_wait_ends_with_what_is_known_where_its_owner_must_decide(blocking_client, script):
    known = {"sentAt": AT, "providerId": "job-7", "lookAt": "there"}
    script.answers = [[sse(1, **PARKED)], httpx.Response(200, json=generation_json(**PARKED, attention=known))]
    with pytest.raises(AttentionNeeded, match="gen_a needs attention: Nobody knows") as needed:
        blocking_client.wait("gen_a")
    assert needed.value.generation.attention.provider_id == "job-7"


def test_a_wait_goes_on_where_it_was_resolved_meanwhile(blocking_client, script):
    done = generation_json(status="completed", progress=100)
    answers = [generation_json(status="queued"), done]
    script.answers = [[sse(1, **PARKED), result(2)], *[httpx.Response(200, json=answer) for answer in answers]]
    assert blocking_client.wait("gen_a").status == "completed"


def test_generate_submits_nothing_if_the_folder_does_not_exist(blocking_client, script, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder that exists"):
        blocking_client.generate("sea", tmp_path / "no" / "sea.mp4")
    assert script.requests == []


def test_the_package_offers_the_client():
    import videogen

    assert videogen.Client is Client
    assert {"AsyncClient", "connect", "engine"} <= set(videogen.__all__)
    assert all(getattr(videogen, name) for name in videogen.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'client_of_another_name'"):
        _ = videogen.client_of_another_name
