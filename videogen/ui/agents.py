"""Tools for agents, which Gradio offers over MCP. Each acts for one session, never the page's, never everybody's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urljoin

import gradio as gr
import orjson
from gradio.events import api

from videogen.client import (
    ApiError,
    AsyncClient,
    AttentionNeeded,
    ClientError,
    ExportFailed,
    GenerationEnded,
    WaitTimeout,
)
from videogen.client.calls import Images
from videogen.schemas.exports import KINDS
from videogen.schemas.generations import Generation
from videogen.ui.page_client import PageClient

WAIT_SECONDS: Final = 300.0
"""How long one call may wait: proxies and agents give up on longer ones."""
EXPORT_SECONDS: Final = 60.0
Told = dict[str, Any]
Tool = Callable[..., Awaitable[str]]


def mcp_is_installed() -> bool:
    """Whether the tools can be offered: they need the package `mcp`, which `pip install videogen[mcp]` brings."""
    return find_spec("mcp") is not None


class Agents:
    """The tools, all bound to one client. A tool's docstring is what the agent reads."""

    def __init__(self, client: PageClient) -> None:
        self._client = client

    def offer(self) -> None:
        """Add the tools to the page that is being built. The page's own handlers stay private."""
        for tool in (
            self.generate_video,
            self.get_generation,
            self.wait_for_generation,
            self.export_video,
            self.cancel_generation,
            self.list_generations,
        ):
            api(_with_errors_in_words(tool), api_name=tool.__name__, queue=False, concurrency_limit=None)

    async def generate_video(
        self,
        request: gr.Request,
        prompt: str,
        size: str = "854x480",
        seconds: float = 4.0,
        settings: dict[str, Any] | None = None,
        session: str = "",
    ) -> str:
        """
        Start to render a video from a text prompt. Returns at once with the generation's id; follow it with
        wait_for_generation, which gives the link to the finished MP4. The work goes on whatever becomes of you.

        Parameters:
            prompt: what should be seen, such as "ocean at sunset, slow pan to the right"
            size: width x height in pixels, both even, such as "854x480"
            seconds: length of the video in seconds; with extend, of the whole
            settings: other settings of the engine as an object, such as {"seed": 7, "fps": 24}; also the images to
                start from and to end with, {"inputFileId": "fil_...", "lastFrameFileId": "fil_..."}: ids of uploads of
                this session (POST /api/v1/files), or of the files of its finished images; or {"extend": "gen_..."}, the
                id of a finished video of this session that goes on: it becomes the first part of the new one
            session: leave empty the first time; then the session that an earlier result named
        """
        width, _, height = size.lower().partition("x")
        if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise _error(f"size must be WIDTHxHEIGHT such as 854x480; this was {size!r}.")
        asked = {"width": int(width), "height": int(height), "durationSeconds": seconds} | (settings or {})
        images: Images = {
            "input_file_id": asked.pop("inputFileId", None),
            "last_frame_file_id": asked.pop("lastFrameFileId", None),
        }
        extend = asked.pop("extend", None)
        try:
            token, is_new = await self._session(request, session)
            client = self._client.of(request).as_session(token)
            project = await client.submit(prompt, settings=asked, extend=extend, **images)
        except (ClientError, ValueError) as problem:
            raise _tool_error(problem) from problem
        given = _shown(project.generations[0], request)
        return _text(given | ({"session": token, "keepSession": _KEEP} if is_new else {}))

    async def get_generation(self, request: gr.Request, generation_id: str, session: str = "") -> str:
        """
        Tell where a generation is: its status, progress in percent, and once it is completed the links to its video.

        Parameters:
            generation_id: as generate_video gave it, such as gen_...
            session: the session that generate_video named, if it named one
        """
        return _text(_shown(await self._read(request, generation_id, session), request))

    async def wait_for_generation(
        self, request: gr.Request, generation_id: str, seconds: float = 60.0, session: str = ""
    ) -> str:
        """
        Wait until a generation has ended, but no longer than the given seconds; then tell where it is, as
        get_generation does. If it is still queued or processing, call this again; but not in the stage
        needs_attention, which only its owner can end: ask what to do, on the page or with `videogen resolve`.

        Parameters:
            generation_id: as generate_video gave it, such as gen_...
            seconds: how long to wait at most, up to 300
            session: the session that generate_video named, if it named one
        """
        client = await self._known(request, session)
        try:
            ended = await client.wait(generation_id, timeout=min(max(seconds, 0.0), WAIT_SECONDS))
        except WaitTimeout:
            ended = await self._read(request, generation_id, session)
        except (GenerationEnded, AttentionNeeded) as end:
            ended = end.generation
        except ClientError as problem:
            raise _tool_error(problem) from problem
        return _text(_shown(ended, request))

    async def export_video(
        self,
        request: gr.Request,
        generation_id: str,
        format: str = "webm",  # noqa: A002 - the API's word
        session: str = "",
    ) -> str:
        """
        Have a finished video made into another format, and wait up to a minute for it. The result has a link once its
        status is completed; call this again while it is queued or processing.

        Parameters:
            generation_id: as generate_video gave it, such as gen_...
            format: "webm" keeps the sound; "gif" and "png" (a zip of all frames) have none
            session: the session that generate_video named, if it named one
        """
        client = await self._known(request, session)
        if format not in KINDS:
            raise _error(f"format must be one of {', '.join(KINDS)}; this was {format!r}.")
        try:
            export = await client.export(generation_id, format)
            with suppress(WaitTimeout, ExportFailed):
                await client.wait_export(export, timeout=EXPORT_SECONDS)
            export = await client.get_export(export.id)
        except ClientError as problem:
            raise _tool_error(problem) from problem
        given = export.model_dump(mode="json", by_alias=True, exclude_none=True)
        return _text(given | ({"url": urljoin(str(request.url), export.url)} if export.url else {}))

    async def cancel_generation(self, request: gr.Request, generation_id: str, session: str = "") -> str:
        """
        Stop a generation that is queued or processing. One that has ended stays as it is.

        Parameters:
            generation_id: as generate_video gave it, such as gen_...
            session: the session that generate_video named, if it named one
        """
        client = await self._known(request, session)
        try:
            return _text(_shown(await client.cancel(generation_id), request))
        except ClientError as problem:
            raise _tool_error(problem) from problem

    async def list_generations(self, request: gr.Request, words: str = "", limit: int = 20, session: str = "") -> str:
        """
        List what this session has made, newest first.

        Parameters:
            words: only those with these words in the prompt or the title
            limit: how many at most, 1 to 100
            session: the session that generate_video named, if it named one
        """
        client = await self._known(request, session)
        try:
            page = await client.list(q=words or None, limit=min(max(limit, 1), 100))
        except ClientError as problem:
            raise _tool_error(problem) from problem
        return _text([_shown(generation, request) for generation in page.items])

    async def _read(self, request: gr.Request, generation_id: str, session: str) -> Generation:
        try:
            return await (await self._known(request, session)).get(generation_id)
        except ClientError as problem:
            raise _tool_error(problem) from problem

    async def _known(self, request: gr.Request, session: str) -> AsyncClient:
        """The client of the session that asks."""
        token = _bearer(request) or session
        if not token:
            raise _error(_WHO)
        return self._client.of(request).as_session(token)

    async def _session(self, request: gr.Request, session: str) -> tuple[str, bool]:
        """The session that asks; a new one for who has none. A cookie counts for nothing: other sites could send it."""
        if token := _bearer(request) or session:
            return token, False
        return (await self._client.of(request).create_session()).token, True


_WHO: Final = (
    "Whose generations? Send the header `Authorization: Bearer <token>`, or hand over the `session` that "
    "generate_video named when it made one for you."
)
_KEEP: Final = "Hand this session over with every further call. It is a secret: whoever has it sees what you make."


def _bearer(request: gr.Request) -> str:
    scheme, _, token = str(request.headers.get("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _text(given: Told | list[Told]) -> str:
    """As JSON: Gradio would write Python's own form."""
    return orjson.dumps(given, option=orjson.OPT_INDENT_2).decode()


def _shown(generation: Generation, request: gr.Request) -> Told:
    """What an agent needs of a generation; links with the whole address."""
    base = str(request.url)
    given = generation.model_dump(mode="json", by_alias=True, include=_SHOWN)
    for name in ("videoUrl", "imageUrl", "posterUrl", "previewUrl"):
        if given.get(name):
            given[name] = urljoin(base, given[name])
    return {key: value for key, value in given.items() if value not in (None, "")}


_SHOWN: Final = {
    *(
        "id",
        "status",
        "progress",
        "stage",
        "message",
        "estimated",
        "attention",
        "cost",
        "queue_position",
        "expected_wait_seconds",
        "eta_seconds",
        "prompt",
        "engine",
        "seed",
    ),
    "extends",
    *("width", "height", "duration_seconds", "has_audio", "size_bytes"),
    *("video_url", "image_url", "poster_url", "preview_url", "error", "created_at"),
}


def _tool_error(problem: ClientError | ValueError) -> gr.Error:
    if isinstance(problem, ApiError) and problem.code == "session_required":
        return _error(f"The session is not known here. {_WHO}")
    return _error(problem.detail if isinstance(problem, ClientError) else str(problem))


def _error(text: str) -> gr.Error:
    return gr.Error(text, print_exception=False)


def _with_errors_in_words(tool: Tool) -> Tool:
    """The same tool, which names an argument of a wrong type instead of failing: an agent may send anything."""

    @wraps(tool)
    async def checked(*arguments: Any, **options: Any) -> str:
        try:
            return await tool(*arguments, **options)
        except (TypeError, ValueError, AttributeError, OverflowError) as problem:
            raise _error(f"An argument has a wrong type or is out of range ({problem}).") from problem

    return checked
