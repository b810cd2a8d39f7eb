"""What a person can do on the page. Each is short: it asks the API and rings for the page's watcher."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import gradio as gr
from pydantic import ValidationError

from videogen.client import ApiError, AsyncClient, ClientError
from videogen.schemas.generations import Generation, GenerationCreate, Project
from videogen.ui import form, views
from videogen.ui.page_client import PageClient
from videogen.ui.pages import Page, Pages, Visit, texts_of
from videogen.ui.texts import Texts
from videogen.ui.views import View

ENDED: Final = "completed,failed"
AWAY_PAGE: Final = 100
"""So many of the newest are asked whether they have ended in the meantime."""


class Actions:
    """The page's handlers, all bound to one client and one registry of open pages."""

    def __init__(self, client: PageClient, pages: Pages, engines: Sequence[form.EngineForm]) -> None:
        self._client = client
        self._pages = pages
        self._engines = engines
        self._count = 0

    async def generate(self, request: gr.Request, *values: Any) -> View:
        """Submit the form. The last value is the browser's own: its token and the form's idempotency key."""
        *fields, browser = values
        told = browser if isinstance(browser, dict) else {}
        key, wishes = told.get("key"), told.get("wishes")
        page = self._page(browser, request)
        try:
            project = await _submit(
                page.client, form.request(fields, self._engines, wishes if isinstance(wishes, dict) else {}), key
            )
        except (form.FormError, ValidationError) as problem:
            return self._outcome(error=_explain(problem, page.texts))
        except ClientError as problem:
            engine = next((one for one in self._engines if one.id == fields[-1]), None)
            names = {f"settings.{one.name}": one.title for one in engine.fields} if engine else {}
            return self._outcome(error=page.texts.refusal(problem, names), faults=page.texts.faults(problem))
        return self._accepted(page, project, key)

    def _accepted(self, page: Page, project: Project, key: Any) -> View:
        for generation in reversed(project.generations):
            self._show(page, generation)
        return self._outcome(accepted=key, shown=True)

    async def again(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Make a generation's recipe again, as one project of new seeds; the click brings how many, and a key."""
        page = self._page(browser, request)
        told = event._data if isinstance(event._data, dict) else {}
        try:
            wanted = form.again(await page.client.get(_id(event)), told.get("variations"))
            project = await _submit(page.client, wanted, told.get("key"))
        except ClientError as problem:
            return self._outcome(notice=page.texts.refusal(problem))
        return self._accepted(page, project, None)

    async def choose(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Put a generation on the stage, with links that are fresh; `quiet` where nobody is to be taken there."""
        page = self._page(browser, request)
        generation_id = _id(event)
        try:
            self._show(page, await page.client.get(generation_id))
        except ApiError as refusal:
            if refusal.status == 404:
                page.board.drop(generation_id)
                page.ring(urgent=True)
            gone = page.texts.say("notice.gone")
            return self._outcome(notice=gone if refusal.status == 404 else page.texts.refusal(refusal))
        except ClientError:
            page.board.select(generation_id)
            page.ring(urgent=True)
        return self._outcome(shown=not (isinstance(event._data, dict) and event._data.get("quiet")))

    async def cancel(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Stop a generation; the renderer confirms through the stream."""
        page = self._page(browser, request)
        generation_id = _id(event)
        page.board.cancelling.add(generation_id)
        page.ring(urgent=True)
        try:
            page.board.put(await page.client.cancel(generation_id))
        except ClientError as problem:
            page.board.cancelling.discard(generation_id)
            return self._outcome(notice=page.texts.refusal(problem))
        finally:
            page.ring(urgent=True)
        return self._outcome()

    async def move(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Give a queued generation another place among the own ones; the new places come through the stream."""
        page = self._page(browser, request)
        before = event._data.get("before") if isinstance(event._data, dict) else None
        try:
            page.board.put(await page.client.move(_id(event), None if before is None else str(before)))
        except ClientError as problem:
            return self._outcome(notice=page.texts.refusal(problem))
        finally:
            page.ring(urgent=True)
        return self._outcome()

    async def away(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """What has ended since a moment that this browser remembers."""
        since = event._data.get("since") if isinstance(event._data, dict) else None
        if not isinstance(since, (int, float)) or isinstance(since, bool):
            return self._outcome()
        try:
            page = await self._page(browser, request).client.list(status=ENDED, limit=AWAY_PAGE)
        except ClientError:
            return self._outcome()  # it is a courtesy; what matters is told elsewhere
        ended = [item for item in page.items if item.finished_at and item.finished_at.timestamp() * 1000 > since]
        ended.sort(key=lambda item: item.finished_at or item.created_at, reverse=True)
        return self._outcome(away=views.away(ended, more=len(ended) == AWAY_PAGE and page.next_cursor is not None))

    async def retry(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Start the same recipe again."""
        page = self._page(browser, request)
        try:
            self._show(page, await page.client.retry(_id(event)))
        except ClientError as problem:
            return self._outcome(notice=page.texts.refusal(problem))
        return self._outcome(shown=True)

    async def gone(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """What is on the stage was deleted, perhaps with others: show what the browser says comes next, or the best."""
        page = self._page(browser, request)
        told = event._data if isinstance(event._data, dict) else {}
        following = str(told["next"]) if told.get("next") else None
        ids = told.get("ids")
        for generation_id in ids if isinstance(ids, list) else ():
            page.board.drop(str(generation_id))
        # One that is gone as well, or out of reach, is not shown: then it is the best of what is known.
        with suppress(ClientError):
            if following is not None:
                page.board.put(await page.client.get(following))
        page.board.select_on_arrival(following)
        page.ring(urgent=True)
        return self._outcome()

    async def transfer(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Make a code that opens this session on another device."""
        page = self._page(browser, request)
        try:
            made = await page.client.transfer()
        except ClientError as problem:
            return self._outcome(transferTold=page.texts.refusal(problem))
        base = event._data.get("base") if isinstance(event._data, dict) else None
        return self._outcome(transfer=views.transfer(made, str(base or ""), page.texts))

    async def revoke(self, request: gr.Request, browser: Any) -> View:
        """Take the code back."""
        page = self._page(browser, request)
        try:
            await page.client.revoke_transfer()
        except ClientError as problem:
            return self._outcome(transferTold=page.texts.refusal(problem))
        return self._outcome(transferTold=page.texts.say("take.revoked"))

    def _page(self, browser: Any, request: gr.Request) -> Page:
        """The tab's page; or, where this process does not know the tab (any more), one of its session."""
        visit = Visit.read(browser, request.cookies, request.headers)
        found = self._pages.find(request.session_hash, visit)
        if found is not None:
            return found
        token = visit.token or visit.cookie
        return Page(self._client.of(request).as_session(token), texts_of(visit), token=token, tab=request.session_hash)

    def _show(self, page: Page, generation: Generation) -> None:
        if page.tab is not None:
            # Somebody was quicker than the page's watcher, which may have come in the meantime.
            if (there := self._pages.find(page.tab, Visit(token=page.token))) is None:
                self._pages.expect(page.tab, page.token, generation.id)
            page = there or page
        page.board.put(generation)
        page.board.select(generation.id)
        page.ring(urgent=True)

    def _outcome(self, **told: Any) -> View:
        """No two are equal, so that the browser notices each."""
        self._count += 1
        return {"n": self._count, **told}


async def _submit(client: AsyncClient, request: GenerationCreate, key: Any) -> Project:
    """Send it under the form's key, so that a second click means the same video; the client repeats what was lost."""
    return await client.submit(request, key if isinstance(key, str) and 0 < len(key) <= 128 else None)


def _explain(problem: form.FormError | ValidationError, texts: Texts) -> str:
    if isinstance(problem, form.FormError):
        return texts.say(problem.key, **problem.values)
    first = problem.errors()[0]
    expected = first["msg"].removeprefix("Value error, ")
    return texts.say("form.expected_only", field=texts.field(str(first["loc"][0])), expected=expected)


def _id(event: gr.EventData) -> str:
    return str(event._data.get("id", "")) if isinstance(event._data, dict) else ""
