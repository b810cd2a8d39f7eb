"""The page in a real Chromium: as a tab of its own, or in a frame of another site.

person = Person(launch(playwright), site, "iframe")
tab = person.tab(app.base_url).open()
generation = tab.generate("ocean at sunset", "Gated")
expect(tab.find("#job-status")).to_have_attribute("data-status", "processing")
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Frame, Locator, Page, Playwright, ViewportSize, expect

from tests.support.sites import EmbeddingSite

Where = Literal["page", "iframe"]
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Playwright switches storage partitioning off, and then a frame has no storage at all where third-party cookies
    # are blocked. The last flag of a name counts, so this brings back what people's browsers do.
    "--disable-features=Translate,MediaRouter,OptimizationHints",
)
# Patience for a machine that does much else; nothing waits longer than it must.
PATIENCE: Final = 20_000
DESK: Final[ViewportSize] = {"width": 1280, "height": 720}
SETTLED: Final = '#stage-empty:visible, #job-status[data-generation-id]:not([data-generation-id=""])'
SETTLED_FORM: Final = (
    "() => !document.documentElement.matches('[data-early], [data-unsettled]') && !document.getElementById('early')"
)

GRADIO: Final = re.compile(
    r"/gradio_api/.+|/(assets|static|svelte)/|/(config|info|theme\.css|manifest\.json|favicon\.ico|robots\.txt)$"
)
RECORDER: Final = Path(__file__).with_name("recorder.js").read_text()


def chromium_path() -> str:
    """The Chromium to drive.

    Raises:
        RuntimeError: there is none.
    """
    given = os.environ.get("VIDEOGEN_TEST_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = given or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise RuntimeError("These tests need Chromium: install it, or name it in VIDEOGEN_TEST_CHROMIUM.")
    return found


def launch(playwright: Playwright) -> Browser:
    """A browser as people have it; each context of it is a person with a profile of their own."""
    expect.set_options(timeout=PATIENCE)
    return playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))


class Person:
    """Somebody with a browser profile of their own, who meets the app as a page or in a frame of `site`.

    A new one costs five seconds of work, since a browser has to load and compile all of Gradio. Somebody who
    has forgotten all but that is as good as new.
    """

    def __init__(self, browser: Browser, site: EmbeddingSite, where: Where) -> None:
        self.context = browser.new_context(locale="en-GB", viewport=DESK)
        self.context.add_init_script(RECORDER)
        self.context.set_default_timeout(PATIENCE)
        self.violations: list[str] = []
        """What the Content-Security-Policy of a page of this person has stopped, in the browser's words."""
        self.context.on("console", lambda message: self._note(message.text))
        self.gradio_routes: set[str] = set()
        """Gradio's routes that the pages of this person have asked for, as method and path."""
        self.context.on("request", lambda request: self._note_route(request.method, request.url))
        self.where: Where = where
        self._site = site
        self._visited: set[str] = set()
        self._spare: Page | None = None

    def _note(self, message: str) -> None:
        if "Content Security Policy" in message:
            self.violations.append(message)

    def _note_route(self, method: str, url: str) -> None:
        if (found := GRADIO.search(urlsplit(url).path)) is not None:
            self.gradio_routes.add(f"{method} {found[0]}")

    def tab(self, url: str) -> Tab:
        """A tab that is still empty."""
        self._visited.add(url)
        page, self._spare = self._spare or self.context.new_page(), None
        tab = Tab(page, url, self.where, self._site)
        tab.gradio_routes = self.gradio_routes
        return tab

    def forget(self) -> None:
        """Close the tabs; lose every cookie and all that pages have kept."""
        page, *others = self.context.pages or [self.context.new_page()]
        for other in others:
            other.close()
        self.context.set_offline(False)
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="null")
        for url in self._visited:
            # A document of the same origin, in the same place, that runs nothing.
            bare = Tab(page, url, self.where, self._site, path="/healthz")
            bare.go()
            bare.evaluate("(localStorage.clear(), sessionStorage.clear())")
        self.context.clear_cookies()
        self._visited.clear()
        self.gradio_routes.clear()
        self._spare = page


class Tab:
    """One tab that shows the app. `find` and `evaluate` act inside the app, wherever it is shown."""

    def __init__(self, page: Page, url: str, where: Where, site: EmbeddingSite, path: str = "/") -> None:
        self.page = page
        self.where = where
        self._site = site
        self._address = url + path
        self.gradio_routes: set[str] = set()

    def go(self, wait_until: Literal["load", "commit"] = "load") -> None:
        """Show the address, as if for the first time."""
        if self.where == "page":
            self.page.goto(self._address, wait_until=wait_until)
        else:
            self.page.goto(f"{self._site.url}/embed#{self._address}", wait_until=wait_until)
            self.frame.wait_for_url(self._address, wait_until=wait_until)

    def open(self) -> Self:
        """Go there, and wait until the page is whole and knows its session."""
        self.go()
        return self.settled()

    def open_link(self, url: str) -> Self:
        """Go to another address of the app."""
        self._address = url
        return self.open()

    def reload(self) -> Self:
        """As with F5: the whole tab."""
        self.page.reload()
        return self.settled()

    def settled(self) -> Self:
        expect(self.find(SETTLED).first).to_be_visible()
        # The form too: what stands in it has been filled in, and typing goes into Gradio's own fields.
        self.wait_for(SETTLED_FORM)
        return self

    def find(self, selector: str) -> Locator:
        if self.where == "page":
            return self.page.locator(selector)
        return self.page.frame_locator("#app").locator(selector)

    @property
    def frame(self) -> Frame:
        if self.where == "page":
            return self.page.main_frame
        frame = self.page.locator("#app").element_handle().content_frame()
        assert frame is not None
        return frame

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.frame.evaluate(script, argument)

    def wait_for(self, script: str, argument: Any = None, timeout: float = PATIENCE) -> None:
        self.frame.wait_for_function(script, arg=argument, timeout=timeout)

    @property
    def seen(self) -> dict[str, list[Any]]:
        """What the page has shown since it was loaded: `job`, `connection` and `previews`, without repetitions."""
        return self.evaluate("window.seenByTest")

    @property
    def prompt(self) -> Locator:
        return self.find("#prompt textarea")

    @property
    def seed(self) -> Locator:
        return self.find("#seed :is(input, textarea)")

    def kept(self, text: str) -> None:
        """Wait until the browser has stored a text: what is typed in the very moment of a reload may be lost."""
        self.wait_for("text => Object.values(localStorage).some(value => value.includes(text))", text)

    @property
    def status(self) -> Locator:
        return self.find("#job-status")

    @property
    def progress(self) -> float:
        return float(self.find("#job-progress").get_attribute("aria-valuenow") or "nan")

    def active(self, generation_id: str) -> Locator:
        return self.find(f'#active [data-generation-id="{generation_id}"]')

    def history(self, generation_id: str) -> Locator:
        return self.find(f'#history [data-generation-id="{generation_id}"]')

    def choose_engine(self, title: str) -> None:
        field = self.find("#engine input")
        if field.count() == 0:
            self.find("#more .label-wrap").click()
        if field.input_value() == title:
            return
        field.click()
        self.find("#engine").get_by_role("option", name=title, exact=True).click()
        expect(field).to_have_value(title)

    def generate(self, prompt: str, engine: str = "") -> str:
        """Fill in the form and press Generate; the id of the new generation, on the stage or in the queue.

        Without an engine it is the one that the form has.
        """
        ids = "[...document.querySelectorAll('gradio-app [data-generation-id]')].map(one => one.dataset.generationId)"
        known = self.evaluate(ids)
        if engine:
            self.choose_engine(engine)
        self.prompt.fill(prompt)
        self.find("#generate").click()
        new = f"known => {ids}.find(one => one && !known.includes(one))"
        self.wait_for(new, known)
        return str(self.evaluate(new, known))

    def next_after(self, before: str) -> str:
        """The id of the generation on the stage, once it is another one."""
        expect(self.status).not_to_have_attribute("data-generation-id", before)
        return self.status.get_attribute("data-generation-id") or ""

    def shows(self, generation_id: str, status: str) -> None:
        """Wait until this generation is on the stage with this status."""
        expect(self.find(f'#job-status[data-generation-id="{generation_id}"]')).to_have_attribute("data-status", status)

    def gets_going(self, generation_id: str) -> None:
        """Wait until a generation is on the stage and has come somewhere; gates stand at 50 %."""
        self.shows(generation_id, "processing")
        self.wait_for("() => Number(document.querySelector('#job-progress').getAttribute('aria-valuenow')) > 25")

    def says(self, *words: str, timeout: float = PATIENCE) -> None:
        """Wait until the connection indicator says one of these."""
        self.wait_for(
            "words => words.includes(document.querySelector('#connection')?.innerText.trim())", words, timeout
        )

    def can_play(self) -> None:
        """Wait until the browser has decoded a picture of the result."""
        self.wait_for("() => document.querySelector('#result-video video')?.readyState >= 2")
