"""What somebody at the page sees of a disk that has lost a file, or has no room."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ENGINES, finish, open_gate
from tests.support.disks import LimitedDisk

pytestmark = pytest.mark.browser


@pytest.fixture
def where():
    """The page itself is enough here."""
    return "page"


def test_a_missing_file_is_said_in_place_of_the_player_and_retry_renders_it_again(app, tab):
    generation = finish(app, tab, "here today")
    shutil.rmtree(app.data_dir / "files" / generation)
    tab.reload()

    tab.shows(generation, "completed")
    expect(tab.status).to_have_text("File gone")
    expect(tab.find("#stage-failed")).to_contain_text("The video is gone")
    expect(tab.find("#result-video video")).not_to_be_visible()
    expect(tab.find("#download")).not_to_be_visible()
    expect(tab.history(generation)).to_contain_text("File gone")

    tab.find("#retry").click()
    again = tab.next_after(generation)
    tab.gets_going(again)
    open_gate(app, again)
    tab.shows(again, "completed")
    tab.can_play()
    expect(tab.find("#stage-failed")).not_to_be_visible()


def test_a_full_disk_is_told_the_form_keeps_its_text_and_the_same_click_works_later(running_app, person):
    app = running_app(engines=ENGINES, page=True)
    disk = LimitedDisk(app.data_dir)
    tab = person("page").tab(app.base_url).open()
    done = finish(app, tab, "before")
    tab.choose_engine("Gated")
    tab.prompt.fill("while there is no room")

    disk.fill(app.pid)
    tab.find("#generate").click()
    expect(tab.find("#form-error")).to_contain_text("Look at the data folder: its free space")
    expect(tab.prompt).to_have_value("while there is no room")
    tab.shows(done, "completed")
    expect(tab.find("#active [data-generation-id]")).to_have_count(0)

    disk.free(app.pid)
    tab.find("#generate").click()
    tab.gets_going(tab.next_after(done))
    expect(tab.find("#form-error")).to_have_text("")
