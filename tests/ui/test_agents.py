"""The tools for agents, with a real MCP client against a real app."""

import json
from contextlib import asynccontextmanager

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.support.api import Session, connect
from tests.support.pictures import encoded

TOOLS = {"generate_video", "get_generation", "wait_for_generation", "cancel_generation", "list_generations"}
TOOLS |= {"export_video"}
TINY = {"prompt": "a ship", "size": "64x64", "seconds": 0.5, "settings": {"fps": 8}}


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["looks", "until-cancelled"], workers=2, page=True)


@asynccontextmanager
async def agent(app, token=None, headers=None):
    """An agent that is connected, with the session of a token or without one."""
    headers = (headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    async with (
        httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        streamable_http_client(f"{app.base_url}/gradio_api/mcp/", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def call(agent_session, tool, **arguments):
    """What a tool answers: its value, or the text of its error."""
    answer = await agent_session.call_tool(tool, arguments)
    (content,) = answer.content
    return content.text if answer.isError else json.loads(content.text)


async def test_an_agent_sees_six_tools_with_what_they_do(app):
    async with agent(app) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert set(tools) == TOOLS
    for tool in tools.values():
        assert len(tool.description) > 40
        assert "request" not in tool.inputSchema["properties"]
        assert all(told.get("description") for told in tool.inputSchema["properties"].values()), tool.name
    assert tools["generate_video"].inputSchema["required"] == ["prompt"]


async def test_an_agent_makes_follows_and_fetches_a_video_in_the_session_of_its_token(app):
    with Session(app.base_url) as mine:
        async with agent(app, mine.token) as session:
            made = await call(session, "generate_video", **TINY)
            assert "session" not in made
            done = await call(session, "wait_for_generation", generation_id=made["id"], seconds=60)
            assert done["status"] == "completed"
            assert (await call(session, "get_generation", generation_id=made["id"]))["videoUrl"] == done["videoUrl"]
            assert "format must be one of webm, gif, png" in await call(
                session, "export_video", generation_id=made["id"], format="avi"
            )
            export = await call(session, "export_video", generation_id=made["id"], format="gif")
            assert export["status"] == "completed"
        assert mine.read(made["id"])["prompt"] == "a ship"
        with connect("") as http:
            assert http.get(export["url"]).content.startswith(b"GIF89a")
        with connect("") as http:
            video = http.get(done["videoUrl"])
        assert (video.headers["content-type"], len(video.content)) == ("video/mp4", done["sizeBytes"])


async def test_without_a_token_it_gets_a_session_of_its_own(app):
    async with agent(app) as session:
        made = await call(session, "generate_video", **TINY)
        own = {"session": made["session"]}
        assert [one["id"] for one in await call(session, "list_generations", **own)] == [made["id"]]
        assert (await call(session, "wait_for_generation", generation_id=made["id"], **own))["status"] == "completed"
        for tool, arguments in (("get_generation", {"generation_id": made["id"]}), ("list_generations", {})):
            assert "Whose generations?" in await call(session, tool, **arguments)
        other = await call(session, "generate_video", **TINY)
        assert other["session"] != made["session"]
        refused = await call(session, "get_generation", generation_id=made["id"], session=other["session"])
        assert "belongs to another session" in refused
        assert "not known" in await call(session, "list_generations", session="made up")


async def test_an_agent_names_the_first_and_the_last_frame(app):
    with Session(app.base_url) as mine:
        images = {name: mine.upload(encoded())["id"] for name in ("inputFileId", "lastFrameFileId")}
        async with agent(app, mine.token) as session:
            made = await call(session, "generate_video", **TINY | {"settings": {"fps": 8} | images})
        assert mine.read(made["id"]).items() >= images.items()


async def test_an_agent_goes_on_from_a_video_of_its_session_alone(app):
    with Session(app.base_url) as mine, Session(app.base_url) as other:
        source = mine.finish(mine.submit("looks")["id"])
        longer = {"prompt": "a harbour", "size": "64x64", "seconds": 1.0, "settings": {"extend": source["id"]}}
        async with agent(app, mine.token) as session:
            made = await call(session, "generate_video", **longer)
            done = await call(session, "wait_for_generation", generation_id=made["id"], seconds=60)
        assert (done["status"], done["extends"], done["durationSeconds"]) == ("completed", source["id"], 1.0)
        async with agent(app, other.token) as session:
            foreign = await call(session, "generate_video", **longer)
            unknown = await call(session, "generate_video", **longer | {"settings": {"extend": "gen_unknown"}})
            assert foreign.replace(source["id"], "gen_unknown") == unknown
            refused = await call(session, "export_video", generation_id=source["id"], format="gif")
            assert "belongs to another session" in refused
        assert other.get("/generations").json()["items"] == []


async def test_a_wait_is_bounded_and_a_cancel_is_heard(app):
    with Session(app.base_url) as mine:
        async with agent(app, mine.token) as session:
            made = await call(session, "generate_video", **TINY | {"settings": {"fps": 8}})
            await call(session, "wait_for_generation", generation_id=made["id"])
            endless = mine.submit("until-cancelled")["id"]
            still = await call(session, "wait_for_generation", generation_id=endless, seconds=0.2)
            assert still["status"] in ("queued", "processing")
            await call(session, "cancel_generation", generation_id=endless)
            ended = await call(session, "wait_for_generation", generation_id=endless)
            assert (ended["status"], ended["error"]["code"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"size": "wide"}, "size must be WIDTHxHEIGHT"),
        ({"prompt": ""}, "prompt must be"),
        ({"settings": {"fps": 900}}, "settings.fps must be"),
        ({"settings": {"lastFrameFileId": "fil_a"}}, "inputFileId must be an image for the first frame"),
        ({"settings": {"inputFileId": 7}}, "out of range"),
    ],
)
async def test_what_is_wrong_is_told_to_the_agent(app, wrong, told):
    async with agent(app) as session:
        assert told in await call(session, "generate_video", **TINY | wrong)


async def test_a_cookie_counts_for_nothing(app):
    with Session(app.base_url) as mine:
        async with (
            httpx.AsyncClient(cookies={"videogen_session": mine.token}, timeout=60, trust_env=False) as http,
            streamable_http_client(f"{app.base_url}/gradio_api/mcp/", http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            assert "Whose generations?" in await call(session, "list_generations")


async def test_a_cookie_is_nobodys_session(app):
    with Session(app.base_url) as mine:
        cookie = {"Cookie": f"videogen_session={mine.token}", "Sec-Fetch-Site": "same-origin"}
        async with agent(app, headers=cookie) as session:
            assert "Whose generations?" in await call(session, "list_generations")
            made = await call(session, "generate_video", **TINY)
            assert made["session"] != mine.token
        assert mine.get("/generations").json()["items"] == []


def test_the_pages_own_handlers_cannot_be_called(app):
    with connect(app.base_url) as http:
        tools = http.get("/gradio_api/mcp/schema").json()
    assert {tool["name"] for tool in tools} == TOOLS


WRONG = [{"a": 1}, "\u00b2x64"]


async def test_a_wrong_argument_is_refused_in_words(app):
    """One connection: every parameter of every tool with every wrong value."""
    async with agent(app) as session:
        for tool in (await session.list_tools()).tools:
            for name in tool.inputSchema["properties"]:
                for value in WRONG:
                    if (tool.name, name, type(value)) == ("generate_video", "prompt", str):
                        continue  # any text is a prompt
                    given = {"prompt": "x", "generation_id": "gen_x", "session": "unknown", name: value}
                    given = {key: given[key] for key in given if key in tool.inputSchema["properties"]}
                    answer = await session.call_tool(tool.name, given)
                    assert answer.isError, (tool.name, given)
                    assert answer.content[0].text
    assert "Traceback" not in app.log
