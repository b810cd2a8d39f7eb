"""The calls for exports: a finished video as WebM, GIF or a zip of PNG files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from videogen.client.calls import API, Call, NoContent, generation_path, segment
from videogen.client.download import PartialFile
from videogen.client.errors import ExportFailed, WaitTimeout
from videogen.client.transport import Transport
from videogen.client.watch_state import ConnectionChange, ExportState
from videogen.schemas.exports import Export, ExportFormat, ExportList


class ExportCalls(Transport):
    """A part of `AsyncClient`."""

    async def export(self, generation_id: str, format: ExportFormat) -> Export:  # noqa: A002 - the API's word
        """Have a finished video made into another format. The same format gives the same export; a failed one is made
        again.
        """
        path = f"{generation_path(generation_id)}/exports"
        return await self._send(Call("POST", path, Export, {"json": {"format": format}}))

    async def exports(self, generation_id: str) -> tuple[Export, ...]:
        """The exports of a generation, the oldest first."""
        path = f"{generation_path(generation_id)}/exports"
        return tuple((await self._send(Call("GET", path, ExportList))).items)

    async def get_export(self, export_id: str) -> Export:
        """One export as it is now, with a fresh link."""
        return await self._send(Call("GET", _path(export_id), Export))

    async def delete_export(self, export_id: str) -> None:
        """Remove an export and its file. The generation stays."""
        # Not repeatable: the second call gets `not_found`.
        await self._send(Call("DELETE", _path(export_id), NoContent, repeatable=False))

    def watch_export(self, export_id: str) -> AsyncGenerator[Export | ConnectionChange, None]:
        """Yield the state of an export and each change of it, until it has ended. Reconnect after any break."""
        return self._follow(ExportState(f"{_path(export_id)}/events", self._headers))

    async def wait_export(
        self,
        export: Export | str,
        timeout: float | None = None,  # noqa: ASYNC109 - as `wait`
        on_event: Callable[[Export | ConnectionChange], None] | None = None,
    ) -> Export:
        """Wait until an export is completed, and return it with its link. Reconnect after any break.

        Raises:
            ExportFailed: it ended without a file; `export` makes it again.
            WaitTimeout: it has not ended in time. It goes on.
        """
        export_id = export if isinstance(export, str) else export.id
        try:
            async with asyncio.timeout(timeout), aclosing(self.watch_export(export_id)) as items:
                async for item in items:
                    if on_event is not None:
                        on_event(item)
        except TimeoutError as problem:
            raise WaitTimeout from problem
        ended = await self.get_export(export_id)
        if ended.error is not None:
            raise ExportFailed(ended.error.message)
        return ended

    async def download_export(self, export: Export | str, path: Path | str) -> Path:
        """Write the file of a completed export to `path`, which is never left incomplete; it resumes as `download`."""
        current = await self.get_export(export if isinstance(export, str) else export.id)
        if current.url is None:
            raise ExportFailed(f"{current.id}: expected a completed export, got one that is {current.status}.")
        part = await asyncio.to_thread(PartialFile, Path(path), current.file_id or current.id, current.size_bytes)
        return await self._fetch_with_resume(current.url, part)


def _path(export_id: str) -> str:
    return f"{API}/exports/{segment(export_id)}"
