"""Both clients with a real app or a real HTTP server."""

import asyncio
import hashlib
import http.server
import json
import stat
import threading
import zipfile
from contextlib import contextmanager

import pytest

from tests.client.answers import generation_json
from tests.support.api import TINY
from tests.support.zips import picture_bytes
from videogen.client import (
    ApiError,
    AsyncClient,
    AttentionNeeded,
    Client,
    ConnectionChange,
    DownloadFailed,
    GenerationCancelled,
    GenerationFailed,
    ProtocolError,
    TokenFileError,
    TokenStore,
    Unreachable,
    WaitTimeout,
    connect,
    connect_async,
)
from videogen.schemas.events import RenderProgress

SLOW = {**TINY, "durationSeconds": 2.0, "delayMs": 40}


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["bars", "slow", "until-cancelled", "refuses", "lost-service"], workers=2)


@pytest.fixture
def client(app, tmp_path, monkeypatch):
    """A client with a session of its own, stored in this test's folder."""
    monkeypatch.delenv("VIDEOGEN_TOKEN", raising=False)
    with connect(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        yield client
        for generation in client.generations(status="queued,processing"):
            client.cancel(generation.id)


def submit(client, engine="bars", **options):
    return client.submit("a ship", engine=engine, settings=options or TINY).generations[0]


def test_submit_watch_wait_download(client, tmp_path):
    made = submit(client, "slow", **SLOW)
    connected, *events = client.watch(generation=made.id)
    assert connected == ConnectionChange("connected")
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    assert events[-1].type == "render_result"
    done = client.wait(made)
    path = client.download(done, tmp_path / "out.mp4")
    assert path.stat().st_size == done.size_bytes
    assert sorted(tmp_path.iterdir()) == [tmp_path / "out.mp4", tmp_path / "tokens"]


def test_watch_survives_a_restart_of_the_server(running_app, tmp_path):
    app = running_app(engines=["slow"])
    with connect(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        made = submit(client, "slow", **{**SLOW, "durationSeconds": 4.0, "delayMs": 100})
        items, restart = [], threading.Thread(target=app.restart)
        for item in client.watch(generation=made.id):
            items.append(item)
            if isinstance(item, RenderProgress) and item.progress > 20 and restart.ident is None:
                restart.start()
        restart.join()
        states = [item.state for item in items if isinstance(item, ConnectionChange)]
        assert states[0] == "connected"
        assert states[1:] == ["reconnecting", "connected"] * (len(states) // 2)
        assert len(states) > 1
        ids = [item.id for item in items if not isinstance(item, ConnectionChange)]
        assert ids == sorted(set(ids))
        assert client.wait(made).status == "completed"


def test_wait_raises_an_error_with_the_generation(client):
    with pytest.raises(GenerationFailed) as failed:
        client.wait(submit(client, "refuses"))
    assert failed.value.generation.error.message in failed.value.detail
    made = submit(client, "until-cancelled")
    client.cancel(made.id)
    with pytest.raises(GenerationCancelled):
        client.wait(made.id)
    with pytest.raises(DownloadFailed, match="expected a completed generation"):
        client.download(made, "nowhere.mp4")


@pytest.mark.parametrize("seconds", [0.0, 0.6])
def test_wait_ends_at_its_timeout_without_events(client, seconds):
    made = submit(client, "until-cancelled")
    with pytest.raises(WaitTimeout):
        client.wait(made, timeout=seconds)
    assert not client.get(made.id).status.is_terminal


async def test_asynchronous_client(app, tmp_path):
    async with await connect_async(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        first, second = (await client.submit("a ship", engine="bars", settings=TINY, variations=2)).generations
        done = await asyncio.gather(client.wait(first), client.wait(second))
        await client.download(done[0], tmp_path / "out.mp4")
        assert (tmp_path / "out.mp4").stat().st_size == done[0].size_bytes
        assert [item.id async for item in client.generations(limit=1)] == [second.id, first.id]
        with pytest.raises(WaitTimeout):
            await client.wait(
                (await client.submit("a ship", engine="until-cancelled", settings=TINY)).generations[0], timeout=0.2
            )
        await client.export_zip(tmp_path / "all.zip")
        ids = [generation_id async for generation_id in client.ids(status="completed")]
        await client.zip(ids, tmp_path / "chosen.zip")
        assert (await client.restore((await client.trash(ids)).ids)).ids == ids
        other = client.as_session((await client.create_session()).token)
        assert (await other.import_zip(tmp_path / "all.zip")).imported == 2


def test_patch_retry_delete_upload_engines_and_transfer(client, tmp_path):
    made = client.wait(submit(client))
    assert client.patch(made.id, title="A title", favorite=True).title == "A title"
    assert [item.id for item in client.generations(favorite=True, q="title")] == [made.id]
    again = client.wait(client.retry(made.id))
    assert again.seed == made.seed
    client.delete(made.id)
    with pytest.raises(ApiError) as refused:
        client.get(made.id)
    assert refused.value.code == "not_found"
    picture = tmp_path / "picture.png"
    picture.write_bytes(picture_bytes("PNG"))
    assert client.upload(picture).id == client.upload(picture.read_bytes()).id
    assert client.file(client.upload(picture).id).width == 64
    assert {engine.id for engine in client.engines()} >= {"bars", "slow"}
    assert client.explain("a kite", "bars", settings={"width": 65, "height": 64}).width == 64
    code = client.transfer().code
    claimed = client.as_session(client.claim(code).token)
    assert claimed.get(again.id).id == again.id
    (other,) = [device.id for device in client.devices() if not device.current]
    client.sign_out(other)
    with pytest.raises(ApiError, match="No valid session"):
        claimed.get(again.id)
    old = client.token
    assert client.sign_out_others().token == client.token != old
    assert [device.current for device in client.devices()] == [True]


def test_what_needs_attention_is_resolved(client):
    made = submit(client, "lost-service")
    with pytest.raises(AttentionNeeded) as needed:
        client.wait(made)
    assert needed.value.generation.attention.provider_id == "job-7"
    new = client.resolve(made.id, "resubmit")
    assert (new.id != made.id, new.seed) == (True, made.seed)
    with pytest.raises(GenerationFailed, match="You sent it again"):
        client.wait(made)
    with pytest.raises(AttentionNeeded):
        client.wait(new)
    assert client.resolve(new.id, "look").id == new.id
    assert client.wait(new).cost.amount == 0.25


async def test_an_asynchronous_wait_ends_where_its_owner_must_decide(app, tmp_path):
    async with await connect_async(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        (made,) = (await client.submit("a ship", engine="lost-service", settings=TINY)).generations
        with pytest.raises(AttentionNeeded):
            await client.wait(made)
        assert (await client.resolve(made.id, "fail")).error.code == "given_up"


def test_trash_restore_and_zip(client, tmp_path):
    first, second = (client.wait(submit(client)) for _ in range(2))
    running = submit(client, "until-cancelled")
    assert list(client.ids(limit=1, status="completed")) == [second.id, first.id]
    trashed = client.trash([first.id, running.id, "gen_none"])
    assert (trashed.ids, [(item.id, item.code) for item in trashed.left_out]) == (
        [first.id],
        [(running.id, "not_terminal"), ("gen_none", "not_found")],
    )
    assert trashed.restorable_until > first.created_at
    assert [item.id for item in client.generations(status="completed")] == [second.id]
    assert [item.id for item in client.list_trash(limit=1).items] == [first.id]
    assert client.restore(trashed.ids).ids == [first.id]
    path = client.zip([first.id], tmp_path / "chosen.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("videos/a-ship.mp4").startswith(b"\0\0\0")
    with pytest.raises(ApiError) as refused:
        client.zip([running.id], tmp_path / "nothing.zip")
    assert refused.value.code == "invalid_request"
    assert not (tmp_path / "nothing.zip").exists()


def test_token_is_stored_per_server_and_for_its_owner_only(app, tmp_path, monkeypatch):
    store = TokenStore(tmp_path / "tokens")
    with connect(app.base_url, tokens=store) as first, connect(app.base_url, tokens=store) as second:
        assert first.token == second.token
    (file,) = store.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert store.read("https://another.example") is None
    file.write_text("{")
    with pytest.raises(TokenFileError, match="expected a stored token"):
        connect(app.base_url, tokens=store)
    file.chmod(0o640)
    with pytest.raises(TokenFileError, match="expected mode 600, got 640"):
        connect(app.base_url, tokens=store)
    # The given token comes first, then the environment. Neither is stored.
    monkeypatch.setenv("VIDEOGEN_TOKEN", "from the environment")
    assert connect(app.base_url, tokens=store).token == "from the environment"
    assert connect(app.base_url, "given", tokens=store).token == "given"


def test_stored_token_that_the_server_does_not_know_is_replaced(app, tmp_path):
    store = TokenStore(tmp_path / "tokens")
    with connect(app.base_url, tokens=store) as client:
        (file,) = store.folder.iterdir()
        file.write_text(file.read_text().replace(client.token, "forgotten"))
        with connect(app.base_url, tokens=store) as again:
            assert again.token not in (client.token, "forgotten")
            assert list(again.generations()) == []


# Servers with faults


class _Files(http.server.BaseHTTPRequestHandler):
    """Serves one generation and its video. The first `cuts` downloads break off."""

    body = bytes(range(256)) * 2000
    cuts = 0
    ranges: list = []  # noqa: RUF012
    stated_size = None
    bucket = None

    def do_GET(self):
        if self.path.startswith("/api/"):
            size = self.stated_size or len(self.body)
            body = generation_json(status="completed", videoUrl="/media/v", fileId="fil_v", sizeBytes=size)
            return self.answer(200, json.dumps(body).encode(), "application/json")
        if self.bucket:
            self.send_response(307)
            self.send_header("Location", f"{self.bucket}/files/v.mp4?signed")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        assert "Authorization" not in self.headers
        requested = self.headers.get("Range")
        type(self).ranges.append(requested)
        start = int(requested.removeprefix("bytes=").removesuffix("-")) if requested else 0
        rest = self.body[start:]
        if type(self).cuts > 0:
            type(self).cuts -= 1
            return self.answer(206 if requested else 200, rest, cut=50_000, start=start)
        return self.answer(206 if requested else 200, rest, start=start)

    def answer(self, status, body, kind="video/mp4", cut=None, start=0):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def serving(**attributes):
    handler = type("Handler", (_Files,), {"ranges": [], **attributes})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def test_download_continues_after_a_break(tmp_path):
    with serving(cuts=4) as (url, handler), Client(url, "t") as client:
        path = client.download("gen_a", tmp_path / "out.mp4")
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(_Files.body).digest()
    assert handler.ranges[0] is None
    assert handler.ranges[1:] == ["bytes=50000-", "bytes=100000-", "bytes=150000-", "bytes=200000-"]
    assert list(tmp_path.iterdir()) == [path]


def test_download_is_led_to_a_bucket_and_goes_on_there(tmp_path):
    with serving(cuts=2) as (bucket, handler), serving(bucket=bucket) as (url, _), Client(url, "t") as client:
        path = client.download("gen_a", tmp_path / "out.mp4")
    assert path.read_bytes() == _Files.body
    assert handler.ranges == [None, "bytes=50000-", "bytes=100000-"]


def test_download_continues_that_of_another_process(tmp_path):
    (tmp_path / ".out.mp4.fil_v.part").write_bytes(_Files.body[:300_000])
    with serving() as (url, handler), Client(url, "t") as client:
        path = client.download("gen_a", tmp_path / "out.mp4")
    assert handler.ranges == ["bytes=300000-"]
    assert path.read_bytes() == _Files.body


async def test_asynchronous_download_continues_after_a_break(tmp_path):
    with serving(cuts=2) as (url, handler):
        async with AsyncClient(url, "t") as client:
            path = await client.download("gen_a", tmp_path / "out.mp4")
    assert path.read_bytes() == _Files.body
    assert len(handler.ranges) == 3


def test_download_of_the_wrong_size_is_removed(tmp_path):
    (tmp_path / "out.mp4").write_text("an older file")
    size = len(_Files.body) + 1
    with (
        serving(stated_size=size) as (url, _),
        Client(url, "t") as client,
        pytest.raises(DownloadFailed, match=f"expected {size} bytes"),
    ):
        client.download("gen_a", tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "an older file"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_connect_to_no_server_and_to_another_program(tmp_path):
    with serving() as (url, _), pytest.raises(ProtocolError):
        connect(url, tokens=TokenStore(tmp_path))
    with pytest.raises(Unreachable):
        connect(url, tokens=TokenStore(tmp_path))


def test_a_queue_is_paused_edited_and_resumed(client):
    assert client.pause_queue().paused
    made = submit(client)
    assert client.edit(made.id, prompt="fog").prompt == "fog"
    assert [(item.id, item.stage) for item in client.queue().items] == [(made.id, "paused")]
    assert not client.resume_queue().paused
    assert client.wait(made).prompt == "fog"
    with pytest.raises(ApiError) as refused:
        client.edit(made.id, prompt="rain")
    assert refused.value.code == "not_queued"
