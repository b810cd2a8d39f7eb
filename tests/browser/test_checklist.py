"""The checklist of the README, line by line: on the page itself, and in a frame of another site."""

import shutil
from io import BytesIO

import av
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import GRADIO_ROUTES, finish, open_gate
from tests.browser.engines import MARKUP

SCRIPT = '<script>window.bad = 1</script><img src="/nowhere" onerror="window.bad = 1">${window.bad=1}{{ 7 * 7 }}'

pytestmark = pytest.mark.parametrize("where", ["page", "iframe"])


def test_a_generation_from_the_form_to_the_file_over_two_reloads(app, tab):
    expect(tab.prompt).to_have_accessible_name("Prompt")
    made = tab.generate(SCRIPT, "Gated")
    tab.gets_going(made)
    expect(tab.active(made)).to_have_attribute("data-status", "processing")
    expect(tab.find("#job-progress")).to_have_role("progressbar")
    before = tab.progress
    tab.prompt.press_sequentially(", and the next")
    tab.kept("and the next")

    tab.reload()

    tab.shows(made, "processing")
    assert min(entry["progress"] for entry in tab.seen["job"] if entry["id"] == made) >= before
    expect(tab.prompt).to_have_value(f"{SCRIPT}, and the next")
    tab.wait_for("() => document.querySelector('#job-preview').naturalWidth > 0")
    # What somebody wrote is text everywhere.
    for place in (tab.find("#job-prompt"), tab.active(made).locator(".name")):
        expect(place).to_contain_text(SCRIPT)

    open_gate(app, made)
    tab.shows(made, "completed")
    tab.can_play()
    tab.wait_for("() => document.querySelector('#result-video video').currentTime > 0.2")
    size = "(({ videoWidth, videoHeight, duration }) => [videoWidth, videoHeight, Math.round(duration)])"
    assert tab.evaluate(f"{size}(document.querySelector('#result-video video'))") == [512, 288, 2]
    expect(tab.history(made)).to_have_attribute("data-status", "completed")
    expect(tab.history(made).locator(".name")).to_contain_text(SCRIPT)
    expect(tab.active(made)).to_have_count(0)
    expect(tab.find("#cancel")).to_have_count(0)
    with tab.page.expect_download() as started:
        tab.find("#download").click()
    assert started.value.suggested_filename.endswith(".mp4")
    with av.open(BytesIO(started.value.path().read_bytes())) as film:
        assert sum(1 for _ in film.decode(video=0)) == 24
    with tab.page.expect_download() as exported:
        tab.find("#export-gif").click()
    assert exported.value.suggested_filename.startswith("videogen-")
    assert exported.value.path().read_bytes().startswith(b"GIF89a")

    tab.reload()

    tab.shows(made, "completed")
    tab.can_play()
    expect(tab.find("a#export-gif")).to_have_attribute("download", exported.value.suggested_filename)
    expect(tab.prompt).to_have_value(f"{SCRIPT}, and the next")

    tab.find("#extend").click()
    expect(tab.find("#extended")).to_contain_text(SCRIPT[:50])
    expect(tab.find("#extend-words")).to_contain_text("2 s long already")
    tab.find("#generate").click()
    longer = tab.next_after(made)
    tab.shows(longer, "completed")
    tab.can_play()
    assert tab.evaluate(f"{size}(document.querySelector('#result-video video'))") == [512, 288, 4]
    assert tab.evaluate("window.bad") is None
    assert tab.gradio_routes <= GRADIO_ROUTES, "all that was asked of Gradio's own routes on the way"


def test_real_time_progress_updates_work(tab):
    made = tab.generate("a slow train", "Paced")
    tab.shows(made, "completed")
    # Written down by an observer in the page, as it was shown: nobody asked for it.
    shown = [entry for entry in tab.seen["job"] if entry["id"] == made]
    progress = [entry["progress"] for entry in shown]
    assert progress == sorted(progress), "progress fell"
    assert len({one for one in progress if 0 < one < 100}) >= 6, f"it moved in leaps: {progress}"
    assert any(entry["stage"] == "Drawing frames" for entry in shown)
    assert len({entry["step"] for entry in shown if entry["step"].endswith("/ 24")}) >= 6
    previews = [preview for preview in tab.seen["previews"] if preview["status"] == "processing"]
    assert len({preview["src"] for preview in previews}) >= 2, "the preview stood still"
    assert all(preview["width"] > 0 for preview in previews)


def test_reload_and_a_new_tab_bring_back_everything_that_is_queued_or_running(app, open_tab):
    tab = open_tab()
    first, second, third = (tab.generate(prompt, "Gated") for prompt in ("first", "second", "third"))
    tab.gets_going(first)

    tab.reload()

    expect(tab.find("#notice")).to_contain_text("3 generations are still rendering")
    for one, status in ((first, "processing"), (second, "processing"), (third, "queued")):
        expect(tab.active(one)).to_have_attribute("data-status", status)

    # The tab is closed, and its address opened in a new one.
    tab.page.close()
    tab = open_tab()
    expect(tab.find("#active > li")).to_have_count(3)
    tab.active(second).locator(".card").click()
    tab.gets_going(second)
    tab.find("#cancel").click()
    tab.shows(second, "cancelled")
    expect(tab.history(second)).to_have_attribute("data-status", "cancelled")
    expect(tab.active(first)).to_have_attribute("data-status", "processing")
    expect(tab.active(third)).to_have_attribute("data-status", "processing")
    tab.active(third).locator("[data-do=cancel]").click()
    tab.active(first).locator(".card").click()
    open_gate(app, first)
    tab.shows(first, "completed")
    tab.can_play()
    tab.history(second).locator(".card").click()
    tab.shows(second, "cancelled")
    expect(tab.find("#job-prompt")).to_have_text("second")


def test_the_connection_shows_its_correct_status(app, tab):
    made = tab.generate("offline for a moment", "Gated")
    tab.gets_going(made)
    shown = tab.seen["connection"]
    assert shown[shown.index("Live") :] == ["Live"]
    tab.page.context.set_offline(True)
    tab.says("Offline")
    tab.page.context.set_offline(False)
    tab.says("Live")
    open_gate(app, made)
    tab.shows(made, "completed")
    tab.can_play()


def test_errors_are_shown_and_can_be_put_right(app, tab):
    error = tab.find("#form-error")
    tab.choose_engine("Fails once")
    for prompt, seed, words in (("", "", "Describe what the video"), ("a film", "seven", "must be a whole number")):
        tab.prompt.fill(prompt)
        tab.seed.fill(seed)
        tab.find("#generate").click()
        expect(error).to_contain_text(words)
        expect(error.locator("[role=alert]")).to_be_visible()
        expect(tab.prompt).to_have_value(prompt)
        expect(tab.seed).to_have_value(seed)
    tab.seed.fill("")

    failed = tab.generate("no luck", "Fails once")
    tab.shows(failed, "failed")
    expect(error).to_be_empty()
    expect(tab.find("#stage-panel .message")).to_contain_text(MARKUP)
    expect(tab.find("#stage-panel b")).to_have_count(0)
    assert tab.evaluate("window.scriptRan") is None
    tab.find("#retry").click()
    again = tab.next_after(failed)
    tab.shows(again, "completed")
    tab.can_play()
    expect(tab.find("#retry")).to_have_count(0)

    # The disk has lost its file.
    shutil.rmtree(app.data_dir / "files" / again)
    tab.reload()
    expect(tab.status).to_have_text("File gone")
    expect(tab.find("#stage-panel .message")).to_contain_text("The video is gone")
    expect(tab.find("#result-video video")).not_to_be_visible()
    expect(tab.find("#download")).to_have_count(0)
    tab.find("#retry").click()
    tab.shows(tab.next_after(again), "completed")
    tab.can_play()


def test_two_tabs_and_two_people_do_not_interfere(app, open_tab, person, where):
    one, two = open_tab(), open_tab()
    # Somebody else meets the app in the other place.
    stranger = open_tab(person("iframe" if where == "page" else "page"))
    first = one.generate("from the first tab", "Gated")
    expect(two.active(first)).to_have_attribute("data-status", "processing")
    second = two.generate("from the second tab", "Gated")
    expect(one.active(second)).to_have_attribute("data-status", "processing")
    two.active(second).locator(".card").click()
    # What another tab does leaves this one's stage alone.
    two.gets_going(second)
    one.gets_going(first)
    open_gate(app, first)
    one.shows(first, "completed")
    two.shows(second, "processing")

    theirs = finish(app, stranger, "by somebody else")
    ids = "[...document.querySelectorAll('[data-generation-id]')].map(one => one.dataset.generationId)"
    assert set(stranger.evaluate(ids)) == {theirs}
    cancel = "id => fetch(`/api/v1/generations/${id}/cancel`, {method: 'POST'}).then(answer => answer.status)"
    # In the frame the browser keeps the cookie back: nobody in particular is asking.
    assert stranger.evaluate(cancel, second) == (404 if stranger.where == "page" else 401)
    open_gate(app, second)
    two.shows(second, "completed")
    for tab in (one, two):
        for made in (first, second):
            expect(tab.history(made)).to_have_attribute("data-status", "completed")
        expect(tab.history(theirs)).to_have_count(0)
