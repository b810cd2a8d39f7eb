"""The calls that say what becomes of a generation that was submitted, and of the session's queue."""

from __future__ import annotations

from typing import Unpack

from videogen.client.calls import API, Call, EditOptions, NoContent, RemakeOptions, generation_path
from videogen.client.transport import Transport
from videogen.schemas.generations import Generation, GenerationPatch, Queue, ResolveAction
from videogen.schemas.retention import Quota, Quotas, Retention
from videogen.schemas.shots import ShotRemake


class QueueCalls(Transport):
    """A part of `AsyncClient`."""

    async def cancel(self, generation_id: str) -> Generation:
        """Stop a generation. This is safe at any time: one that has ended does not change."""
        return await self._send(Call("POST", f"{generation_path(generation_id)}/cancel", Generation))

    async def move(self, generation_id: str, before: str | None) -> Generation:
        """Move a queued generation before another one of this session, or with None behind all of them."""
        path = f"{generation_path(generation_id)}/move"
        return await self._send(Call("POST", path, Generation, {"json": {"before": before}}))

    async def queue(self) -> Queue:
        """What of this session runs and waits, in the order of service, and whether its queue is paused."""
        return await self._send(Call("GET", f"{API}/queue", Queue))

    async def pause_queue(self) -> Queue:
        """Let nothing of this session begin until `resume_queue`. What has begun goes on."""
        return await self._send(Call("POST", f"{API}/queue/pause", Queue))

    async def resume_queue(self) -> Queue:
        """Let the queue of this session go on."""
        return await self._send(Call("POST", f"{API}/queue/resume", Queue))

    async def keep(self, generation_id: str) -> Generation:
        """Let the time for which a generation is kept count from now; see its `expires_at`."""
        return await self._send(Call("POST", f"{generation_path(generation_id)}/keep", Generation))

    async def note_use(self, generation_id: str) -> None:
        """Say that somebody looks at a generation: it is not removed for the next 15 minutes."""
        await self._send(Call("POST", f"{generation_path(generation_id)}/use", NoContent))

    async def retention(self) -> Retention:
        """How long what has ended is kept, and what goes soon."""
        return await self._send(Call("GET", f"{API}/retention", Retention))

    async def quota(self) -> dict[str, Quota]:
        """What is left of every engine that has a quota, by engine id."""
        return (await self._send(Call("GET", f"{API}/quota", Quotas))).engines

    async def edit(self, generation_id: str, **changes: Unpack[EditOptions]) -> Generation:
        """Change what a queued generation is to show. `settings` are added to its own; a seed of None draws one."""
        body = GenerationPatch(**changes).model_dump(mode="json", by_alias=True, exclude_unset=True)
        return await self._send(Call("PATCH", generation_path(generation_id), Generation, {"json": body}))

    async def retry(self, generation_id: str) -> Generation:
        """Start a new generation with the same recipe and seed."""
        path = f"{generation_path(generation_id)}/retry"
        return await self._send(Call("POST", path, Generation, repeatable=False))

    async def remake_shot(self, generation_id: str, number: int, **changes: Unpack[RemakeOptions]) -> Generation:
        """Start a new generation in which one shot of a finished video, counted from 1, is made again.

        With `followers` false, the shots after it stay as they are; see `ShotRemake`.
        """
        path, body = f"{generation_path(generation_id)}/shots/{number}", ShotRemake(**changes)
        json = body.model_dump(mode="json", by_alias=True)
        return await self._send(Call("POST", path, Generation, {"json": json}, repeatable=False))

    async def resolve(self, generation_id: str, action: ResolveAction) -> Generation:
        """Say what becomes of a generation that needs attention; see `GenerationResolve`.

        Returns:
            the generation; for `resubmit` the new one.
        """
        # Not repeatable: the second call gets `needs_no_attention`.
        path, body = f"{generation_path(generation_id)}/resolve", {"action": action}
        return await self._send(Call("POST", path, Generation, {"json": body}, repeatable=False))
