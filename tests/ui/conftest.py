"""A small API in memory, behind a real client."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.client.answers import generation_json
from videogen.core.i18n import catalog
from videogen.schemas.engines import EngineInfo
from videogen.schemas.events import decode
from videogen.schemas.generations import Generation
from videogen.ui.address import parse
from videogen.ui.arrival import read_address, show_address
from videogen.ui.page_client import PageClient
from videogen.ui.panels import PANELS, render_panel
from videogen.ui.tab import Tab
from videogen.ui.texts import Texts

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
ENGINE = {
    "id": "procedural",
    "title": "Procedural",
    "description": "A procedural renderer, not a model.",
    "version": "1",
    "default": True,
    "available": True,
    "reason": None,
    "capabilities": {"negativePrompt": True},
    "settingsSchema": {
        "properties": {
            "width": {"minimum": 64, "maximum": 1920, "multipleOf": 2},
            "height": {"minimum": 64, "maximum": 1920, "multipleOf": 2},
            "durationSeconds": {"minimum": 0.5, "maximum": 60, "default": 4},
            "fps": {"minimum": 1, "maximum": 30, "default": 24},
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        }
    },
}
ENDED = {"completed", "failed", "cancelled"}


def engine(**changes):
    return EngineInfo.model_validate(ENGINE | changes)


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


def generation(generation_id="gen_a", seconds=0, **changes):
    """A generation of which everything happened `seconds` after the start."""
    times = {"createdAt": at(seconds), "updatedAt": at(seconds)}
    return Generation.model_validate(generation_json(generation_id, **(times | changes)))


def event(kind="render_progress", generation_id="gen_a", seconds=1, **data):
    number = next(_numbers)
    return decode(kind, number, event_json(generation_id, seconds, **data))


def event_json(generation_id="gen_a", seconds=1, **data):
    told = {"generationId": generation_id, "projectId": "p", "requestId": "r", "status": "processing"}
    return told | {"progress": 10, "attempt": 1, "at": at(seconds)} | data


def result_json(**changes):
    file = {"fileId": "fil_a", "videoUrl": "/media/fil_a", "posterUrl": "/media/fil_p", "width": 512, "height": 288}
    length = {"durationSeconds": 4, "fps": 24, "sizeBytes": 84_000}
    return {"status": "completed", "progress": 100} | file | length | changes


_numbers = itertools.count(1)


def matching(mine, wanted):
    """Those that a query asks for, newest first."""
    for one in sorted(mine.values(), key=lambda one: one["createdAt"], reverse=True):
        words, statuses = wanted.get("q", "").lower(), wanted.get("status", "")
        same = all(wanted.get(name, one[name]) == one[name] for name in ("type", "engine"))
        liked = one["favorite"] or "favorite" not in wanted
        if (
            same
            and liked
            and words in (one["title"] + one["prompt"]).lower()
            and one["status"] in (statuses or one["status"])
        ):
            yield one


class Api:
    """Sessions by token, each with generations; events are pushed by the test."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, dict]] = {}
        self.down = self.paused = False
        self.requests: list[httpx.Request] = []
        self.keys: dict[str, str] = {}
        self.logs: dict[str, str] = {}
        self.shares: dict[str, dict] = {}
        self.page_size = 24
        self.refuse: dict[str, str] | None = None
        self.canned: dict[tuple[str, str], tuple[int, dict]] = {}
        """Status and body of the answers to further calls, by method and path."""
        self.trash: dict[str, dict] = {}
        self._feeds: list[asyncio.Queue] = []

    def session(self, token, *generations):
        self.sessions[token] = {one["id"]: one for one in generations}

    def push(self, kind="render_progress", generation_id="gen_a", seconds=1, **data):
        number = next(_numbers)
        text = json.dumps(event_json(generation_id, seconds, **data))
        for feed in self._feeds:
            feed.put_nowait(f"id: {number}\nevent: {kind}\ndata: {text}\n\n")

    def cut(self):
        for feed in self._feeds:
            feed.put_nowait(httpx.ReadError("cut"))

    def paths(self, method):
        return [request.url.path for request in self.requests if request.method == method]

    async def __call__(self, request):
        self.requests.append(request)
        if self.down:
            raise httpx.ConnectError("refused")
        path = request.url.path.removeprefix("/api/v1")
        if path == "/sessions":
            token = f"new-{len(self.sessions)}"
            self.session(token)
            return httpx.Response(201, json={"sessionId": "s", "token": token})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.sessions:
            return self._problem(401, "session_required")
        return self._answer(request, path, self.sessions[token])

    def _answer(self, request, path, mine):
        if (request.method, path) in self.canned:
            status, body = self.canned[request.method, path]
            headers = {"content-type": "application/json"}
            return httpx.Response(status, content=json.dumps(body), headers=headers)
        if path == "/events":
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self._feed(mine))
        if path == "/generations" and request.method == "GET":
            newest = list(matching(mine, request.url.params))
            start = int(request.url.params.get("cursor", 0))
            end = start + self.page_size
            following = str(end) if end < len(newest) else None
            return httpx.Response(200, json={"items": newest[start:end], "nextCursor": following})
        if path == "/generations":
            return self._create(request, mine)
        if path.startswith("/queue"):
            self.paused = {"/queue/pause": True, "/queue/resume": False}.get(path, self.paused)
            waiting = [one for one in mine.values() if one["status"] not in ENDED]
            return httpx.Response(200, json={"paused": self.paused, "items": waiting})
        if path == "/shares":
            return httpx.Response(200, json={"items": list(self.shares.values())})
        if path in ("/generations/ids", "/generations/trash", "/generations/restore", "/generations/zip"):
            return self._many(request, path, mine)
        one = mine.get(path.split("/")[2])
        if one is None:
            return self._problem(404, "not_found")
        if path.endswith("/log"):
            return httpx.Response(200, text=self.logs.get(one["id"], ""))
        if path.endswith("/share"):
            return self._share(request, one)
        if path.endswith("/resolve"):
            return self._resolve(json.loads(request.content)["action"], one, mine)
        if path.endswith("/retry"):
            again = one | {"id": f"{one['id']}-again", "status": "queued", "createdAt": at(99), "updatedAt": at(99)}
            mine[again["id"]] = again
            return httpx.Response(201, json=again)
        if request.method == "PATCH":
            one |= json.loads(request.content)
        return httpx.Response(200, json=one)

    def _resolve(self, action, one, mine):
        if one["stage"] != "needs_attention":
            return self._problem(409, "needs_no_attention")
        error = {"code": "given_up", "message": "You gave it up.", "retryable": False}
        ended = {"status": "queued"} if action == "look" else {"status": "failed", "error": error}
        one |= {"stage": ended["status"], "attention": None, "updatedAt": at(99)} | ended
        if action != "resubmit":
            return httpx.Response(200, json=one)
        mine["gen_new"] = generation_json("gen_new", createdAt=at(99), updatedAt=at(99))
        return httpx.Response(201, json=mine["gen_new"])

    def _share(self, request, one):
        if request.method == "DELETE":
            del self.shares[one["id"]]
            return httpx.Response(204)
        slug, asked = f"slug-{one['id']}", json.loads(request.content)
        made = {"generationId": one["id"], "slug": slug, "url": f"http://videogen.test/s/{slug}", "views": 0}
        made |= {name: one[name] for name in ("type", "status", "createdAt")} | {"title": one["prompt"]}
        share = self.shares.setdefault(one["id"], made | {"indexable": False, "expiresAt": None})
        if "expiresInSeconds" in asked:
            seconds = asked["expiresInSeconds"]
            ends = datetime.now(UTC) + timedelta(seconds=seconds or 0)
            share["expiresAt"] = None if seconds is None else ends.isoformat()
        return httpx.Response(201, json=share)

    def _many(self, request, path, mine):
        asked = json.loads(request.content)["ids"] if request.content else []
        if path.endswith("/ids"):
            found = [one["id"] for one in matching(mine, request.url.params)]
            return httpx.Response(200, json={"ids": found, "nextCursor": None})
        if path.endswith("/zip"):
            return httpx.Response(
                201, json={"url": "/zips/a", "expiresAt": at(600), "count": len(asked), "sizeBytes": 1}
            )
        if request.method == "GET":
            items = [one | {"restorableUntil": at(3600)} for one in self.trash.values()]
            return httpx.Response(200, json={"items": items, "nextCursor": None})
        here, there = (mine, self.trash) if path.endswith("/trash") else (self.trash, mine)
        moved = [name for name in asked if name in here and here[name]["status"] in ENDED]
        for name in moved:
            there[name] = here.pop(name)
        left = [
            {"id": name, "code": "not_terminal" if name in here else "not_found"} for name in asked if name not in moved
        ]
        return httpx.Response(200, json={"ids": moved, "restorableUntil": at(3600), "leftOut": left})

    def _create(self, request, mine):
        key = request.headers.get("idempotency-key", f"none-{len(mine)}")
        asked = json.loads(request.content)
        if self.refuse:
            return self._problem(422, "invalid_request", errors=[self.refuse])
        if asked["settings"].get("durationSeconds", 4) > 20:
            errors = [{"field": "settings.durationSeconds", "expected": "at most 20", "got": "60"}]
            return self._problem(422, "invalid_request", errors=errors)
        made = self.keys.setdefault(key, f"gen_{len(self.keys)}")
        mine.setdefault(made, generation_json(made, prompt=asked["prompt"], createdAt=at(50), updatedAt=at(50)))
        return httpx.Response(201, json={"projectId": "p", "requestId": "r", "generations": [mine[made]]})

    def _feed(self, mine):
        feed = asyncio.Queue()
        self._feeds.append(feed)
        for one in mine.values():
            if one["status"] not in ENDED:
                number = next(_numbers)
                told = event_json(one["id"], progress=one["progress"], status=one["status"], at=one["updatedAt"])
                feed.put_nowait(f"id: {number}\nevent: render_progress\ndata: {json.dumps(told)}\n\n")
        return _Feed(feed)

    def _problem(self, status, code, **more):
        body = {"title": code, "status": status, "detail": f"About {code}.", "code": code}
        return httpx.Response(status, json=body | more)


class _Feed(httpx.AsyncByteStream):
    def __init__(self, feed) -> None:
        self._feed = feed

    async def __aiter__(self):
        yield b"retry: 1000\n\n"
        while True:
            piece = await self._feed.get()
            if isinstance(piece, Exception):
                raise piece
            yield piece.encode()


@pytest.fixture
def api():
    return Api()


@pytest.fixture
async def client(api):
    async with PageClient("http://videogen.test", transport=httpx.MockTransport(api)) as client:
        yield client


@pytest.fixture
def tab(api, client):
    """An open tab of a session without generations: `tab.board.put(generation(...))`, then render its panels."""
    api.session("mine")
    return Tab(client.as_session("mine"), Texts(catalog("en")), token="mine", link="live")


@pytest.fixture
async def arrive(api, tab):
    """Open the tab, at an address, in a session with these: `await arrive(generation_json(...), search="?q=x")`."""

    async def arrive(*generations, search=""):
        api.session("mine", *generations)
        await read_address(tab, parse(search), await tab.client.list())
        show_address(tab)

    return arrive


@pytest.fixture
def html(tab):
    """The HTML of a panel of the tab, by its name."""
    return lambda name: render_panel(next(panel for panel in PANELS if panel.name == name), tab)
