"""Somebody has made a lot: they find an old one again, and tidy up."""

import sqlite3
import zipfile
from contextlib import closing

import pytest
from playwright.sync_api import expect

SAME = """ids => [...document.querySelectorAll("#history > li")]
  .every((one, place) => one.dataset.generationId === ids[place])"""
FOCUSED = "selector => document.activeElement?.matches(selector)"


def make(tab, *prompts):
    """Have these rendered; return their ids, newest first."""
    tab.choose_engine("Develops")
    for number, prompt in enumerate(prompts, start=1):
        tab.prompt.fill(prompt)
        tab.find("#generate").click()
        expect(tab.find("#history > li")).to_have_count(number)
    return ids(tab)


def ids(tab):
    return tab.find("#history > li").evaluate_all("all => all.map(one => one.dataset.generationId)")


def listed(tab, wanted):
    expect(tab.find("#history > li")).to_have_count(len(wanted))
    tab.wait_for(SAME, list(wanted))


def columns(tab):
    return tab.find("#history > li").evaluate_all("all => all.filter(one => one.offsetTop === all[0].offsetTop).length")


def copy(app, generation, count):
    """Have the session own so many copies of a generation, all older than what is made from now on."""
    with closing(sqlite3.connect(app.data_dir / "videogen.sqlite", timeout=20)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(generations)") if row[1] not in ("seq", "id")]
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        columns = ", ".join(names)
        copies = f"{numbers} SELECT id || '_' || i, {columns} FROM generations, n WHERE id = ?"
        connection.execute(f"INSERT INTO generations (id, {columns}) {copies}", (generation,))


@pytest.mark.parametrize("where", ["page"])
def test_an_old_one_is_found_again_by_page_words_filters_and_address(app, tab):
    storm, lake = make(tab, "calm lake", "storm over <b>the sea</b>")
    copy(app, lake, 30)
    tab.reload()
    expect(tab.find("#history > li")).to_have_count(24)
    tab.find("#history-older").click()
    expect(tab.find("#history > li")).to_have_count(8)
    tab.page.go_back()
    expect(tab.find("#history > li")).to_have_count(24)
    tab.page.go_forward()
    listed(tab, [*(f"{lake}_{number}" for number in range(6, 0, -1)), storm, lake])
    tab.history(lake).locator(".card").click()
    tab.shows(lake, "completed")
    for key, place in (("ArrowLeft", 7), ("ArrowUp", 7 - columns(tab)), ("ArrowDown", 7)):
        tab.page.keyboard.press(key)
        tab.wait_for(FOCUSED, f"#history > li:nth-child({place}) .card")
    tab.find("#history-newer").click()
    expect(tab.find("#history > li")).to_have_count(24)

    # What is typed stays, with the focus, whatever comes meanwhile.
    search = tab.find("#history-search input")
    search.press_sequentially("STORM")
    listed(tab, [storm])
    expect(tab.find(".found")).to_have_text("1 found")
    tab.prompt.fill("another storm")
    tab.find("#generate").click()
    search.focus()
    expect(tab.find("#history > li")).to_have_count(2)
    expect(search).to_have_value("STORM")
    expect(search).to_be_focused()
    another = ids(tab)[0]
    tab.find("#filter-status-failed").click()
    expect(tab.find("#history-empty")).to_have_text("Nothing matches “STORM” here.")
    tab.page.go_back()
    listed(tab, [another, storm])

    # By keys: a title, and a mark.
    tab.history(storm).locator(".card").focus()
    tab.page.keyboard.press("F2")
    expect(tab.find("#new-title")).to_be_focused()
    tab.page.keyboard.type("Typhoon")
    tab.page.keyboard.press("Enter")
    expect(tab.history(storm).locator(".name")).to_have_text("Typhoon")
    tab.wait_for(FOCUSED, f'#history [data-generation-id="{storm}"] .card')
    tab.history(storm).locator(".star").click()
    tab.find("#filter-favorite-true").click()
    listed(tab, [storm])
    tab.find("#history-clear").click()
    expect(tab.find("#history > li")).to_have_count(24)
    expect(search).to_have_value("")

    # Each has an address: of what was looked at, and to open another time.
    tab.history(another).locator(".card").click()
    tab.shows(another, "completed")
    tab.page.wait_for_url(f"**/?generation={another}")
    bookmark = tab.page.context.new_page()
    bookmark.goto(tab.page.url)
    expect(bookmark.locator(f'gradio-app #job-status[data-generation-id="{another}"]')).to_be_visible()
    bookmark.goto(f"{app.base_url}/?generation=gen_of_somebody")
    expect(bookmark.locator("gradio-app #notice")).to_contain_text("belongs to somebody else")


def test_several_are_taken_along_deleted_and_brought_back(tab):
    newest, middle, oldest = everything = make(tab, "calm lake", "storm", "Café in the rain")
    tab.find("#pick-start").click()
    tab.history(oldest).locator(".card").click()
    tab.history(newest).locator(".card").click()
    expect(tab.find("#history-picked")).to_have_text("2 selected")
    with tab.page.expect_download() as download:
        tab.find("#history-zip").click()
    assert download.value.suggested_filename == "café-in-the-rain-and-1-more.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "videos/calm-lake.mp4" in archive.namelist()
    tab.find("#pick-here").click()
    tab.find("#history-trash").click()
    expect(tab.find("#history-empty")).to_be_visible()
    expect(tab.find("#stage-empty")).to_be_visible()
    tab.find("#undo").click()
    listed(tab, everything)

    # By keys alone: the focus stays in the list, and the stage shows the neighbour.
    tab.history(middle).locator(".card").click()
    tab.shows(middle, "completed")
    tab.page.keyboard.press("Delete")
    listed(tab, [newest, oldest])
    tab.shows(oldest, "completed")
    tab.wait_for(FOCUSED, f'#history [data-generation-id="{oldest}"] .card')
    tab.find("#open-trash").click()
    tab.find(f'dialog [data-generation-id="{middle}"] button').click()
    expect(tab.find("dialog")).to_contain_text("The trash is empty.")
    tab.page.keyboard.press("Escape")
    listed(tab, everything)
    tab.shows(middle, "completed")
    tab.wait_for(FOCUSED, "#open-trash")
