"""The own line on the page: its order changed by keys and by hand, and what is dropped."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def where():
    """The page itself is enough here."""
    return "page"


@pytest.fixture
def line(tab):
    """Two that render, and three that wait: their ids."""
    ids = [tab.generate(f"film {number}", "Gated") for number in range(5)]
    tab.shows(ids[-1], "queued")
    expect(tab.find('#active [data-status="processing"]')).to_have_count(2)
    yield ids
    for name in reversed(ids):
        entry = tab.active(name)
        if entry.count() and entry.get_attribute("data-status") == "queued":
            entry.locator('[data-line="drop"]').click()
            expect(entry).to_have_count(0)


def stands(tab, ids):
    """Wait until these wait in this order."""
    script = (
        "ids => JSON.stringify([...document.querySelectorAll('#active > [data-status=queued]')]"
        ".map(node => node.dataset.generationId)) === JSON.stringify(ids)"
    )
    tab.wait_for(script, ids)


def test_the_line_is_changed_by_keys_and_by_hand_and_stays_so(tab, line):
    *_, a, b, c = line
    stands(tab, [a, b, c])
    tab.wait_for("() => /^Waited \\d+ s/.test(document.querySelector('#job-eta').textContent)")

    earlier = tab.active(c).get_by_role("button", name="Earlier: film 4")
    earlier.focus()
    tab.page.keyboard.press("Enter")
    stands(tab, [a, c, b])
    expect(earlier).to_be_focused()
    expect(tab.find("#queue-said")).to_have_text("film 4: Number 2 in line")
    tab.page.keyboard.press("Space")
    stands(tab, [c, a, b])
    expect(earlier).to_have_attribute("aria-disabled", "true")
    tab.page.keyboard.press("Enter")  # at the front there is nothing earlier
    expect(earlier).to_be_focused()

    tab.active(b).get_by_role("button", name="To the front").click()
    stands(tab, [b, c, a])
    tab.active(b).get_by_role("button", name="Later").click()
    stands(tab, [c, b, a])

    grip, below = tab.active(c).locator("[data-grip]"), tab.active(a).bounding_box()
    grip.scroll_into_view_if_needed()
    below = tab.active(a).bounding_box()
    grip.hover()
    tab.page.mouse.down()
    tab.page.mouse.move(below["x"] + 20, below["y"] + below["height"] - 2, steps=4)
    expect(tab.active(a)).to_have_attribute("data-aim", "after")
    tab.page.mouse.up()
    stands(tab, [b, a, c])

    tab.reload()
    stands(tab, [b, a, c])

    tab.active(b).get_by_role("button", name="Drop").focus()
    tab.page.keyboard.press("Enter")
    stands(tab, [a, c])
    assert tab.evaluate("document.activeElement.closest('#active > li') !== null"), "the focus is not lost"
    expect(tab.history(b)).to_have_attribute("data-status", "cancelled")
