"""What the selected generation was made from."""

from tests.ui.conftest import engine, generation
from videogen.ui.form import Limits, engine_form
from videogen.ui.panels.recipe import own_settings, recipe_json
from videogen.ui.tab import Site


def show(tab, **changes):
    tab.board.put(generation(**changes))
    tab.board.select("gen_a")


def test_the_facts_are_named(tab, html):
    show(tab, sizeBytes=624_000, negativePrompt="clouds", inputFileId="fil_i")
    about = html("about")
    for name, value in {"Size": "512 × 288", "Length": "4 s at 24 fps", "File": "624 kB", "Left out": "clouds"}.items():
        assert f'<dt>{name}</dt><dd dir="auto">{value}</dd>' in about
    assert '<dt>Started from</dt><dd dir="auto">An image</dd>' in about
    assert "Ends with" not in about
    show(tab, lastFrameFileId="fil_j")
    assert '<dt>Ends with</dt><dd dir="auto">An image</dd>' in html("about")
    assert "&#34;lastFrameFileId&#34;: &#34;fil_j&#34;" in html("about")


def test_seed_prompt_and_recipe_can_be_copied(tab, html):
    show(tab)
    assert 'data-copy="7" aria-label="Copy seed"' in html("about")
    assert 'data-copy="sea"' in html("about")
    assert "&#34;prompt&#34;: &#34;sea&#34;" in html("about")


def test_the_recipe_holds_what_a_request_needs():
    text = recipe_json(generation(settings={"fps": 24, "seed": None}, seed=2**60))
    assert f'"seed": {2**60}' in text
    assert '"engineVersion": "1"' in text
    assert "negativePrompt" not in text


def test_own_settings_have_the_names_of_the_form(tab):
    properties = {"loop": {"type": "boolean"}, "steps": {"type": "integer", "title": "Steps", "unit": "rounds"}}
    tab.site = Site([engine_form(engine(settingsSchema={"properties": properties}), Limits())])
    item = generation(settings={"loop": True, "steps": 9, "fps": 24, "unknown": [1], "none": None})
    assert own_settings(tab, item) == [("Loop", "Yes"), ("Steps", "9 rounds"), ("unknown", "[1]")]


def test_what_was_understood_and_what_was_not(tab, html):
    found = [{"phrase": "Sea", "became": "sea"}, {"phrase": "dusk", "became": "time: sunset"}]
    show(tab, understanding={"understood": found, "ignored": ["Will Smith", "<b>"], "abstract": False})
    about = html("about")
    assert '<li><bdi lang="en">sea</bdi></li>' in about
    assert '<bdi>dusk</bdi> → <bdi lang="en">time: sunset</bdi>' in about
    assert "Not understood: <bdi>Will Smith</bdi>, <bdi>&lt;b&gt;</bdi>" in about


def test_what_a_person_wrote_stays_text(tab, html):
    show(tab, prompt='<b onclick=x>${window.bad=1}{{x}}"', title="<i>", status="failed")
    assert "&lt;b onclick=x&gt;${window.bad=1}{{x}}&#34;</blockquote>" in html("about")
    assert "<b onclick" not in html("about")
    assert "<i>" not in html("about")


SHOT = {"startSeconds": 2.0, "durationSeconds": 2.0, "prompt": "a <b>boat", "join": "cut"}


def test_shots_are_listed_with_their_starts_and_can_be_made_again_once_there_is_a_result(tab, html):
    first = SHOT | {"startSeconds": 0.0, "prompt": "sea", "join": "start"}
    show(tab, status="processing", shots=[first, SHOT])
    assert "a &lt;b&gt;boat" in html("about")
    assert 'data-do="remake"' not in html("about")
    show(tab, status="completed", shots=[first, SHOT])
    about = html("about")
    assert '<dt class="num">2 s</dt><dd><bdi>a &lt;b&gt;boat</bdi> <span class="soft">(cut)</span>' in about
    assert 'data-do="remake" data-shot="2" data-generation-id="gen_a"' in about
    assert 'aria-label="Make shot 2 again"' in about
