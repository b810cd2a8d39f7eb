"""What a person can do about public links. Every answer tells all links of the session, so that none is stale."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gradio as gr

from videogen.client import ClientError
from videogen.client.calls import ShareOptions
from videogen.schemas.sharing import MAX_SHARE_SECONDS, Share
from videogen.ui.page_client import PageClient
from videogen.ui.pages import Page, Pages, Visit, texts_of
from videogen.ui.views import View


class Sharing:
    """The page's handlers for links."""

    def __init__(self, client: PageClient, pages: Pages, links_from_api: Callable[[], bool]) -> None:
        self._client = client
        self._pages = pages
        self._links_from_api = links_from_api
        # No two answers are equal, so that the browser notices each.
        self._count = itertools.count(1)

    async def share(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Make the link of a generation, or give it another end."""
        generation_id, options = _read(event)
        page = self._page_of(request, browser)
        try:
            await page.client.share(generation_id, **options)
        except ClientError as problem:
            return await self._told(page, page.texts.refusal(problem))
        return await self._told(page)

    async def unshare(self, event: gr.EventData, request: gr.Request, browser: Any) -> View:
        """Revoke the link of a generation."""
        page = self._page_of(request, browser)
        try:
            await page.client.unshare(_read(event)[0])
        except ClientError as problem:
            return await self._told(page, page.texts.refusal(problem))
        return await self._told(page)

    async def shares(self, request: gr.Request, browser: Any) -> View:
        """All links of the session."""
        return await self._told(self._page_of(request, browser))

    def _page_of(self, request: gr.Request, browser: Any) -> Page:
        visit = Visit.read(browser, request.cookies, request.headers)
        found = self._pages.find(request.session_hash, visit)
        if found is not None:
            return found
        return Page(self._client.of(request).as_session(visit.token or visit.cookie), texts_of(visit))

    async def _told(self, page: Page, notice: str = "") -> View:
        told: View = {"n": f"share-{next(self._count)}"} | ({"notice": notice} if notice else {})
        try:
            return told | {"shares": [self._view(one) for one in await page.client.shares()]}
        except ClientError as problem:
            return {"notice": page.texts.refusal(problem)} | told

    def _view(self, share: Share) -> View:
        return {
            "id": share.generation_id,
            "slug": share.slug,
            # The API was asked by this process, so that without a public address it knows less than the browser.
            "url": share.url if self._links_from_api() else None,
            "title": share.title,
            "views": share.views,
            "expires": share.expires_at.isoformat() if share.expires_at else None,
        }


def _read(event: gr.EventData) -> tuple[str, ShareOptions]:
    """The generation and what is wanted of its link; anybody may have written it, so every shape is possible."""
    told = event._data if isinstance(event._data, dict) else {}
    options = ShareOptions()
    if "expires" in told:
        seconds = told["expires"]
        whole = isinstance(seconds, int) and not isinstance(seconds, bool)
        options["expires_in_seconds"] = min(max(seconds, 1), MAX_SHARE_SECONDS) if whole else None
    return str(told.get("id", "")), options
