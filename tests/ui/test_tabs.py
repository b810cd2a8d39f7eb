"""Open tabs behind the real Gradio: who may join, call and read, and what is left of those that nobody reads."""

import asyncio
import gc
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gradio.routes import App
from gradio.server_messages import HeartbeatMessage, ProcessStartsMessage
from starlette.responses import JSONResponse

from tests.ui.conftest import engine
from videogen.core.errors import LimitExceededError, VideogenError
from videogen.ui import tabs as module
from videogen.ui.blocks import build_blocks
from videogen.ui.pages import Page, Visit, texts_of
from videogen.ui.settings import PageSettings
from videogen.ui.tab_guard import TabGuard
from videogen.ui.tabs import MAX_TABS, MAX_WAITING, Messages, Tab, TabLimits, Tabs
from videogen.ui.uploads import Uploads
from videogen.web.problems import problem_response

TEXTS = texts_of(Visit())
UPLOADS = Uploads(Path("none"), 1_000)
SETTINGS = PageSettings("http://videogen.test", [engine()])


class Queue(SimpleNamespace):
    """What the registry of tabs knows of Gradio's queue."""

    def __init__(self) -> None:
        super().__init__(pending_messages_per_session={}, pending_event_ids_session={}, event_ids_to_events={})

    async def clean_events(self, session_hash):
        pass


class Guarded:
    """The guard and its registry in front of an app that answers every call."""

    app = JSONResponse({})
    watch, links = 1, 2

    def __init__(self, limits) -> None:
        self.tabs = Tabs(limits)
        handlers = {self.watch: SimpleNamespace(queue=True), self.links: SimpleNamespace(queue=False)}
        self.page = SimpleNamespace(_queue=Queue(), fns=handlers)
        self.tabs.serve(self.page)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self._guarded), base_url="http://page.test")

    async def _guarded(self, scope, receive, send):
        try:
            await TabGuard(self.app, self.tabs)(scope, receive, send)
        except VideogenError as refusal:
            await problem_response(refusal)(scope, receive, send)

    async def call(self, path, name="tab", token=None, cookie=None, fn_index=None, browser=None):
        data = [{"token": token, "browser": browser}]
        body = {"fn_index": self.watch if fn_index is None else fn_index, "data": data}
        headers = {"Cookie": f"videogen_session={cookie}"} if cookie else {}
        return await self.http.post(
            f"/gradio_api/{path}", json=body | {"session_hash": name, "event_data": None}, headers=headers
        )

    async def join(self, name="tab", **proof):
        return await self.call("queue/join", name, **proof)

    async def open(self, *names, **proof):
        """Tabs that are read."""
        for name in names:
            assert (await self.join(name, **proof)).status_code == 200
            self.tabs.reader(name, proof.get("cookie"), "127.0.0.1")

    def paused(self):
        return [name for name in self.tabs._tabs if self.tabs.is_paused(name)]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


class Gradio(Guarded):
    """The same in front of Gradio with the page."""

    def __init__(self, client) -> None:
        super().__init__(TabLimits())
        self.page = build_blocks(SETTINGS, client, self.tabs, UPLOADS)
        self.app = App.create_app(self.page)
        self.queue = self.page._queue
        self.queue.start()
        self.watch, *_ = (number for number, handler in self.page.fns.items() if handler.queue)

    def kept(self):
        """How much there is of everything that Gradio and the page keep of a tab."""
        queue = self.queue
        parts = (queue.pending_messages_per_session, queue.pending_event_ids_session, queue.event_ids_to_events)
        active = [jobs for jobs in queue.active_jobs if jobs is not None]
        return [len(part) for part in (*parts, active, self.app.iterators, self.tabs._tabs, self.tabs.pages._open)]

    async def ended(self):
        await until(lambda: not any(self.kept()))


@pytest.fixture
async def serve():
    opened = []

    def start(guarded=None, **limits):
        guarded = guarded or Guarded(TabLimits(**limits))
        opened.append(guarded)
        return guarded

    yield start
    for guarded in opened:
        for tab in list(guarded.tabs._tabs.values()):
            await guarded.tabs.end(tab)
        await guarded.http.aclose()


@pytest.fixture
async def gradio(client, serve):
    gradio = serve(Gradio(client))
    yield gradio
    gradio.queue.close()


async def test_a_watcher_that_nobody_reads_ends_and_leaves_nothing(api, gradio, monkeypatch):
    monkeypatch.setattr(module, "UNREAD_SECONDS", 0.2)
    await gradio.join("warm")
    await gradio.ended()
    tasks = len(asyncio.all_tasks())
    for number in range(30):
        assert (await gradio.join(f"tab-{number}")).status_code == 200
    await gradio.ended()
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert api.requests == [], "it asks the API for nothing before somebody reads"
    gc.collect()
    # The last answer of the test's own client may still hold one.
    assert sum(type(one) is Tab for one in gc.get_objects()) <= 1


async def test_gradio_uses_the_messages_of_the_tab(gradio):
    await gradio.join()
    messages = gradio.queue.pending_messages_per_session["tab"]
    assert isinstance(messages, Messages)
    assert messages.qsize() > 0


async def test_gradios_store_holds_all_tabs_and_as_many_again(client):
    page = build_blocks(SETTINGS, client, Tabs(), UPLOADS)
    assert page._queue.pending_messages_per_session.max_size >= 2 * MAX_TABS
    assert page._queue.max_thread_count >= MAX_TABS


async def test_a_reader_that_is_slow_holds_the_watcher_and_no_memory():
    messages = Messages()
    for _ in range(MAX_WAITING):
        messages.put_nowait(ProcessStartsMessage())
    for _ in range(100):
        await messages.put(HeartbeatMessage())
    assert messages.qsize() == MAX_WAITING
    waiting = asyncio.create_task(messages.taken())
    await asyncio.sleep(0)
    assert not waiting.done()
    await messages.get()
    await waiting


async def test_a_slow_reader_gets_the_newest_frames(api, gradio):
    api.session("mine")
    await gradio.join(token="mine")
    gradio.tabs.reader("tab", None, "127.0.0.1")
    messages = gradio.queue.pending_messages_per_session["tab"]
    async with asyncio.timeout(10):
        while messages.qsize() < MAX_WAITING:
            if (page := gradio.tabs.pages.get("tab")) is not None:
                page.ring(urgent=True)
            await asyncio.sleep(0.01)
        for _ in range(20):
            gradio.tabs.pages.get("tab").ring(urgent=True)
            await asyncio.sleep(0.01)
    assert messages.qsize() == MAX_WAITING


@pytest.mark.parametrize("path", ["queue/join", "run/predict"])
@pytest.mark.parametrize(
    ("proof", "status"),
    [
        ({"token": "mine"}, 200),
        ({"cookie": "mine"}, 200),
        ({"token": "other", "cookie": "mine"}, 200),
        ({}, 403),
        ({"token": "other"}, 403),
        ({"cookie": "other"}, 403),
    ],
    ids=str,
)
async def test_later_joins_and_calls_need_the_token_of_the_first(serve, path, proof, status):
    page = serve()
    await page.join(token="mine")
    handler = page.links if path.startswith("run") else page.watch
    answer = await page.call(path, fn_index=handler, **proof)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "foreign_page"
        assert page.tabs._tabs["tab"].watchers == 1


async def test_a_first_visit_belongs_to_the_token_that_its_watcher_gives_it(client, serve):
    page = serve()
    await page.join()
    assert (await page.join(token="other")).status_code == 403
    page.tabs.pages.open("tab", Page(client, TEXTS, token="given"))
    assert (await page.join()).status_code == 403
    assert (await page.join(token="given")).status_code == 200
    # A claim or a rotation binds it anew.
    page.tabs.pages.open("tab", Page(client, TEXTS, token="claimed"))
    assert (await page.join(token="given")).status_code == 403
    assert (await page.join(cookie="claimed")).status_code == 200


async def test_a_click_without_a_token_is_let_through_until_the_browser_has_shown_that_it_knows_it(client, serve):
    page = serve()
    await page.join()
    page.tabs.pages.open("tab", first := Page(client, TEXTS, token="given", adopt=True))
    assert (await page.call("run/predict", fn_index=page.links)).status_code == 200
    assert (await page.call("run/predict", fn_index=page.links, token="other")).status_code == 403
    assert (await page.join()).status_code == 403
    first.proven = True
    assert (await page.call("run/predict", fn_index=page.links)).status_code == 403


@pytest.mark.parametrize(
    ("joined", "cookie", "address", "may"),
    [
        ({"token": "mine", "cookie": "mine"}, "mine", "far", True),
        ({"token": "mine", "cookie": "old"}, "old", "far", True),
        ({"token": "mine"}, None, "127.0.0.1", True),
        ({"token": "mine"}, "mine", "far", True),
        ({"token": "mine"}, "other", "127.0.0.1", False),
        ({"token": "mine"}, None, "far", False),
        ({"cookie": "mine"}, None, "127.0.0.1", False),
        ({}, "other", "127.0.0.1", False),
    ],
    ids=str,
)
async def test_who_may_read(serve, joined, cookie, address, may):
    page = serve()
    await page.join(**joined)
    if may:
        page.tabs.reader("tab", cookie, address)
    # Also nobody twice.
    with pytest.raises(VideogenError) as refusal:
        page.tabs.reader("tab", cookie, address)
    assert refusal.value.code == "foreign_page"


async def test_what_nobody_joined_cannot_be_read(serve):
    page = serve()
    answer = await page.http.get("/gradio_api/queue/data?session_hash=nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("limits", "proofs"),
    [
        ({"per_session": 2}, {"token": "mine"}),
        ({"per_session": 2}, {"cookie": "mine"}),
        ({"per_address": 2}, {}),
    ],
    ids=str,
)
async def test_watchers_of_a_session_and_of_an_address_are_limited(serve, limits, proofs):
    page = serve(**limits)
    answers = [await page.join(f"tab-{number}", **proofs) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.json()["code"] == "limit_exceeded"
    assert "2" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    await page.tabs.end(page.tabs._tabs["tab-0"])
    assert (await page.join("tab-3", **proofs)).status_code == 200


async def test_many_joins_on_one_tab_count_as_many(serve):
    page = serve(per_session=3)
    answers = [await page.join(token="mine") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


async def test_where_all_slots_are_taken_the_oldest_unread_tab_makes_room(serve):
    page = serve(in_all=3)
    await page.join("living", token="mine")
    page.tabs.reader("living", None, "127.0.0.1")
    for number in range(20):
        assert (await page.join(f"tab-{number}")).status_code == 200
    assert list(page.tabs._tabs) == ["living", "tab-18", "tab-19"]
    for name in ("tab-18", "tab-19"):
        page.tabs.reader(name, None, "127.0.0.1")
    with pytest.raises(LimitExceededError):
        await page.tabs.join(Tab("new", "far", None, frozenset()), TEXTS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        b'{"session_hash": 7, "fn_index": 0, "data": []}',
        b'{"session_hash": "", "fn_index": 0, "data": []}',
        b'{"session_hash": "tab", "fn_index": 0, "data": []}',
        b'{"session_hash": "tab", "fn_index": "26", "data": []}',
        b'{"session_hash": "tab", "fn_index": true, "data": []}',
        b'{"session_hash": "tab", "data": []}',
    ],
    ids=lambda body: body[:60],
)
async def test_a_join_of_another_shape_is_refused(serve, body):
    page = serve()
    answer = await page.http.post("/gradio_api/queue/join", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert not page.tabs._tabs


async def test_a_watcher_cannot_be_called_beside_the_queue(api, gradio):
    assert (await gradio.call("run/predict", "new", token="mine")).status_code == 404
    assert api.requests == []


async def test_a_join_that_gradio_answers_after_its_tab_has_ended_leaves_nothing(gradio):
    push = gradio.queue.push

    async def slow(*args, **kwargs):
        await gradio.tabs.end(gradio.tabs._tabs["tab"])
        return await push(*args, **kwargs)

    gradio.queue.push = slow
    await gradio.join()
    await gradio.ended()


MINE = {"token": "mine", "browser": "firefox"}
FOUR = ("a", "b", "c", "d")


async def test_the_fifth_tab_of_a_browser_pauses_the_one_used_longest_ago(serve):
    page = serve()
    await page.open(*FOUR, **MINE)
    assert page.paused() == []
    await page.call("run/predict", "a", fn_index=page.links, **MINE)
    await page.open("e", **MINE)
    assert page.paused() == ["b"]
    await page.open("f", **MINE)
    assert page.paused() == ["b", "c"], "what is paused is no longer counted"


@pytest.mark.parametrize(
    "other",
    [{"token": "mine", "browser": "chromium"}, {"token": "theirs", "browser": "firefox"}, {"token": "mine"}],
    ids=str,
)
async def test_tabs_of_another_browser_or_device_are_never_paused(serve, other):
    page = serve()
    await page.open(*FOUR, **MINE)
    await page.open("far", **other)
    assert page.paused() == []


async def test_a_paused_tab_gets_a_last_frame_that_says_so_and_starts_again(api, client, serve, monkeypatch):
    monkeypatch.setattr(module, "MAX_LIVE", 1)
    api.session("mine")
    gradio = serve(Gradio(client))
    await gradio.open("old", **MINE)
    messages = gradio.queue.pending_messages_per_session["old"]
    async with asyncio.timeout(10):
        await until(lambda: gradio.tabs.pages.get("old") is not None)
        await gradio.open("new", **MINE)
        frames = []
        while (message := await messages.get()).msg != "process_completed":
            frames.append(message)
        assert '"paused"' in str(frames[-1])
        await gradio.tabs.end(gradio.tabs._tabs["old"])
        await gradio.open("old", **MINE)
    assert gradio.paused() == ["new"]
    gradio.queue.close()


async def test_a_paused_tab_that_nobody_reads_any_more_is_ended(serve, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    page = serve()
    await page.open(*FOUR, "e", **MINE)
    await until(lambda: list(page.tabs._tabs) == ["b", "c", "d", "e"])


async def test_a_tab_that_joins_again_ends_its_dead_connection(serve):
    page = serve()
    hung = asyncio.Event()

    async def endless(scope, receive, send):
        hung.set()
        await asyncio.Event().wait()

    page.app = JSONResponse({})
    await page.join(**MINE)
    page.app = endless
    reading = asyncio.create_task(page.http.get("/gradio_api/queue/data?session_hash=tab"))
    async with asyncio.timeout(10):
        await hung.wait()
        page.app = JSONResponse({})
        assert (await page.join(**MINE)).status_code == 200
        with pytest.raises(AssertionError):  # the transport's: no answer came
            await reading
    assert not page.tabs._tabs["tab"].read.is_set()
