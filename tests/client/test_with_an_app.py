"""Both clients against a real app: what only a server, a socket and a disk can show."""

import asyncio
import hashlib
import http.server
import json
import stat
import threading
import time
import zipfile
from contextlib import contextmanager

import pytest

from tests.client.answers import generation_json
from tests.support.api import TINY
from tests.support.zips import picture_bytes
from videogen.client import (
    ApiError,
    AsyncClient,
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
    return module_app(engines=["bars", "slow", "until-cancelled", "refuses"], workers=2)


@pytest.fixture
def client(app, tmp_path, monkeypatch):
    """A client with a session of its own, kept in this test's folder."""
    monkeypatch.delenv("VIDEOGEN_TOKEN", raising=False)
    with connect(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        yield client
        for generation in client.generations(status="queued,processing"):
            client.cancel(generation.id)


def submit(client, engine="bars", **options):
    return client.submit("a ship", engine=engine, settings=options or TINY).generations[0]


def test_submit_watch_wait_download(client, tmp_path):
    made = submit(client, "slow", **SLOW)
    told = list(client.watch(generation=made.id))
    assert told[0] == ConnectionChange("connected")
    ids = [event.id for event in told[1:]]
    assert ids == sorted(set(ids))
    assert [event.type for event in told[1:]][-1] == "render_result"
    done = client.wait(made)
    path = client.download(done, tmp_path / "out.mp4")
    assert path.stat().st_size == done.size_bytes
    assert sorted(tmp_path.iterdir()) == [tmp_path / "out.mp4", tmp_path / "tokens"]


def test_a_watch_outlives_a_restart_of_the_server(running_app, tmp_path):
    app = running_app(engines=["slow"])
    with connect(app.base_url, tokens=TokenStore(tmp_path / "tokens")) as client:
        made = submit(client, "slow", **{**SLOW, "durationSeconds": 4.0, "delayMs": 100})
        told, restart = [], threading.Thread(target=app.restart)
        for item in client.watch(generation=made.id):
            told.append(item)
            if isinstance(item, RenderProgress) and item.progress > 20 and restart.ident is None:
                restart.start()
        restart.join()
        states = [item.state for item in told if isinstance(item, ConnectionChange)]
        assert states[0] == "connected"
        assert states[1:] == ["reconnecting", "connected"] * (len(states) // 2)
        assert len(states) > 1
        ids = [item.id for item in told if not isinstance(item, ConnectionChange)]
        assert ids == sorted(set(ids))
        assert client.wait(made).status == "completed"


def test_wait_raises_how_it_ended_with_the_generation(client):
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
def test_wait_ends_at_its_deadline_though_nothing_comes(client, seconds):
    made = submit(client, "until-cancelled")
    started = time.monotonic()
    with pytest.raises(WaitTimeout):
        client.wait(made, timeout=seconds)
    # The next word of the server would come after 15 s.
    assert time.monotonic() - started < seconds + 5
    assert not client.get(made.id).status.is_terminal


async def test_the_asynchronous_one_does_the_same(app, tmp_path):
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
        chosen = [one async for one in client.ids(status="completed")]
        await client.zip(chosen, tmp_path / "chosen.zip")
        assert (await client.restore((await client.trash(chosen)).ids)).ids == chosen
        other = client.as_session((await client.create_session()).token)
        assert (await other.import_zip(tmp_path / "all.zip")).imported == 2


def test_the_rest_of_what_can_be_asked(client, tmp_path):
    made = client.wait(submit(client))
    assert client.patch(made.id, title="A title", favorite=True).title == "A title"
    assert [item.id for item in client.generations(favorite=True, q="title")] == [made.id]
    again = client.wait(client.retry(made.id))
    assert again.seed == made.seed
    client.delete(made.id)
    with pytest.raises(ApiError) as gone:
        client.get(made.id)
    assert gone.value.code == "not_found"
    picture = tmp_path / "picture.png"
    picture.write_bytes(picture_bytes("PNG"))
    assert client.upload(picture).id == client.upload(picture.read_bytes()).id
    assert client.file(client.upload(picture).id).width == 64
    assert {engine.id for engine in client.engines()} >= {"bars", "slow"}
    made_code = client.transfer()
    claimed = client.as_session(client.claim(made_code.code).token)
    assert claimed.get(again.id).id == again.id


def test_many_at_once_into_the_trash_back_and_into_a_zip(client, tmp_path):
    first, second = (client.wait(submit(client)) for _ in range(2))
    running = submit(client, "until-cancelled")
    assert list(client.ids(limit=1, status="completed")) == [second.id, first.id]
    told = client.trash([first.id, running.id, "gen_none"])
    assert (told.ids, [(one.id, one.code) for one in told.left_out]) == (
        [first.id],
        [(running.id, "not_terminal"), ("gen_none", "not_found")],
    )
    assert told.restorable_until > first.created_at
    assert [one.id for one in client.generations(status="completed")] == [second.id]
    assert client.restore(told.ids).ids == [first.id]
    path = client.zip([first.id], tmp_path / "chosen.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read(f"videos/a-ship-{first.id[-8:]}.mp4").startswith(b"\0\0\0")
    with pytest.raises(ApiError) as refused:
        client.zip([running.id], tmp_path / "nothing.zip")
    assert refused.value.code == "invalid_request"
    assert not (tmp_path / "nothing.zip").exists()


def test_the_token_is_kept_for_the_server_and_not_for_another(app, tmp_path, monkeypatch):
    store = TokenStore(tmp_path / "tokens")
    with connect(app.base_url, tokens=store) as first, connect(app.base_url, tokens=store) as second:
        assert first.token == second.token
    (kept,) = store.folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert store.read("https://another.example") is None
    kept.write_text("{")
    with pytest.raises(TokenFileError, match="expected a token as it was kept"):
        connect(app.base_url, tokens=store)
    kept.chmod(0o640)
    with pytest.raises(TokenFileError, match="expected mode 600, got 640"):
        connect(app.base_url, tokens=store)
    # What is given comes first, and what the environment says comes second; neither is kept.
    monkeypatch.setenv("VIDEOGEN_TOKEN", "from the environment")
    assert connect(app.base_url, tokens=store).token == "from the environment"
    assert connect(app.base_url, "given", tokens=store).token == "given"


def test_a_kept_token_that_the_server_has_forgotten_is_replaced(app, tmp_path):
    store = TokenStore(tmp_path / "tokens")
    with connect(app.base_url, tokens=store) as client:
        (kept,) = store.folder.iterdir()
        kept.write_text(kept.read_text().replace(client.token, "forgotten"))
        with connect(app.base_url, tokens=store) as again:
            assert again.token not in (client.token, "forgotten")
            assert list(again.generations()) == []


# Servers that misbehave


class _Files(http.server.BaseHTTPRequestHandler):
    """Serves one generation and its video, which it cuts off as often as it is told to."""

    body = bytes(range(256)) * 2000
    cuts = 0
    ranges: list = []  # noqa: RUF012
    told_size = None

    def do_GET(self):
        if self.path.startswith("/api/"):
            size = self.told_size or len(self.body)
            told = generation_json(status="completed", videoUrl="/media/v", fileId="fil_v", sizeBytes=size)
            return self.answer(200, json.dumps(told).encode(), "application/json")
        asked = self.headers.get("Range")
        type(self).ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        rest = self.body[start:]
        if type(self).cuts > 0:
            type(self).cuts -= 1
            return self.answer(206 if asked else 200, rest, cut=50_000, start=start)
        return self.answer(206 if asked else 200, rest, start=start)

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


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path):
    with serving(cuts=4) as (url, handler), Client(url, "t") as client:
        path = client.download("gen_a", tmp_path / "out.mp4")
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(_Files.body).digest()
    assert handler.ranges[0] is None
    assert handler.ranges[1:] == ["bytes=50000-", "bytes=100000-", "bytes=150000-", "bytes=200000-"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_later_download_takes_up_what_is_there(tmp_path):
    (tmp_path / ".out.mp4.fil_v.part").write_bytes(_Files.body[:300_000])
    with serving() as (url, handler), Client(url, "t") as client:
        path = client.download("gen_a", tmp_path / "out.mp4")
    assert handler.ranges == ["bytes=300000-"]
    assert path.read_bytes() == _Files.body


async def test_the_asynchronous_one_takes_it_up_too(tmp_path):
    with serving(cuts=2) as (url, handler):
        async with AsyncClient(url, "t") as client:
            path = await client.download("gen_a", tmp_path / "out.mp4")
    assert path.read_bytes() == _Files.body
    assert len(handler.ranges) == 3


def test_a_file_of_another_size_is_not_kept(tmp_path):
    (tmp_path / "out.mp4").write_text("what was here")
    size = len(_Files.body) + 1
    with (
        serving(told_size=size) as (url, _),
        Client(url, "t") as client,
        pytest.raises(DownloadFailed, match=f"expected {size} bytes"),
    ):
        client.download("gen_a", tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "what was here"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_a_server_that_is_not_there_and_one_that_is_not_ours(tmp_path):
    with serving() as (url, _), pytest.raises(ProtocolError):
        connect(url, tokens=TokenStore(tmp_path))
    with pytest.raises(Unreachable):
        connect(url, tokens=TokenStore(tmp_path))
