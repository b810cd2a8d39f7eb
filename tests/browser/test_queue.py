"""Somebody has several jobs: they pause the queue, change what waits and its order, and let it go on."""

from playwright.sync_api import expect


def test_a_queue_is_paused_changed_and_goes_on(tab):
    tab.choose_engine("Gated")
    tab.find("#per-line input").check()
    tab.prompt.fill("\n".join(f"fog {number}" for number in range(8)))
    tab.find("#generate").click()
    expect(tab.find("#active li")).to_have_count(8)
    tab.find("#queue-pause").click()
    expect(tab.find("#queue-state")).to_contain_text("Paused")
    waiting = tab.find('#active [data-status="queued"]')
    names = waiting.locator(".name")
    before = names.all_text_contents()
    waiting.nth(1).locator("[data-do=front]").click()
    expect(names).to_have_text([before[1], before[0], *before[2:]])
    waiting.nth(0).locator("[data-do=edit]").click()
    tab.find("#edit-prompt").fill("hail")
    tab.find("dialog [type=submit]").click()
    after = ["hail", before[0], *before[2:]]
    expect(names).to_have_text(after)
    tab.reload()
    expect(names).to_have_text(after)
    waiting.last.locator("[data-do=cancel]").click()
    expect(names).to_have_text(after[:-1])
    tab.find("#queue-pause").click()
    expect(tab.find("#queue-state")).to_be_empty()
    lines = tab.find("#active li")
    for left in range(7, 0, -1):
        expect(lines).to_have_count(left)
        lines.last.locator("[data-do=cancel]").click()
    expect(lines).to_have_count(0)
