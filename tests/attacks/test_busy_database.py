"""Another program holds the database, and many want to write: each gets an answer in words, and reads go on."""

import asyncio
import time

import httpx
import pytest

from tests.support.api import API, TINY
from tests.support.app import environment
from tests.support.holders import held
from videogen.core.config import AppConfig
from videogen.db import write_turns
from videogen.server import create_app

# `videogen.server.app` silences it for the server; pytest turns it into an error again.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
WRITERS = 60
SECONDS = 10.0
"""In which each answer must come, however many wait."""


@pytest.fixture
async def app(tmp_path, monkeypatch):
    monkeypatch.setattr(write_turns, "PATIENCE_SECONDS", 1.0)
    app = create_app(AppConfig.from_env(environment(tmp_path / "data", workers=0, max_queue=1000)), page=False)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def visitor(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://page.test", timeout=60) as visitor:
        token = (await visitor.post(f"{API}/sessions")).json()["token"]
        visitor.headers["Authorization"] = f"Bearer {token}"
        yield visitor


async def test_every_answer_comes_in_time_whatever_the_number_of_writers(app, visitor, tmp_path):
    body = {"prompt": "a test", "settings": TINY}
    generation = (await visitor.post(f"{API}/generations", json=body)).json()["generations"][0]["id"]
    calls = (
        lambda: visitor.post(f"{API}/sessions"),
        lambda: visitor.post(f"{API}/generations", json=body),
        lambda: visitor.post(f"{API}/generations/{generation}/cancel"),
        lambda: visitor.patch(f"{API}/generations/{generation}", json={"favorite": True}),
        lambda: visitor.post(f"{API}/sessions/transfer"),
    )

    async def write(number):
        began = time.monotonic()
        answer = await calls[number % len(calls)]()
        assert (answer.status_code, answer.json()["code"]) == (503, "database_busy"), answer.text
        assert "Another program holds the database" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert time.monotonic() - began < SECONDS

    with held(tmp_path / "data" / "videogen.sqlite"):
        writers = [asyncio.create_task(write(number)) for number in range(WRITERS)]
        await asyncio.sleep(0)
        for path in (f"{API}/generations/{generation}", f"{API}/generations", "/readyz"):
            assert (await visitor.get(path)).status_code == 200
        # A visitor who has never been here gets the page and a session.
        page = await visitor.get("/", headers={"Authorization": ""})
        assert "videogen_session=" in page.headers["set-cookie"]
        assert sum(not writer.done() for writer in writers) > 1, "these have not waited for the writers"
        await asyncio.gather(*writers)
        # By now it is known, and nobody waits.
        await asyncio.gather(*(write(number) for number in range(WRITERS)))

    for call in calls:
        assert (await call()).is_success
