"""The asynchronous client: one method for each call of the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar, Unpack
from uuid import uuid4

from pydantic import BaseModel

from videogen.client.account_calls import AccountCalls
from videogen.client.admin_calls import AdminCalls
from videogen.client.calls import (
    API,
    Call,
    ExplainOptions,
    GenerateOptions,
    ListOptions,
    NoContent,
    ShareOptions,
    SubmitOptions,
    Text,
    events_path,
    generation_path,
    segment,
)
from videogen.client.download import PartialFile, link_of
from videogen.client.errors import WaitTimeout, result_of
from videogen.client.export_calls import ExportCalls
from videogen.client.file_calls import FileCalls
from videogen.client.queue_calls import QueueCalls
from videogen.client.watch_state import Watched, needs_attention
from videogen.client.webhook_calls import WebhookCalls
from videogen.schemas.engines import EngineInfo, EngineList, ExplainRequest, Explanation
from videogen.schemas.generations import (
    Generation,
    GenerationCreate,
    GenerationPage,
    GenerationPatch,
    Project,
)
from videogen.schemas.history import Bundle, IdsPage, Restored, Trashed, TrashPage
from videogen.schemas.portability import Transfer
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.schemas.system import Device, DeviceList, Health, SessionCreated

M = TypeVar("M", bound=BaseModel)


class AsyncClient(AccountCalls, AdminCalls, ExportCalls, FileCalls, QueueCalls, WebhookCalls):
    """One session's view of the API. `as_session` gives another session's, over the same connections.

    Every call may raise `Unreachable`, `ApiError`, `ProtocolError` or `VersionMismatch`, all of them `ClientError`.
    """

    async def health(self) -> Health:
        """The name, version and state of the server."""
        return await self._send(Call("GET", "/healthz", Health))

    async def create_session(self) -> SessionCreated:
        """Make a new session. This client keeps its own token: see `as_session`."""
        return await self._send(Call("POST", f"{API}/sessions", SessionCreated, repeatable=False))

    async def submit(
        self, prompt: str | GenerationCreate, idempotency_key: str | None = None, **options: Unpack[SubmitOptions]
    ) -> Project:
        """Ask for a video. The same key with the same request always gives the same project.

        Without a key the client makes one. So a submit whose answer was lost can be sent again without a second video.
        """
        request = GenerationCreate(prompt=prompt, **options) if isinstance(prompt, str) else prompt
        body = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return await self._send(Call("POST", f"{API}/generations", Project, {"json": body}, headers))

    async def generate(
        self, prompt: str, path: Path | str, idempotency_key: str | None = None, **options: Unpack[GenerateOptions]
    ) -> Generation:
        """Submit a prompt, wait for the result, and write it to `path`. Return the completed generation.

        Raises:
            GenerationFailed, GenerationCancelled: it ended without a result.
            DownloadFailed: the result could not be fetched.
            FileNotFoundError: the folder of `path` does not exist. Nothing was submitted.
        """
        folder = Path(path).parent
        if not await asyncio.to_thread(folder.is_dir):
            raise FileNotFoundError(f"{path}: expected a folder that exists, got {folder}.")
        project = await self.submit(prompt, idempotency_key, **options)
        generation = await self.wait(project.generations[0])
        await self.download(generation, path)
        return generation

    async def get(self, generation_id: str) -> Generation:
        """The current state of one generation."""
        return await self._send(Call("GET", generation_path(generation_id), Generation))

    async def log(self, generation_id: str) -> str:
        """What the engine of a generation has printed, with the traceback of an error; at most 256 KiB."""
        return (await self._send(Call("GET", f"{generation_path(generation_id)}/log", Text))).text

    async def list(self, **filters: Unpack[ListOptions]) -> GenerationPage:
        """One page of the history, newest first. `cursor` is `next_cursor` of the previous page."""
        return await self._send(_page("generations", GenerationPage, filters))

    async def generations(self, **filters: Unpack[ListOptions]) -> AsyncGenerator[Generation, None]:
        """The whole history, newest first. Each page is fetched when it is needed."""
        while True:
            page = await self.list(**filters)
            for generation in page.items:
                yield generation
            if page.next_cursor is None:
                return
            filters["cursor"] = page.next_cursor

    async def patch(self, generation_id: str, title: str | None = None, favorite: bool | None = None) -> Generation:
        """Change the title or the favourite mark. None changes nothing."""
        body = GenerationPatch(title=title, favorite=favorite).model_dump(by_alias=True, exclude_none=True)
        return await self._send(Call("PATCH", generation_path(generation_id), Generation, {"json": body}))

    async def delete(self, generation_id: str) -> None:
        """Delete a generation that has ended, and its files."""
        # Not repeatable: the second call gets `not_found`.
        await self._send(Call("DELETE", generation_path(generation_id), NoContent, repeatable=False))

    async def trash(self, ids: Sequence[str]) -> Trashed:
        """Delete up to 1,000 generations; `restore` undoes it. `left_out` lists what was not deleted, and why."""
        return await self._send(_of_ids("trash", Trashed, ids))

    async def restore(self, ids: Sequence[str]) -> Restored:
        """Undo `trash`, until its `restorable_until`."""
        return await self._send(_of_ids("restore", Restored, ids))

    async def list_trash(self, cursor: str | None = None, limit: int | None = None) -> TrashPage:
        """One page of what can be restored, newest first, each with `restorable_until` and without links."""
        return await self._send(_page("generations/trash", TrashPage, ListOptions(cursor=cursor, limit=limit)))

    async def ids(self, **filters: Unpack[ListOptions]) -> AsyncGenerator[str, None]:
        """The ids of all generations that match, newest first. Each page is fetched when it is needed."""
        while True:
            page = await self._send(_page("generations/ids", IdsPage, filters))
            for generation_id in page.ids:
                yield generation_id
            if page.next_cursor is None:
                return
            filters["cursor"] = page.next_cursor

    async def zip_link(self, ids: Sequence[str]) -> Bundle:
        """A link to a zip of up to 1,000 completed generations: it needs no token, and is valid for ten minutes."""
        return await self._send(_of_ids("zip", Bundle, ids))

    async def zip(self, ids: Sequence[str], path: Path) -> Path:
        """Write up to 1,000 completed generations to a zip at `path`, which is never left incomplete."""
        bundle = await self.zip_link(ids)
        return await self._fetch_at_once(bundle.url, await asyncio.to_thread(PartialFile.empty, path))

    async def engines(self) -> tuple[EngineInfo, ...]:
        """The engines of the server."""
        return tuple((await self._send(Call("GET", f"{API}/engines", EngineList))).items)

    async def explain(self, prompt: str, engine: str, **options: Unpack[ExplainOptions]) -> Explanation:
        """What an engine (its id) would make of a prompt: nothing is rendered or stored. Unknown values are None."""
        body = ExplainRequest(prompt=prompt, **options).model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return await self._send(Call("POST", f"{API}/engines/{segment(engine)}/explain", Explanation, {"json": body}))

    async def share(self, generation_id: str, **options: Unpack[ShareOptions]) -> Share:
        """Make the public link of one generation, or change the existing one; see `ShareOptions`."""
        body = ShareCreate(**options).model_dump(by_alias=True, exclude_unset=True)
        return await self._send(Call("POST", f"{generation_path(generation_id)}/share", Share, {"json": body}))

    async def shares(self) -> tuple[Share, ...]:
        """The valid public links of this session, newest first."""
        return tuple((await self._send(Call("GET", f"{API}/shares", ShareList))).items)

    async def unshare(self, generation_id: str) -> None:
        """Revoke the public link."""
        await self._send(Call("DELETE", f"{generation_path(generation_id)}/share", NoContent))

    async def transfer(self) -> Transfer:
        """Make a one-time code that opens this session on another device."""
        return await self._send(Call("POST", f"{API}/sessions/transfer", Transfer, repeatable=False))

    async def revoke_transfer(self) -> None:
        """Make the code invalid, if it was not used."""
        await self._send(Call("DELETE", f"{API}/sessions/transfer", NoContent))

    async def claim(self, code: str) -> SessionCreated:
        """Open the session of a code. This client keeps its own token: see `as_session`."""
        path = f"{API}/sessions/claim"
        return await self._send(Call("POST", path, SessionCreated, {"json": {"code": code}}, repeatable=False))

    async def devices(self) -> tuple[Device, ...]:
        """The devices that can open this session, the one that was used last first."""
        return tuple((await self._send(Call("GET", f"{API}/devices", DeviceList))).items)

    async def sign_out(self, device_id: str) -> None:
        """Sign a device out: its token never opens the session again."""
        await self._send(Call("DELETE", f"{API}/devices/{segment(device_id)}", NoContent, repeatable=False))

    async def sign_out_others(self) -> SessionCreated:
        """Sign out all devices but this one. This client uses the new token from now on; keep it."""
        created = await self._send(Call("DELETE", f"{API}/devices", SessionCreated, repeatable=False))
        self.token = created.token
        return created

    def watch(
        self,
        *,
        generation: str | None = None,
        project: str | None = None,
        last_event_id: int | None = None,
        on_retention: Callable[[Sequence[str]], None] | None = None,
    ) -> AsyncGenerator[Watched, None]:
        """Yield the events of one generation, one project, or the whole session. Reconnect after any break.

        Without `last_event_id` the first events are the current state of all generations in scope that have not
        ended. The watch ends when the server closes it for good, and after the terminal event of one generation.

        Args:
            generation, project: what to watch; without both it is the whole session.
            last_event_id: the event after which to go on.
            on_retention: called where what the session keeps has changed, with the ids of what was removed for good;
                with none where something else goes next. Only of the whole session, and only while connected.

        Raises:
            ApiError: the server refuses the subscription for good (unknown id, no session).
        """
        path = events_path(generation, project)
        return self._subscribe(path, last_event_id, on_retention, ends_with_terminal=generation is not None)

    async def wait(
        self,
        generation: Generation | str,
        timeout: float | None = None,  # noqa: ASYNC109 - both clients have the same parameters
        on_event: Callable[[Watched], None] | None = None,
    ) -> Generation:
        """Wait until a generation has ended, and return it with its links. Reconnect after any break.

        Args:
            generation: the generation or its id.
            timeout: seconds to wait at most. The generation goes on afterwards.
            on_event: called with each item that `watch` would yield.

        Raises:
            GenerationFailed, GenerationCancelled: it ended without a result.
            AttentionNeeded: it waits until it is resolved.
            WaitTimeout: it has not ended in time.
        """
        generation_id = generation if isinstance(generation, str) else generation.id
        try:
            async with asyncio.timeout(timeout), aclosing(self.watch(generation=generation_id)) as items:
                async for item in items:
                    if on_event is not None:
                        on_event(item)
                    if needs_attention(item) and (current := await self.get(generation_id)).needs_attention:
                        return result_of(current)
        except TimeoutError as problem:
            raise WaitTimeout from problem
        return result_of(await self.get(generation_id))

    async def download(self, generation: Generation | str, path: Path | str) -> Path:
        """Write the result of a completed generation to `path`, which is never left incomplete.

        A download that broke off, even in another process, continues where it stopped.
        """
        # Links expire, so ask for a new one.
        current = await self.get(generation if isinstance(generation, str) else generation.id)
        link, name = link_of(current), current.file_id or current.id
        part = await asyncio.to_thread(PartialFile, Path(path), name, current.size_bytes)
        return await self._fetch_with_resume(link, part)


def _page(path: str, model: type[M], filters: ListOptions) -> Call[M]:
    params = {key: value for key, value in filters.items() if value is not None}
    return Call("GET", f"{API}/{path}", model, {"params": params})


def _of_ids(action: str, model: type[M], ids: Sequence[str]) -> Call[M]:
    return Call("POST", f"{API}/generations/{action}", model, {"json": {"ids": list(ids)}})
