"""Somebody uses keys, another language and another theme, and finds them again."""

from playwright.sync_api import expect


def test_keys_theme_and_language_are_used_and_kept(tab):
    tab.prompt.press_sequentially("why? p/x")
    expect(tab.prompt).to_have_value("why? p/x")
    expect(tab.find("dialog")).to_have_count(0)
    press = tab.page.keyboard.press
    made = []
    for number in range(2):
        made.append(tab.generate(f"short {number}", "Fails once"))
        tab.shows(made[-1], "failed")
    tab.find("gradio-app h1").click()
    press("ArrowRight")
    tab.shows(made[0], "failed")
    press("ArrowLeft")
    tab.shows(made[1], "failed")
    press("Delete")
    expect(tab.history(made[1])).to_have_count(0)
    press("Control+z")
    expect(tab.history(made[1])).to_be_visible()
    press("g")
    expect(tab.prompt).to_be_focused()
    tab.find("gradio-app h1").click()
    # The key with the question mark of another layout.
    press("?")
    expect(tab.find("dialog[data-name=help]")).to_be_visible()
    press("Escape")
    expect(tab.find("dialog")).to_have_count(0)

    tab.find("#shape input").first.focus()
    press("ArrowRight")
    expect(tab.find("#shape input").nth(1)).to_be_checked()

    tab.find("gradio-app #theme").select_option("dark")
    tab.wait_for("() => document.documentElement.dataset.theme === 'dark'")
    tab.prompt.fill("x" * 3000)
    tab.find("gradio-app [data-language=de]").click()
    expect(tab.find("html")).to_have_attribute("lang", "de")
    tab.settled()
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.prompt.fill("x" * 3000)
    expect(tab.find("#prompt-count")).to_have_text("3.000 von 2.000 Zeichen")
    tab.find("#generate").click()
    expect(tab.find("#form-error")).to_contain_text("Kürzen Sie ihn.")
    assert len(tab.prompt.input_value()) == 3000
