"""The checklist, line by line, as a person meets it: on the page itself, and in a frame of another site.

The line on the connection is in `test_connection.py`.
"""

from io import BytesIO

import av
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import GRADIO_ROUTES, open_gate
from tests.browser.engines import MARKUP

pytestmark = pytest.mark.browser

STARTED = ("queued", "processing")
SCRIPT = '<script>window.scriptRan = true</script><img src="/nowhere" onerror="window.scriptRan = true">'


def test_a_generation_from_the_form_to_the_file_over_two_reloads(app, tab):
    expect(tab.prompt).to_have_accessible_name("Prompt")
    generation = tab.generate(SCRIPT, "Gated")

    # It starts.
    assert tab.status.get_attribute("data-status") in STARTED
    expect(tab.active(generation)).to_have_attribute("data-status", "processing")
    expect(tab.find("#job-progress")).to_have_role("progressbar")
    expect(tab.find("#cancel")).to_be_visible()
    tab.gets_going(generation)
    before = tab.progress
    tab.prompt.press_sequentially(", and the next on")
    tab.kept("and the next on")

    # A reload keeps its state and the draft.
    tab.reload()

    tab.shows(generation, "processing")
    shown = [entry["progress"] for entry in tab.seen["job"] if entry["id"] == generation]
    assert min(shown) >= before
    expect(tab.find("#notice")).to_contain_text("1 generation is still rendering")
    expect(tab.find("#notice")).to_have_role("status")
    expect(tab.prompt).to_have_value(f"{SCRIPT}, and the next on")
    expect(tab.active(generation)).to_have_attribute("data-status", "processing")
    tab.wait_for("() => document.querySelector('#job-preview').naturalWidth > 0")
    # A script in a prompt is text everywhere.
    expect(tab.active(generation)).to_contain_text(SCRIPT)
    expect(tab.find("#job-prompt")).to_have_text(SCRIPT)

    # It goes on live, and the video plays.
    open_gate(app, generation)
    tab.shows(generation, "completed")
    shown = {entry["progress"] for entry in tab.seen["job"] if entry["id"] == generation}
    assert len({progress for progress in shown if 50 < progress < 100}) >= 2
    tab.can_play()
    assert tab.evaluate("document.querySelector('#result-video video').currentSrc").startswith(f"{app.base_url}/media/")
    tab.wait_for("() => document.querySelector('#result-video video').currentTime > 0.2")
    assert tab.evaluate(
        "(({videoWidth, videoHeight, duration}) => [videoWidth, videoHeight, Math.round(duration)])"
        "(document.querySelector('#result-video video'))"
    ) == [512, 288, 2]
    expect(tab.find("#result-video video")).to_be_visible()
    expect(tab.find("#job-progress")).to_have_attribute("aria-valuenow", "100")
    expect(tab.history(generation)).to_have_attribute("data-status", "completed")
    expect(tab.history(generation)).to_contain_text(SCRIPT)
    expect(tab.active(generation)).to_have_count(0)
    expect(tab.find("#cancel")).to_be_hidden()
    with tab.page.expect_download() as started:
        tab.find("#download").click()
    assert started.value.suggested_filename.endswith(".mp4")
    with av.open(BytesIO(started.value.path().read_bytes())) as film:
        assert sum(1 for _ in film.decode(video=0)) == 24
    assert tab.evaluate("window.scriptRan") is None

    # A reload shows the video again.
    tab.reload()

    tab.shows(generation, "completed")
    expect(tab.history(generation)).to_contain_text(SCRIPT)
    expect(tab.prompt).to_have_value(f"{SCRIPT}, and the next on")
    expect(tab.find("#active [data-generation-id]")).to_have_count(0)
    tab.can_play()
    assert tab.evaluate("window.scriptRan") is None
    # All that was asked of Gradio's own routes on the way.
    assert tab.gradio_routes == GRADIO_ROUTES


def test_real_time_progress_updates_work(tab):
    generation = tab.generate("a slow train", "Paced")
    tab.shows(generation, "completed")

    # Written down by an observer in the page, as it was shown: nobody asked for it.
    shown = [entry for entry in tab.seen["job"] if entry["id"] == generation]
    rendering = [entry for entry in shown if entry["status"] == "processing"]
    progress = [entry["progress"] for entry in shown]
    assert progress == sorted(progress), "progress fell"
    assert progress[-1] == 100
    between = {entry["progress"] for entry in rendering if 0 < entry["progress"] < 100}
    assert len(between) >= 6, f"it moved in leaps: {sorted(between)}"
    assert any(entry["stage"] == "Drawing frames" for entry in rendering)
    assert len({entry["step"] for entry in rendering if entry["step"].endswith("/ 24")}) >= 6
    previews = [preview for preview in tab.seen["previews"] if preview["status"] == "processing"]
    assert len({preview["src"] for preview in previews}) >= 2, "the preview stood still"
    assert all(preview["width"] > 0 for preview in previews)


def test_reload_and_a_new_tab_bring_back_everything_that_is_queued_or_running(app, open_tab):
    tab = open_tab()
    first = tab.generate("first", "Gated")
    tab.gets_going(first)
    second = tab.generate("second", "Gated")
    tab.gets_going(second)
    third = tab.generate("third", "Gated")
    tab.shows(third, "queued")

    tab.reload()

    tab.shows(third, "queued")
    expect(tab.find("#active [data-generation-id]")).to_have_count(3)
    expect(tab.find("#notice")).to_contain_text("3 generations are still rendering")
    for generation, status in ((first, "processing"), (second, "processing"), (third, "queued")):
        expect(tab.active(generation)).to_have_attribute("data-status", status)
    tab.find("#cancel").click()
    tab.shows(third, "cancelled")

    # The tab is closed, and its address opened in a new one.
    tab.page.close()
    tab = open_tab()
    tab.shows(second, "processing")

    # What is cancelled says so, and leaves the others alone.
    tab.find("#cancel").click()
    tab.shows(second, "cancelled")
    expect(tab.active(second)).to_have_count(0)
    expect(tab.history(second)).to_have_attribute("data-status", "cancelled")
    expect(tab.find("#cancel")).to_be_hidden()
    expect(tab.find("#retry")).to_be_visible()
    expect(tab.active(first)).to_have_attribute("data-status", "processing")
    tab.active(first).locator(".vg-job-card").click()
    tab.shows(first, "processing")
    expect(tab.find("#job-prompt")).to_have_text("first")
    open_gate(app, first)
    tab.shows(first, "completed")
    tab.can_play()
    tab.history(second).locator(".vg-card").click()
    tab.shows(second, "cancelled")
    expect(tab.find("#job-prompt")).to_have_text("second")


def test_the_form_keeps_its_text_over_a_reload_and_over_bad_input(tab):
    # Pasted, dictated, or typed on a phone: no key is pressed.
    tab.prompt.focus()
    tab.page.keyboard.insert_text("pasted text")
    tab.kept("pasted text")
    tab.seed.press_sequentially("4711")
    tab.prompt.press("Backspace")
    tab.kept('pasted tex"')

    tab.reload()

    expect(tab.prompt).to_have_value("pasted tex")
    expect(tab.seed).to_have_value("4711")
    assert tab.evaluate("document.querySelector('#job-status').dataset.generationId") == ""

    error = tab.find("#form-error")
    for prompt, seed, field in (("", "", "Prompt"), ("a film", "seven", "Seed")):
        tab.prompt.fill(prompt)
        tab.seed.fill(seed)
        tab.find("#generate").click()
        expect(error).to_have_role("alert")
        expect(error).to_contain_text(f"{field}: expected")
        expect(error).to_be_visible()
        expect(tab.prompt).to_have_value(prompt)
        expect(tab.seed).to_have_value(seed)
        expect(tab.find("#active [data-generation-id]")).to_have_count(0)
    # Corrected, it is sent, and the message is gone.
    tab.seed.fill("7")
    tab.generate("a film", "Develops")
    expect(error).to_have_text("")


def test_failure_is_shown_as_text_and_can_be_retried(tab):
    failed = tab.generate("no luck", "Fails once")

    tab.shows(failed, "failed")
    expect(tab.find("#job-stage")).to_have_text(MARKUP)
    expect(tab.find("#job-stage")).to_be_visible()
    expect(tab.history(failed)).to_have_attribute("data-status", "failed")
    assert tab.evaluate("window.scriptRan") is None

    tab.find("#retry").click()

    again = tab.next_after(failed)
    tab.shows(again, "completed")
    tab.can_play()
    expect(tab.history(failed)).to_have_attribute("data-status", "failed")


def test_two_tabs_of_one_person_are_both_live(app, open_tab):
    one, two = open_tab(), open_tab()
    first = one.generate("from the first tab", "Gated")
    expect(two.active(first)).to_have_attribute("data-status", "processing")
    second = two.generate("from the second tab", "Gated")
    expect(one.active(second)).to_have_attribute("data-status", "processing")
    # What another tab does leaves this one's stage alone.
    one.gets_going(first)
    two.gets_going(second)

    open_gate(app, first)

    one.shows(first, "completed")
    expect(two.history(first)).to_have_attribute("data-status", "completed")
    two.shows(second, "processing")
    open_gate(app, second)
    two.shows(second, "completed")
    expect(one.history(second)).to_have_attribute("data-status", "completed")
    one.shows(first, "completed")


def test_two_people_do_not_see_or_stop_each_other(app, open_tab, person, where):
    # The other one meets the app in the other place.
    mine, theirs = open_tab(), open_tab(person("iframe" if where == "page" else "page"))
    my_film = mine.generate("my film", "Gated")
    mine.gets_going(my_film)
    their_film = theirs.generate("their film", "Gated")
    theirs.gets_going(their_film)

    for tab, own in ((mine, my_film), (theirs, their_film)):
        shown = tab.evaluate("[...document.querySelectorAll('[data-generation-id]')].map(n => n.dataset.generationId)")
        assert set(shown) == {own}
    cancel = "id => fetch(`/api/v1/generations/${id}/cancel`, {method: 'POST'}).then(answer => answer.status)"
    # In the frame the browser keeps the cookie back: nobody in particular is asking.
    assert theirs.evaluate(cancel, my_film) == (404 if theirs.where == "page" else 401)
    theirs.find("#cancel").click()
    theirs.shows(their_film, "cancelled")
    mine.shows(my_film, "processing")

    open_gate(app, my_film)

    mine.shows(my_film, "completed")
    mine.can_play()
    theirs.reload()
    expect(theirs.find(f'[data-generation-id="{my_film}"]')).to_have_count(0)
