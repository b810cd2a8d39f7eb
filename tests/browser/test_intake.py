"""What the form asks besides its fields: an image to start from, video or still, variations."""

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.pictures import colour_at, encoded

pytestmark = pytest.mark.browser

GIVE = (Path(__file__).with_name("give.js")).read_text()
RED = encoded(Image.new("RGB", (120, 80), (210, 30, 30)))
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def where(request):
    """The page itself, unless a test asks for both."""
    return getattr(request, "param", "page")


def png(data=RED, name="red.png", kind="image/png"):
    return {"name": name, "mimeType": kind, "buffer": data}


def chosen(tab):
    """Wait until an image is chosen and its preview is seen."""
    expect(tab.find("#input-field")).to_have_attribute("data-state", "chosen")
    tab.wait_for("() => document.querySelector('#input-preview').naturalWidth > 0")


def poster_colour(app, tab, generation):
    source = tab.history(generation).locator("img").get_attribute("src")
    with httpx.Client(trust_env=False) as http:
        return colour_at(http.get(source).raise_for_status().content, 0.5, 0.5)


@pytest.mark.parametrize("where", ["page", "iframe"], indirect=True)
def test_an_image_is_chosen_kept_over_a_reload_and_becomes_a_video(app, tab):
    tab.choose_engine("Develops")
    tab.find("#input-file").set_input_files(png())
    chosen(tab)
    expect(tab.find("#input-about")).to_have_text("120 × 80")
    tab.prompt.fill("from my image")
    tab.kept("from my image")

    tab.reload()

    chosen(tab)
    assert tab.find("#input-preview").get_attribute("src").startswith(f"{app.base_url}/media/")
    tab.find("#generate").click()
    generation = tab.next_after("")
    tab.shows(generation, "completed")
    tab.can_play()
    assert poster_colour(app, tab, generation) == "red"
    # Taken away, the next one starts from nothing.
    tab.find("#input-remove").click()
    expect(tab.find("#input-field")).to_have_attribute("data-state", "empty")
    again = tab.generate("from nothing", "Develops")
    tab.shows(again, "completed")
    assert poster_colour(app, tab, again) == "blue"


def test_a_refused_image_is_reported_beside_the_field_and_another_one_is_taken(tab):
    tab.choose_engine("Develops")
    error, field = tab.find("#input-error"), tab.find("#input-file")
    for picture, said in (
        (png(b"hello", "notes.txt", "text/plain"), "Image: expected a PNG, JPEG or WebP image, got text/plain."),
        (png(b"<html></html>", "page.png"), "Image: expected a PNG, JPEG or WebP image, got a file that begins with"),
        (png(RED[:60]), "Image: expected a PNG, JPEG or WebP image that is whole, got a broken PNG"),
    ):
        field.set_input_files(picture)
        expect(error).to_contain_text(said)
        expect(tab.find("#input-field")).to_have_attribute("data-state", "empty")
    expect(error).to_have_role("alert")
    field.set_input_files(png())
    chosen(tab)
    expect(error).to_have_text("")

    # An image may be dropped and pasted anywhere.
    for how in ("drop", "paste"):
        tab.find("#input-remove").click()
        expect(tab.find("#input-field")).to_have_attribute("data-state", "empty")
        tab.evaluate(GIVE, [how, list(RED), "red.png", "image/png"])
        chosen(tab)

    # An engine without images and stills asks for neither, and no image goes along.
    for selector in ("#input-field", "#make"):
        expect(tab.find(selector)).to_be_visible()
    tab.choose_engine("Paced")
    for selector in ("#input-field", "#make"):
        expect(tab.find(selector)).to_be_hidden()
    generation = tab.generate("no image goes along", "Paced")
    tab.shows(generation, "processing")
    tab.find("#cancel").click()
    tab.shows(generation, "cancelled")


def test_a_still_is_shown_downloaded_and_animated_in_one_click(app, tab):
    tab.choose_engine("Develops")
    tab.find("label:has(#make-image)").click()
    expect(tab.find("#seconds")).to_be_hidden()
    still = tab.generate("a blue wall", "Develops")
    tab.shows(still, "completed")
    expect(tab.find("#stage")).to_have_attribute("data-mode", "still")
    expect(tab.find("#job-preview")).to_have_attribute("alt", "Still: a blue wall")
    tab.wait_for("() => document.querySelector('#job-preview').naturalWidth === 512")
    expect(tab.history(still)).to_contain_text("Still")
    with tab.page.expect_download() as started:
        tab.find("#download").click()
    assert started.value.suggested_filename.endswith(".png")
    with Image.open(io.BytesIO(started.value.path().read_bytes())) as image:
        assert image.text["Title"] == "a blue wall"

    tab.find("#animate").click()

    chosen(tab)
    expect(tab.find("#make-video")).to_be_checked()
    expect(tab.find("#seconds")).to_be_visible()
    expect(tab.prompt).to_have_value("a blue wall")
    tab.find("#generate").click()
    video = tab.next_after(still)
    tab.shows(video, "completed")
    tab.can_play()
    expect(tab.find("#animate")).to_be_hidden()
    assert poster_colour(app, tab, video) == "blue"


def test_variations_are_one_project_that_is_seen_together(tab):
    tab.choose_engine("Gated")
    tab.find("#variations").select_option("3")
    tab.prompt.fill("three of a kind")
    tab.find("#generate").dblclick()
    tab.next_after("")
    expect(tab.find("#active [data-generation-id]")).to_have_count(3)
    expect(tab.find("#active")).to_contain_text("3 of 3")
    ids = tab.evaluate("[...document.querySelectorAll('#active > *')].map(node => node.dataset.generationId)")
    seeds = set()
    for generation in ids:
        tab.active(generation).locator(".vg-job-card").click()
        expect(tab.find(f'#job-status[data-generation-id="{generation}"]')).to_be_attached()
        seeds.add(tab.find("#job-facts").inner_text())
        tab.find("#cancel").click()
        expect(tab.history(generation)).to_be_visible()
    assert len(seeds) == 3, "each has a seed of its own"
    expect(tab.find("#history [data-generation-id]")).to_have_count(3)
    for number in (1, 2, 3):
        expect(tab.find("#history").get_by_text(f"{number} of 3")).to_be_visible()
    expect(tab.find("#variations")).to_have_value("3")


def test_it_all_works_by_keys_on_a_phone(app, person, where):
    tab = person(where).tab(app.base_url)
    tab.page.set_viewport_size(PHONE)
    # Chromium hands its file choosers over from here on; asked for it at the key press, it may be too late.
    tab.page.on("filechooser", lambda chooser: None)
    tab.open()
    tab.choose_engine("Develops")
    tab.find("#make-video").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(tab.find("#make-image")).to_be_checked()
    tab.page.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "variations"
    tab.page.keyboard.press("2")
    expect(tab.find("#variations")).to_have_value("2")
    tab.page.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "input-file"
    with tab.page.expect_file_chooser() as asked:
        tab.page.keyboard.press("Enter")
    asked.value.set_files(png())
    chosen(tab)
    assert tab.evaluate("document.activeElement.id") == "input-remove"
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    tab.page.keyboard.press("Enter")
    expect(tab.find("#input-field")).to_have_attribute("data-state", "empty")
    assert tab.evaluate("document.activeElement.id") == "input-file"
    for name in ("#make-image", "#variations", "#input-file"):
        assert tab.find(name).evaluate("node => (node.labels?.length ?? 0) > 0"), name
