"""The blocking client: the API, call by call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Unpack

from videogen.client import calls
from videogen.client.blocking.transport import Sender
from videogen.client.calls import ListOptions, ShareOptions, SubmitOptions
from videogen.client.download import PartialFile, link_of
from videogen.client.errors import result_of
from videogen.client.watch_state import Watched
from videogen.schemas.engines import EngineInfo
from videogen.schemas.generations import File, Generation, GenerationCreate, GenerationPage, Project
from videogen.schemas.history import Restored, Trashed
from videogen.schemas.portability import Imported, Transfer
from videogen.schemas.sharing import Share
from videogen.schemas.system import Health, SessionCreated


class Client(Sender):
    """One session's view of the API. `as_session` gives another's, over the same connections.

    Every call may raise `Unreachable`, `ApiError`, `ProtocolError` or `VersionMismatch`, all of them `ClientError`.
    """

    def health(self) -> Health:
        """Who answers there, and in which version."""
        return self._send(calls.health())

    def create_session(self) -> SessionCreated:
        """Make a new session. This client does not take its token: see `as_session`."""
        return self._send(calls.create_session())

    def submit(
        self, prompt: str | GenerationCreate, idempotency_key: str | None = None, **options: Unpack[SubmitOptions]
    ) -> Project:
        """Ask for a video. The same key with the same request gives the same project, however often.

        Without a key one is made, so that a submit whose answer was lost is sent again without making a second video.
        """
        return self._send(calls.submit(prompt, idempotency_key, options))

    def get(self, generation_id: str) -> Generation:
        """One generation as it is now."""
        return self._send(calls.get(generation_id))

    def list(self, **wanted: Unpack[ListOptions]) -> GenerationPage:
        """One page of the history, newest first; `cursor` is the page before's `next_cursor`."""
        return self._send(calls.page(wanted))

    def generations(self, **wanted: Unpack[ListOptions]) -> Iterator[Generation]:
        """The whole history, newest first, page by page as it is needed."""
        while True:
            page = self.list(**wanted)
            yield from page.items
            if page.next_cursor is None:
                return
            wanted["cursor"] = page.next_cursor

    def patch(self, generation_id: str, title: str | None = None, favorite: bool | None = None) -> Generation:
        """Change the title or the favourite mark; None leaves it as it is."""
        return self._send(calls.patch(generation_id, title, favorite))

    def cancel(self, generation_id: str) -> Generation:
        """Stop a generation. Safe at any time: one that has ended stays as it is."""
        return self._send(calls.cancel(generation_id))

    def move(self, generation_id: str, before: str | None) -> Generation:
        """Put a queued generation before another one of this session, or with None after all of them."""
        return self._send(calls.move(generation_id, before))

    def retry(self, generation_id: str) -> Generation:
        """Start a new generation with the same recipe and seed."""
        return self._send(calls.retry(generation_id))

    def delete(self, generation_id: str) -> None:
        """Remove a generation that has ended, and its files."""
        self._send(calls.delete(generation_id))

    def trash(self, ids: Sequence[str]) -> Trashed:
        """Delete up to 1,000 in a way that can be undone; what has not ended, or is not there, is left out and told."""
        return self._send(calls.trash(ids))

    def restore(self, ids: Sequence[str]) -> Restored:
        """Undo `trash`, as long as its `restorable_until` has not passed."""
        return self._send(calls.restore(ids))

    def ids(self, **wanted: Unpack[ListOptions]) -> Iterator[str]:
        """The ids of all that match, newest first, page by page as they are needed."""
        while True:
            page = self._send(calls.ids_page(wanted))
            yield from page.ids
            if page.next_cursor is None:
                return
            wanted["cursor"] = page.next_cursor

    def zip(self, ids: Sequence[str], path: Path) -> Path:
        """Write up to 1,000 finished generations as a zip; `path` is whole or not there."""
        bundle = self._send(calls.make_zip(ids))
        return self._whole(bundle.url, PartialFile.anew(path))

    def engines(self) -> tuple[EngineInfo, ...]:
        """The engines on offer."""
        return tuple((self._send(calls.engines())).items)

    def upload(self, image: Path | bytes) -> File:
        """Send an image; its `id` is the `input_file_id` of a submit."""
        if isinstance(image, Path):
            return self._send(calls.upload(image.read_bytes(), image.name))
        return self._send(calls.upload(image, "image"))

    def file(self, file_id: str) -> File:
        """An uploaded image or a finished still, with a fresh link."""
        return self._send(calls.file(file_id))

    def share(self, generation_id: str, **options: Unpack[ShareOptions]) -> Share:
        """Make the public link to one generation, or change the one there is; see `calls.ShareOptions`."""
        return self._send(calls.share(generation_id, options))

    def shares(self) -> tuple[Share, ...]:
        """The public links of this session that hold, newest first."""
        return tuple((self._send(calls.shares())).items)

    def unshare(self, generation_id: str) -> None:
        """Revoke the public link."""
        self._send(calls.unshare(generation_id))

    def transfer(self) -> Transfer:
        """Make a one-time code that opens this session on another device."""
        return self._send(calls.transfer())

    def revoke_transfer(self) -> None:
        """Take the code back, if it was not used."""
        self._send(calls.revoke_transfer())

    def claim(self, code: str) -> SessionCreated:
        """Open the session of a code. This client does not take its token: see `as_session`."""
        return self._send(calls.claim(code))

    def export_zip(self, path: Path) -> Path:
        """Write everything that the session has finished, as a zip; `path` is whole or not there."""
        return self._whole(f"{calls.API}/export", PartialFile.anew(path))

    def import_zip(self, path: Path) -> Imported:
        """Bring in an export of this or another app. What is here already stays as it is."""
        size = (path.stat()).st_size
        return self._send(calls.import_zip(path, size))

    def watch(
        self,
        *,
        generation: str | None = None,
        project: str | None = None,
        last_event_id: int | None = None,
    ) -> Generator[Watched, None, None]:
        """Follow the whole session, or one generation, or one project, over any number of breaks.

        Without `last_event_id` it starts with the current state of everything in scope that has not ended. It
        ends when the server says that nothing more will come, and after the terminal event of one generation.

        Raises:
            ApiError: the server refuses the subscription for good (unknown id, no session).
        """
        path = calls.events_path(generation, project)
        return self._follow(path, last_event_id, one=generation is not None)

    def wait(
        self,
        generation: Generation | str,
        timeout: float | None = None,
        on_event: Callable[[Watched], None] | None = None,
    ) -> Generation:
        """Wait until a generation has ended, over any number of breaks, and return it with its links.

        Args:
            generation: it, or its id.
            timeout: seconds to wait at most; it goes on afterwards all the same.
            on_event: hears what a watch would yield.

        Raises:
            GenerationFailed, GenerationCancelled: it ended without a result.
            WaitTimeout: it has not ended in time.
        """
        generation_id = generation if isinstance(generation, str) else generation.id
        deadline = None if timeout is None else monotonic() + timeout
        path = calls.events_path(generation_id, None)
        for item in self._follow(path, None, one=True, deadline=deadline):
            if on_event is not None:
                on_event(item)
        return result_of(self.get(generation_id))

    def download(self, generation: Generation | str, path: Path) -> Path:
        """Fetch the result of a completed generation to `path`, which is whole or not there.

        A download that broke off, even in another process, is taken up where it was.
        """
        # Asked anew: links run out.
        found = self.get(generation if isinstance(generation, str) else generation.id)
        link = link_of(found)
        part = PartialFile(path, found.file_id or found.id, found.size_bytes)
        return self._resume(link, part)
