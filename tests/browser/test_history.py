"""A history that works: found, sorted out, renamed, deleted and brought back, taken along; however long it is."""

import json
import sqlite3
import zipfile
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_gate

pytestmark = pytest.mark.browser

MAKE = """async wishes => {
  const token = await videogen.session.token();
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  for (const body of wishes) {
    const answer = await fetch("/api/v1/generations", { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
  }
}"""
SCRIPT = "<img src=x onerror=alert(1)>"
PROMPTS = ("calm lake", f"{SCRIPT} storm", "Café in the rain")
MANY = 3000


def make(tab, *wishes):
    """Have these rendered; return their ids, newest first."""
    settings = {"width": 64, "height": 64, "fps": 4, "durationSeconds": 1}
    bodies = []
    for wish in wishes:
        still = wish.get("type") == "image"
        sizes = {name: settings[name] for name in ("width", "height")} if still else settings
        bodies.append(json.dumps({"engine": "develops", "settings": sizes} | wish))
    tab.evaluate(MAKE, bodies)
    expect(tab.find("#history > li")).to_have_count(len(wishes))
    return [node.get_attribute("data-generation-id") for node in tab.find("#history > li").all()]


def menu(tab, generation, what):
    tab.history(generation).locator(".vg-dots").click()
    tab.find(f'#history-menu [data-do="{what}"]').click()


def listed(tab, ids):
    expect(tab.find("#history > li")).to_have_count(len(ids))
    shown = [node.get_attribute("data-generation-id") for node in tab.find("#history > li").all()]
    assert shown == list(ids)


@pytest.mark.parametrize("where", ["page"])
def test_search_filters_titles_and_favourites_stay_true_while_things_happen(app, tab):
    cafe, storm, lake = ids = make(
        tab, *({"prompt": prompt} for prompt in PROMPTS[:2]), {"prompt": PROMPTS[2], "type": "image"}
    )
    search, keys = tab.find("#history-search"), tab.page.keyboard

    search.fill("CAFE rain")
    listed(tab, [cafe])
    expect(tab.find("#history-said")).to_have_text("1 found")
    tab.find('[data-filter="type"][data-value="video"]').click()
    expect(tab.find("#history-none-words")).to_have_text("Nothing matches “CAFE rain” here.")
    tab.find("#history-clear").click()
    expect(search).to_have_value("")
    listed(tab, ids)

    # A title: as text, whatever it is; left by Escape, kept by Enter, and without one it is the prompt again.
    text = tab.history(lake).locator(".vg-card-text")
    tab.history(lake).locator(".vg-card").focus()
    keys.press("F2")
    keys.type("not this")
    keys.press("Escape")
    expect(text).to_have_text("calm lake")
    menu(tab, lake, "rename")
    field = tab.find(".vg-rename")
    field.fill("x" * 300)
    assert len(field.input_value()) == 200
    field.fill(SCRIPT)
    keys.press("Enter")
    expect(text).to_have_text(SCRIPT)
    expect(tab.history(lake).locator(".vg-card")).to_be_focused()
    search.fill("onerror")
    listed(tab, [storm, lake])
    assert tab.find("#history .vg-card-text > *").count() == 0
    menu(tab, lake, "rename")
    tab.find(".vg-rename").fill("")
    keys.press("Enter")
    listed(tab, [storm])
    search.fill("")
    expect(text).to_have_text("calm lake")

    star = tab.history(storm).locator(".vg-star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    tab.find('[data-filter="favorite"]').click()
    listed(tab, [storm])
    star.click()
    expect(tab.find("#history-none")).to_be_visible()
    tab.find("#history-clear").click()

    # What ends while something is looked for comes if it matches, and only then.
    search.fill("lake")
    listed(tab, [lake])
    another = tab.generate("another lake", "Gated")
    tab.gets_going(another)
    sea = tab.generate("the sea", "Gated")
    tab.gets_going(sea)
    open_gate(app, sea, pace=0)
    tab.shows(sea, "completed")
    open_gate(app, another, pace=0)
    expect(tab.history(another)).to_be_visible()
    listed(tab, [another, lake])

    tab.history(lake).locator(".vg-card").click()
    tab.shows(lake, "completed")
    tab.history(lake).locator(".vg-dots").click()
    with tab.page.expect_download() as download:
        tab.find('#history-menu [data-do="download"]').click()
    assert download.value.suggested_filename == "calm-lake.mp4"


@pytest.mark.parametrize("where", ["page", "iframe"])
def test_what_is_deleted_goes_from_list_and_stage_and_comes_back(tab, where):
    newest, middle, oldest = ids = make(tab, *({"prompt": prompt} for prompt in PROMPTS))
    tab.history(middle).locator(".vg-card").click()
    tab.shows(middle, "completed")
    menu(tab, middle, "trash")
    expect(tab.find("#history-told")).to_contain_text("Deleted")
    listed(tab, [newest, oldest])
    tab.shows(oldest, "completed")
    expect(tab.find("#history-toast")).to_be_visible()
    tab.page.keyboard.press("Control+z")
    listed(tab, ids)
    tab.shows(middle, "completed")

    # By keys alone: the way back has the focus.
    tab.history(newest).locator(".vg-card").focus()
    tab.page.keyboard.press("Delete")
    expect(tab.find("#history-undo")).to_be_focused()
    listed(tab, [middle, oldest])
    tab.page.keyboard.press("Enter")
    listed(tab, ids)

    tab.find("#history-select").click()
    for one in (oldest, newest):
        tab.history(one).locator(".vg-card").click()
    assert tab.evaluate("videogen.history.selected()") == [newest, oldest]
    expect(tab.find("#history-chosen")).to_have_text("2 selected")
    with tab.page.expect_download() as download:
        tab.find("#history-zip").click()
    assert download.value.suggested_filename == "café-in-the-rain-and-1-more.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert [one["id"] for one in manifest["generations"]] == [oldest, newest]
        assert "videos/calm-lake.mp4" in archive.namelist()

    tab.find("#history-all").click()
    expect(tab.find("#history-chosen")).to_have_text("3 selected")
    tab.find("#history-trash").click()
    expect(tab.find("#history-empty")).to_be_visible()
    expect(tab.find("#stage-empty")).to_be_visible()
    if where == "page":
        tab.reload()
        expect(tab.find("#history-told")).to_have_text("You deleted 3 a while ago.")
    tab.find("#history-undo").click()
    listed(tab, ids)
    expect(tab.find("#history-told")).to_have_text("3 are back.")


@pytest.mark.parametrize("where", ["page"])
@pytest.mark.long
def test_thousands_are_scrolled_through_with_few_of_them_in_the_document(app, tab):
    [first] = make(tab, {"prompt": "the first of many"})
    with closing(sqlite3.connect(app.data_dir / "videogen.sqlite", timeout=20)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(generations)") if row[1] not in ("seq", "id")]
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
        columns = ", ".join(names)
        copies = f"{numbers} SELECT id || '_' || i, {columns} FROM generations, n WHERE id = ?"
        connection.execute(f"INSERT INTO generations (id, {columns}) {copies}", (first,))
    tab.reload()
    seen = tab.evaluate(
        """async () => {
          let most = 0;
          const more = document.getElementById("history-more");
          const loaded = () => more.hidden && videogen.history.items.length;
          while (!loaded()) {
            more.scrollIntoView();
            await new Promise(requestAnimationFrame);
            most = Math.max(most, document.querySelectorAll("#history > li").length);
          }
          return [most, loaded(), new Set(videogen.history.items.map(one => one.id)).size];
        }"""
    )
    assert seen[1:] == [MANY + 1, MANY + 1]
    assert seen[0] < 120

    card = tab.history(first).locator(".vg-card")
    card.focus()
    expect(tab.history(first)).to_have_attribute("aria-posinset", str(MANY + 1))
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.history(f"{first}_1").locator(".vg-card")).to_be_focused()
    tab.evaluate("videogen.gallery.focus(0)")
    expect(tab.history(f"{first}_{MANY}").locator(".vg-card")).to_be_focused()
    assert tab.find("#history > li").count() < 120

    tab.find("#history-search").fill("many")
    expect(tab.find("#history-said")).to_have_text("More than 48 found")
    tab.find("#history-select").click()
    tab.find("#history-all").click()
    expect(tab.find("#history-chosen")).to_have_text("3,001 selected")
    tab.find("#history-zip").click()
    expect(tab.find("#history-told")).to_contain_text("at most")
    tab.find("#history-trash").click()
    expect(tab.find("#history-none")).to_be_visible()
    tab.find("#history-undo").click()
    expect(tab.find("#history-told")).to_have_text("3,001 are back.")
