"""Somebody starts from a photo, gets the settings of a file back, and takes everything along."""

import zipfile

import httpx
from PIL import Image
from playwright.sync_api import expect

from tests.support.pictures import colour_at, encoded

RED, GREEN = (encoded(Image.new("RGB", (120, 90), colour)) for colour in ((210, 30, 30), (30, 210, 30)))
DROP = """
([bytes, name, type]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(drop);
}
"""


def give(tab, data, name="red.png", kind="image/png"):
    """Choose a file."""
    file = {"name": name, "mimeType": kind, "buffer": data}
    tab.find("#files input[type=file]").set_input_files(file)


def test_from_a_photo_to_a_zip_of_everything(app, tab):
    # A photo is dropped anywhere: it brings its own shape, and another one says what it cuts off.
    tab.choose_engine("Develops")
    tab.evaluate(DROP, [list(RED), "red.png", "image/png"])
    words, shape = tab.find("#image-words"), tab.find("#shape label.selected")
    expect(words).to_have_text("The result has 384 × 288 pixels; nothing is cut off.")
    expect(shape).to_have_text("Like the image")
    tab.find("#shape").get_by_text("Square").click()
    expect(words).to_have_text("The result has 288 × 288 pixels: 25 % at the sides would be cut off.")
    tab.find("#shape").get_by_text("Like the image").click()
    expect(words).to_contain_text("nothing is cut off")
    tab.prompt.fill("from my photo")
    tab.kept("from my photo")

    # The draft has it after a reload too.
    tab.reload()
    expect(words).to_contain_text("nothing is cut off")
    expect(shape).to_have_text("Like the image")
    tab.find("#generate").click()
    made = tab.next_after("")
    tab.shows(made, "completed")
    source = tab.history(made).locator("img").get_attribute("src")
    with httpx.Client(trust_env=False, base_url=app.base_url) as http:
        assert colour_at(http.get(source).raise_for_status().content, 0.5, 0.5) == "red"
    with tab.page.expect_download() as started:
        tab.find("#download").click()
    video = started.value.path().read_bytes()

    # A refusal takes the message before it back, and nothing stays in the form of what was taken away.
    tab.find("#image-remove").click()
    expect(tab.find("#image")).to_have_count(0)
    expect(shape).to_have_text("Wide")
    tab.prompt.fill("something else")
    give(tab, video, "made.mp4", "video/mp4")
    expect(tab.find("#notice")).to_contain_text("The settings of made.mp4 are in the form.")
    expect(tab.prompt).to_have_value("from my photo")
    expect(words).to_contain_text("384 × 288")
    give(tab, b"hello", "notes.txt", "text/plain")
    expect(tab.find("#notice")).to_contain_text("notes.txt cannot be used here.")
    expect(tab.find("#notice")).not_to_contain_text("made.mp4")

    # Everything goes along as a zip.
    with tab.page.expect_download() as started:
        tab.find("#export").click()
    assert f"videos/{made}.mp4" in zipfile.ZipFile(started.value.path()).namelist()
    assert not list((app.data_dir / "page-uploads").rglob("*.*"))


def test_from_one_photo_to_another(app, tab):
    tab.choose_engine("Develops")
    give(tab, RED)
    expect(tab.find("#image-words")).to_contain_text("nothing is cut off")
    # The next picture that is dropped is the last frame, and the one after that would be the first again.
    tab.find("#last-frame").click()
    expect(tab.find("#last-frame")).to_have_attribute("aria-pressed", "true")
    tab.evaluate(DROP, [list(GREEN), "green.png", "image/png"])
    expect(tab.find("#last-words")).to_contain_text("nothing is cut off")
    expect(tab.find("#last-frame")).to_have_count(0)
    tab.prompt.fill("from red to green")
    tab.kept("from red to green")
    tab.reload()
    expect(tab.find("#last-words")).to_contain_text("nothing is cut off")
    tab.find("#generate").click()
    made = tab.next_after("")
    tab.shows(made, "completed")
    expect(tab.find("#job-facts")).to_contain_text("Ends with")
    source = tab.history(made).locator("img").get_attribute("src")
    with httpx.Client(trust_env=False, base_url=app.base_url) as http:
        poster = http.get(source).raise_for_status().content
    assert [colour_at(poster, across, 0.5) for across in (0.25, 0.75)] == ["red", "green"]

    # A still that was made here ends the next one.
    tab.find("#last-remove").click()
    expect(tab.find("#last-image")).to_have_count(0)
    tab.find("#type").get_by_text("Still").click()
    expect(tab.find("#last-frame")).to_have_count(0)
    tab.find("#generate").click()
    still = tab.next_after(made)
    tab.shows(still, "completed")
    tab.find("#type").get_by_text("Video").click()
    tab.find("#end-with").click()
    expect(tab.find("#last-preview")).to_be_visible()
