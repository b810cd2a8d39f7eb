"""Somebody sees what becomes of a prompt before it is rendered, starts a preset, and keeps one of their own."""

from playwright.sync_api import expect

WORDS = "Will Smith eating spaghetti in the rain"


def test_a_prompt_is_explained_and_presets_start_without_a_silent_seed(tab):
    tab.choose_engine("Procedural")
    expect(tab.find("#engine-panel")).to_contain_text("not an AI model")
    tab.find("#can-draw summary").click()
    expect(tab.find("#can-draw")).to_contain_text("lighthouse")
    understood, calls = tab.find("#understood"), []
    tab.page.on("request", lambda request: calls.append(request.url))
    tab.prompt.press_sequentially(WORDS)
    expect(understood).to_contain_text("Not understood: Will Smith, eating, spaghetti")
    expect(understood).to_contain_text("512 × 288 pixels")
    assert len(calls) < len(WORDS) / 2, "not one for each key"
    expect(tab.find("#can-draw")).to_have_attribute("open", "")

    noir = tab.find("#preset-list").get_by_role("button", name="Noir: fill the form and start")
    noir.dblclick()
    made = tab.next_after("")
    tab.shows(made, "completed")
    expect(tab.prompt).to_have_value("a street at night")
    expect(understood).not_to_contain_text("Seed")
    expect(tab.find("#history [data-generation-id]")).to_have_count(1)
    tab.find("#form-back").click()
    expect(tab.prompt).to_have_value(WORDS)

    tab.find("#preset-save").click()
    tab.find("#preset-name").fill("<b>Mine</b> ${window.bad=1}")
    tab.page.keyboard.press("Enter")
    mine = tab.find("#own-presets > li")
    expect(mine).to_contain_text("<b>Mine</b> ${window.bad=1}")
    mine.get_by_role("button", name="Rename").click()
    tab.find("#preset-name").fill("Ours")
    tab.page.keyboard.press("Enter")
    expect(mine).to_contain_text("Ours")
    tab.kept('"Ours"')
    tab.reload()
    mine.get_by_role("button", name="Delete Ours").click()
    expect(mine).to_have_count(0)
    tab.find("#undo").click()
    tab.prompt.fill("something else")
    mine.get_by_role("button", name=f"Ours {WORDS}: fill the form and start").click()
    tab.next_after(made)
    expect(tab.prompt).to_have_value(WORDS)
    assert tab.evaluate("window.bad") is None
