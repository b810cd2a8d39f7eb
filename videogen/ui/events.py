"""Gradio's events of the page: each finds the tab that it came from, and passes on to a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import gradio as gr
from pydantic import ValidationError

from videogen.client import ClientError
from videogen.client.calls import ExplainOptions
from videogen.core.text import shorten
from videogen.core.validation import faults
from videogen.schemas.generations import Project
from videogen.ui import form
from videogen.ui.form_fields import FormFields, engine_updates
from videogen.ui.handlers import FILLS, HANDLERS, Click, FormValues
from videogen.ui.handlers.files import fit_image, look_up_images
from videogen.ui.handlers.history import search
from videogen.ui.handlers.selection import take_over
from videogen.ui.page_client import PageClient
from videogen.ui.pages import Pages, Visit, texts_of
from videogen.ui.tab import Explained, Notice, Site, Tab
from videogen.ui.templating import render
from videogen.ui.texts import Texts

T = TypeVar("T")


class Events:
    """The functions that Gradio calls. The session is the last input of each: it is the proof of whose tab it is."""

    def __init__(self, client: PageClient, pages: Pages, fields: FormFields, site: Site) -> None:
        self._client, self._pages, self._fields, self._site = client, pages, fields, site

    async def act(self, event: gr.EventData, request: gr.Request, session: Any) -> Any:
        """Run the handler of what was clicked; its effect comes back through the watcher.

        Returns:
            what the search field must show, where the handler has changed that.
        """
        click = Click.read(event._data)
        tab = self.tab_of(session, request)
        if (handler := HANDLERS.get(click.text("do"))) is not None:
            await self.run(tab, handler(tab, click))
        words, tab.history.search = tab.history.search, None
        return gr.skip() if words is None else words

    async def fill(self, event: gr.EventData, request: gr.Request, *values: Any) -> list[Any]:
        """Fill the form. The values are those of its fields as they are, and the session.

        With `data-start` what was filled in is submitted at once.

        Returns:
            the new values of `FormFields.filled`.
        """
        click = Click.read(event._data)
        tab, form_now = self._with_form(request, values)
        new: FormValues | None = None
        if (filler := FILLS.get(click.text("fill"))) is not None:
            new = await self.run(tab, filler(tab, click))
        if new:
            tab.form_before = form_now
            if click.text("start"):
                await self.run(tab, self._start(tab, {**form_now, **new}))
        return self._fields.updates(new or {}, tab.texts.gettext)

    async def _start(self, tab: Tab, values: FormValues) -> None:
        try:
            request = self._fields.request([values[name] for name in self._fields.fields])
        except (form.FormError, ValidationError) as problem:
            tab.notice = Notice(explain(problem, tab.texts), "warning")
        else:
            self._accepted(tab, await tab.client.submit(request, str(uuid4())))

    async def explain(self, request: gr.Request, *values: Any) -> None:
        """Ask what the chosen engine would make of the form, and show it. The values are as for `fill`."""
        tab, asked = self._with_form(request, values)
        with suppress(ClientError):
            # A draft comes back before the tab is there: what it said of its image is lost.
            tab.offers_own_shape = await look_up_images(tab, asked) or tab.offers_own_shape
        fit_image(tab, asked)
        explained: Explained | None = None
        with suppress(form.FormError, ValidationError, ClientError):
            create = self._fields.requests(list(asked.values()))[0]
            options: ExplainOptions = {"type": create.type, "settings": create.settings}
            options |= {"negative_prompt": create.negative_prompt, "input_file_id": create.input_file_id}
            options |= {"last_frame_file_id": create.last_frame_file_id, "extend": create.extend}
            explanation = await tab.client.explain(create.prompt, create.engine or "", **options)
            explained = Explained(create, explanation)
        # The form may have changed meanwhile: only the newest answer counts.
        if tab.form is asked:
            tab.explained = explained
            tab.ring()

    def _with_form(self, request: gr.Request, values: Sequence[Any]) -> tuple[Tab, FormValues]:
        *fields, session = values
        tab = self.tab_of(session, request)
        tab.form = self._fields.named(fields)
        return tab, tab.form

    def engine(self, request: gr.Request, chosen: Any, session: Any) -> dict[Any, Any]:
        """Adapt the form to another engine."""
        return engine_updates(self._fields, chosen, self.tab_of(session, request).texts.gettext)

    async def search(self, request: gr.Request, words: Any, session: Any) -> None:
        """Look for words in the history, while they are typed."""
        tab = self.tab_of(session, request)
        await self.run(tab, search(tab, words if isinstance(words, str) else ""))

    async def generate(self, request: gr.Request, *values: Any) -> str:
        """Submit the form. The values are those of its fields, and the session with the request's idempotency key.

        Returns:
            what is wrong with the form, as HTML; nothing where it was accepted.
        """
        *fields, session = values
        key = session.get("key") if isinstance(session, dict) else None
        await self._pages.wait_for_first(request.session_hash, Visit.read(session, request.cookies, request.headers))
        tab = self.tab_of(session, request)
        return render("form_error", tab.texts, text=await self._submit(tab, fields, key))

    async def resend(self, event: gr.EventData, request: gr.Request, session: Any) -> str:
        """Submit a form that the browser has kept since it was sent, because there was no answer."""
        kept = Click.read(event._data)
        found, tab = kept.data.get("form"), self.tab_of(session, request)
        values: Mapping[str, Any] = found if isinstance(found, dict) else {}
        refusal = await self._submit(tab, [values.get(name) for name in self._fields.fields], kept.data.get("key"))
        prompt = str(values.get("prompt") or "")
        text = tab.texts.gettext("outbox.refused", prompt=shorten(prompt, 60), problem=refusal) if refusal else ""
        return render("form_error", tab.texts, text=text)

    async def _submit(self, tab: Tab, values: Sequence[Any], key: object) -> str:
        key = key if isinstance(key, str) and 0 < len(key) <= 120 else str(uuid4())
        accepted: list[Project] = []
        try:
            requests = self._fields.requests(values)
            for number, request in enumerate(requests, start=1):
                own_key = key if len(requests) == 1 else f"{key}-{number}"
                accepted.append(await tab.client.submit(request, own_key))
        except (form.FormError, ValidationError) as problem:
            return explain(problem, tab.texts)
        except ClientError as problem:
            refusal, count = tab.texts.refusal(problem), len(accepted)
            return tab.texts.gettext("form.lines_stopped", count=count, problem=refusal) if accepted else refusal
        finally:
            self._accepted(tab, *accepted)
        await refresh_quota(tab)
        return ""

    def _accepted(self, tab: Tab, *projects: Project) -> None:
        waiting = [project for project in projects if not tab.board.start(project)]
        if waiting:
            count = sum(len(project.generations) for project in waiting)
            tab.notice = Notice(tab.texts.gettext("queue.added", count=count))
        if projects:
            self._ring(tab)

    async def run(self, tab: Tab, handling: Awaitable[T]) -> T | None:
        """Do what a handler does; why it was refused becomes a notice. Then show what has changed."""
        result = None
        try:
            result = await handling
        except ValidationError as problem:
            tab.notice = Notice(explain(problem, tab.texts), "warning")
        except ClientError as problem:
            tab.notice = Notice(tab.texts.refusal(problem), "warning")
        self._ring(tab)
        for other in self._pages.others(tab) if tab.changed else ():
            if isinstance(other, Tab):
                take_over(other, tab)
        tab.changed.clear()
        return result

    def _ring(self, tab: Tab) -> None:
        # The watcher may have come, or begun anew, while the handler waited for the API.
        now = self._pages.successor(tab)
        if isinstance(now, Tab):
            now.show(tab.wanted())
            tab = now
        elif self._pages.get(tab.name) is not tab and (wanted := tab.wanted()):
            self._pages.expect(tab.name, tab.token, wanted)
        tab.ring(urgent=True)

    def tab_of(self, session: Any, request: gr.Request) -> Tab:
        """The open tab; or, where this process does not know it (any more), a stand-in of its session."""
        visit = Visit.read(session, request.cookies, request.headers)
        found = self._pages.find(request.session_hash, visit)
        if isinstance(found, Tab):
            return found
        token = visit.token or visit.cookie
        client = self._client.of(request).as_session(token)
        return Tab(
            client, texts_of(visit), token=token, name=request.session_hash or "", stand_in=True, site=self._site
        )


async def refresh_quota(tab: Tab) -> None:
    """Show what is left after a submit, where a quota is shown."""
    if (shown := tab.explained) is None or shown.explanation.quota is None:
        return
    with suppress(ClientError):
        left = (await tab.client.quota()).get(shown.request.engine or "", shown.explanation.quota)
        tab.explained = replace(shown, explanation=shown.explanation.model_copy(update={"quota": left}))
        tab.ring()


def explain(problem: form.FormError | ValidationError, texts: Texts) -> str:
    """What is wrong with the form, in words."""
    if isinstance(problem, form.FormError):
        return texts.gettext(problem.key, **problem.values)
    return texts.expected(faults(problem)[0], {})
