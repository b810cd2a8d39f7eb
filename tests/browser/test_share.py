"""What people with a link see, logged out and in a browser that has never been here; and how a link is made."""

import itertools

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_gate
from tests.support.api import Session

pytestmark = pytest.mark.browser

CLIP = {"width": 512, "height": 288, "durationSeconds": 2.0, "fps": 12}
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
VIOLATIONS = """
window.violated = [];
document.addEventListener("securitypolicyviolation", (event) => window.violated.push(event.violatedDirective));
"""
PLAYS = "() => { const video = document.querySelector('video'); return video && video.readyState >= 2; }"


@pytest.fixture
def where():
    """The page itself is enough here."""
    return "page"


@pytest.fixture
def owner(app):
    with Session(app.base_url) as session:
        yield session
        for item in session.get("/generations", params={"status": "queued,processing"}).json()["items"]:
            session.cancel(item["id"])


@pytest.fixture
def share(owner):
    """Makes a link to a new generation: `share("gated", prompt="...")` gives (generation id, URL)."""

    def make(engine, **options):
        generation = owner.submit(engine, settings=CLIP, **options)["id"]
        return generation, owner.post(f"/generations/{generation}/share").raise_for_status().json()["url"]

    return make


@pytest.fixture
def stranger(browser):
    """Opens pages, each in a browser profile of its own that has nothing of ours."""
    contexts = []

    def open_page(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        context.add_init_script(VIOLATIONS)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def reaches(page, percent):
    page.wait_for_function(f"() => document.querySelector('#progress')?.value >= {percent}")


def test_a_visitor_sees_it_live_and_then_plays_it_without_a_reload(app, share, stranger):
    generation, url = share("gated", prompt="a film for everybody")
    page = stranger()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    page.evaluate("window.sameDocument = true")
    reaches(page, 25)
    expect(page.locator("#label")).to_have_text("Rendering")
    page.wait_for_function("() => document.querySelector('#picture').naturalWidth > 0")

    open_gate(app, generation)
    page.wait_for_function(PLAYS)
    expect(page.locator("#label")).to_have_text("Finished")
    expect(page.locator("#progress")).to_have_count(0)
    expect(page.locator("#download")).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the page was loaded again"
    assert page.context.cookies() == []
    assert complaints == []
    assert page.evaluate("window.violated") == []


def test_works_without_script_once_finished(app, owner, share, stranger):
    generation, url = share("develops", prompt="a film without script")
    owner.finish(generation)
    page = stranger(java_script_enabled=False)
    page.goto(url)
    video = page.locator("video")
    expect(video).to_be_visible()
    assert video.get_attribute("controls") is not None
    poster = page.request.get(f"{app.base_url}{video.get_attribute('poster')}")
    assert poster.headers["content-type"] == "image/jpeg"
    # A browser without script still plays: its own controls do, and the file is there.
    part = page.request.get(f"{app.base_url}{video.get_attribute('src')}", headers={"Range": "bytes=0-99"})
    assert (part.status, part.headers["content-type"], len(part.body())) == (206, "video/mp4", 100)


def test_without_script_it_comes_to_its_end_too(app, share, stranger):
    generation, url = share("gated", prompt="a film to wait for")
    page = stranger(java_script_enabled=False)
    page.goto(url)
    expect(page.locator("#label")).to_have_text("Rendering")
    open_gate(app, generation)
    expect(page.locator("video")).to_be_visible()


def test_a_link_that_is_revoked_while_it_is_open_says_so(owner, share, stranger):
    generation, url = share("gated", prompt="a film that is taken back")
    page = stranger()
    page.goto(url)
    reaches(page, 10)
    owner.delete(f"/generations/{generation}/share")
    expect(page.locator("h1")).to_have_text("This link leads nowhere")


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_an_end_without_a_video_is_told(owner, share, stranger, how):
    generation, url = share("gated" if how == "cancelled" else "fails-once", prompt=f"a film that {how}")
    page = stranger()
    if how == "cancelled":
        page.goto(url)
        reaches(page, 10)
        owner.cancel(generation)
        expect(page.locator("#say")).to_contain_text("has stopped it")
    else:
        owner.finish(generation)
        page.goto(url)
        # The engine's message is markup, and stays text.
        expect(page.locator("#say")).to_contain_text("<b>no such film</b>")
        assert page.evaluate("window.scriptRan") is None
    expect(page.locator("#label")).to_have_text(how.capitalize())
    expect(page.locator("#progress")).to_have_count(0)


def test_script_in_a_prompt_stays_text(owner, share, stranger):
    evil = '"><script>window.scriptRan = 1</script><img src=x onerror="window.scriptRan = 2">'
    generation, url = share("develops", prompt=evil)
    owner.patch(f"/generations/{generation}", json={"title": f"</title>{evil}"})
    owner.finish(generation)
    page = stranger()
    page.goto(url)
    expect(page.locator("h1")).to_contain_text("<script>window.scriptRan")
    assert "<script>" in page.title()
    assert page.evaluate("window.scriptRan") is None
    assert page.evaluate("window.violated") == []


def test_reads_well_in_both_themes_on_phone_and_desk(owner, share, stranger):
    generation, url = share("develops", prompt="A very long prompt that goes on " * 8 + "W" * 200)
    owner.finish(generation)
    page = stranger()
    for scheme, size in itertools.product(("light", "dark"), SIZES.values()):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.goto(url)
        page.wait_for_function(PLAYS)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == ("rgb(245, 242, 236)" if scheme == "light" else "rgb(16, 14, 12)")
        box = page.locator("#stage").bounding_box()
        assert box["width"] / box["height"] == pytest.approx(512 / 288, rel=0.02)
        for selector in ("#remix", "#download"):
            assert page.locator(selector).bounding_box()["height"] >= 44


def test_one_click_shares_what_is_on_the_stage(app, tab, stranger):
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app.base_url)
    generation = tab.generate("a film to hand on", "Gated")
    tab.gets_going(generation)
    tab.find("#share").click()

    link = tab.find("#share-link")
    expect(tab.find("#share-said")).to_have_text("Copied.")
    url = link.input_value()
    assert url.startswith(f"{app.base_url}/s/")
    assert tab.evaluate("navigator.clipboard.readText()") == url
    tab.wait_for("() => document.querySelector('#share-qr').naturalWidth > 0")
    expect(tab.find(f'#shared [data-shared-id="{generation}"]')).to_contain_text("a film to hand on")

    page = stranger()
    page.goto(url)
    reaches(page, 25)
    tab.find("#share").click()
    expect(tab.find("#share-views")).to_contain_text("1 view")
    assert link.input_value() == url, "a second click made another link"

    tab.find("#share-expires").select_option("86400")
    expect(tab.find("#share-views")).to_contain_text("until")
    tab.reload()
    expect(tab.find(f'#shared [data-shared-id="{generation}"]')).to_contain_text("until")

    tab.find(f'#shared [data-shared-id="{generation}"] [data-share="revoke"]').click()
    expect(tab.find("#shared-section")).to_be_hidden()
    expect(page.locator("h1")).to_have_text("This link leads nowhere")


def test_remix_fills_the_form_and_starts_nothing(app, person, where, owner, share):
    generation, url = share("gated", prompt="a film to do over", negative_prompt="")
    tab = person(where).tab(app.base_url)
    tab.page.goto(url)
    tab.page.click("#remix")
    tab.settled()
    expect(tab.prompt).to_have_value("a film to do over")
    expect(tab.seed).to_have_value(str(owner.read(generation)["seed"]))
    expect(tab.find("#engine input")).to_have_value("Gated")
    expect(tab.find("#notice")).to_contain_text("in the form")
    expect(tab.find("#active [data-generation-id]")).to_have_count(0)
    # It is a draft like any other: a reload keeps what was changed since.
    tab.prompt.fill("changed since")
    tab.kept("changed since")
    tab.reload()
    expect(tab.prompt).to_have_value("changed since")


def test_remix_of_a_link_that_is_gone_says_so_and_keeps_the_draft(app, tab):
    tab.prompt.fill("mine")
    tab.kept("mine")
    tab.page.goto(f"{app.base_url}/healthz")
    tab.page.goto(f"{app.base_url}/#remix={'x' * 24}")
    tab.settled()
    expect(tab.find("#notice")).to_contain_text("no longer works")
    expect(tab.prompt).to_have_value("mine")
