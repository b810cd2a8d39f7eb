"""The calls that send files: images to start from, files made by videogen, and exports."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path

import httpx

from videogen.client.calls import API, Call, NoContent, segment
from videogen.client.download import PartialFile
from videogen.client.transport import Transport
from videogen.schemas.generations import File, FileSettings
from videogen.schemas.portability import ExportLink, Imported, ImportLink


class FileCalls(Transport):
    """A part of `AsyncClient`."""

    async def upload(self, image: Path | bytes) -> File:
        """Send an image. Its `id` is the `input_file_id` of a submit."""
        return await self._send(Call("POST", f"{API}/files", File, {"files": await _parts(image)}))

    async def read_settings(self, file: Path | bytes) -> FileSettings:
        """The prompt and the settings of a file that was made by videogen; `submit` takes its `request`."""
        return await self._send(Call("POST", f"{API}/files/settings", FileSettings, {"files": await _parts(file)}))

    async def file(self, file_id: str) -> File:
        """An uploaded image or a generated image, with a new link."""
        return await self._send(Call("GET", f"{API}/files/{segment(file_id)}", File))

    async def delete_file(self, file_id: str) -> None:
        """Delete an uploaded image that no generation uses."""
        # Not repeatable: the second call gets `not_found`.
        await self._send(Call("DELETE", f"{API}/files/{segment(file_id)}", NoContent, repeatable=False))

    async def export_zip(self, path: Path) -> Path:
        """Write all completed generations of the session to a zip at `path`, which is never left incomplete."""
        return await self._fetch_at_once(f"{API}/export", await asyncio.to_thread(PartialFile.empty, path))

    async def export_link(self) -> ExportLink:
        """A link to the same zip, for a browser; it needs no token and is valid for ten minutes."""
        return await self._send(Call("POST", f"{API}/export", ExportLink))

    async def import_link(self) -> ImportLink:
        """Where a browser can send a zip to import without a token, for ten minutes."""
        return await self._send(Call("POST", f"{API}/import/link", ImportLink))

    async def import_zip(self, path: Path) -> Imported:
        """Add the generations of an export of this or another app. Existing generations do not change."""
        size = (await asyncio.to_thread(path.stat)).st_size
        headers = {"Content-Length": str(size), "Content-Type": "application/zip"}
        timeout = httpx.Timeout(connect=5.0, read=600.0, write=60.0, pool=5.0)
        return await self._send(Call("POST", f"{API}/import", Imported, {"timeout": timeout}, headers, body=path))


async def _parts(file: Path | bytes) -> dict[str, tuple[str, bytes, str]]:
    """The multipart body with one file."""
    name = file.name if isinstance(file, Path) else "file"
    data = await asyncio.to_thread(file.read_bytes) if isinstance(file, Path) else file
    return {"file": (name, data, mimetypes.guess_type(name)[0] or "application/octet-stream")}
