"""What is said below the prompt, before anything is rendered."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from tests.ui.conftest import engine
from videogen.core.i18n import catalog
from videogen.engines.procedural.engine import FIRST_AND_LAST
from videogen.engines.procedural.language import KINDS
from videogen.schemas.engines import Cost, Explanation
from videogen.schemas.generations import GenerationCreate, Understanding, UnderstoodPhrase
from videogen.schemas.retention import Quota
from videogen.ui.form import Limits
from videogen.ui.form_fields import engine_forms
from videogen.ui.panels.understood import MAX_NAMES, SUBJECTS
from videogen.ui.tab import Explained, Site
from videogen.ui.texts import Texts


def subject(phrase, became):
    return UnderstoodPhrase(phrase=phrase, became=became, role="subject")


@pytest.fixture
def text(tab, html):
    """The words of the panel, once a request was explained."""

    def read(*understood, not_drawn=(), ignored=(), unused=(), abstract=False, seed=None, variations=1, **explained):
        settings = {} if seed is None else {"seed": seed}
        found = Understanding(
            understood=understood, not_drawn=not_drawn, ignored=ignored, unused=unused, abstract=abstract
        )
        request = GenerationCreate(prompt="a", settings=settings, variations=variations)
        explanation = Explanation(**({"understanding": found, "width": 1280, "height": 720} | explained))
        tab.explained = Explained(request, explanation)
        return words(html("understood"))

    return read


def words(markup):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", markup))).strip()


def test_nothing_is_said_without_a_prompt_and_while_the_api_does_not_answer(tab, html, text):
    hint = "Once there is a prompt, this is where you see what will be drawn."
    assert words(html("understood")) == hint
    assert text(subject("cat", "cat")) != hint
    tab.link = "reconnecting"
    assert words(html("understood")) == hint
    assert 'id="understood" role="status"' in html("understood")


def test_a_last_frame_is_named_in_the_words_of_the_page(tab, text):
    pair = UnderstoodPhrase(phrase=FIRST_AND_LAST, became="camera: zoom in from one to the other", role="setting")
    assert text(pair).startswith("Drawn: first and last frame ")
    tab.texts = Texts(catalog("de"))
    assert "Anfangs- und Endbild" in text(pair)


def test_it_names_what_is_drawn_what_is_not_and_the_size(text):
    setting = UnderstoodPhrase(phrase="at night", became="time: night", role="setting")
    place = UnderstoodPhrase(phrase="over", became="cat over city", role="other")
    understood = (subject("cat", "cat"), place, subject("Tokyo", "city"), setting)
    left_out = {"ignored": ("Will Smith", "eating"), "unused": ("cinematic", "4k"), "not_drawn": ("Will Smith",)}
    assert text(*understood, **left_out) == (
        "Drawn: cat, Tokyo (city), at night Not understood: Will Smith, eating "
        "Not used: cinematic, 4k 1280 × 720 pixels"
    )


def test_it_says_what_is_left_of_a_quota_and_when_there_is_more(text):
    assert text(quota=Quota(limit=20.0, used=0.0, left=20.0, resets_at=None)).endswith("20 of 20 s left in 24 hours")
    used = Quota(limit=20.0, used=17.5, left=2.5, resets_at=datetime(2026, 11, 30, 9, 15, tzinfo=UTC))
    shown = text(quota=used)
    assert "2.5 of 20 s left in 24 hours, more from 30 November 2026" in shown


def test_an_engine_that_names_only_things_that_it_does_not_draw_has_them_named(text):
    assert text(subject("cat", "cat"), not_drawn=("kite",)) == "Drawn: cat Not understood: kite 1280 × 720 pixels"


@pytest.mark.parametrize(
    ("phrase", "became", "shown"),
    [
        ("many cities", "city, 12", "many cities"),
        ("Vögel", "bird, several", "Vögel (bird)"),
        ("storm", "rain, heavy; clouds, heavy", "storm (rain)"),
        ("gizmo", "gadget, 2", "gizmo (gadget)"),
    ],
)
def test_a_phrase_that_does_not_say_so_itself_has_what_is_drawn_for_it(text, phrase, became, shown):
    assert text(subject(phrase, became)).startswith(f"Drawn: {shown} 1280")


def test_german_has_german_words(tab, text):
    tab.texts = Texts(catalog("de"))
    cost = Cost(amount=0.25, currency="EUR")
    understood = (subject("Vögel", "bird, several"), subject("Köln", "city"))
    assert text(*understood, ignored=("Dom",), unused=("Film",), expected_seconds=150.2, cost=cost) == (
        "Gezeichnet: Vögel, Köln (Stadt) Nicht verstanden: Dom Nicht genutzt: Film "
        "dauert etwa 2 min 30 s · 1280 × 720 Pixel · kostet etwa 0,25 EUR"
    )


def test_time_and_price_are_said_where_they_are_known_and_each_for_several(text):
    assert text(understanding=None) == "1280 × 720 pixels"
    cost = Cost(amount=0.004, currency="USD", estimated=False)
    assert text(understanding=None, expected_seconds=0.3, cost=cost) == (
        "takes about 1 s · 1280 × 720 pixels · costs 0.004 USD"
    )
    each = text(understanding=None, expected_seconds=12.4, cost=cost, variations=4)
    assert each == "takes about 12 s each · 1280 × 720 pixels · costs 0.004 USD each"


def test_a_prompt_of_which_nothing_is_known_says_so(text):
    assert text(abstract=True, not_drawn=("freedom",)).startswith("Nothing that is named here can be drawn")


def test_a_seed_that_is_set_is_said_and_can_be_taken_away(text, html):
    assert "Seed 21 is set" in text(seed=21)
    assert 'data-fill="random-seed"' in html("understood")
    assert "Seed 0 is set" in text(seed=0)
    assert "Seed" not in text()


def test_long_lists_end_with_how_many_more_there_are(text):
    names = tuple(f"thing {number}" for number in range(MAX_NAMES + 3))
    assert f"thing {MAX_NAMES - 1} and 3 more" in text(not_drawn=names)
    assert f"thing {MAX_NAMES}" not in text(not_drawn=names)


def test_what_a_person_wrote_is_text(text, html):
    evil = "<img src=x onerror=alert(1)> ${window.bad=1} {{x}}"
    text(subject(evil, "city"), not_drawn=(evil,))
    assert html("understood").count("&lt;img src=x onerror=alert(1)&gt; ${window.bad=1} {{x}}") == 2
    assert "<img" not in html("understood")


def test_the_built_in_engine_is_no_model_and_says_what_it_can_draw(tab, html):
    tab.site = Site(engine_forms([engine(), engine(id="other", default=False, description="Other things.")], Limits()))
    assert "a renderer of scenes, not an AI model" in words(html("engine"))
    assert "cat, dog, horse" in words(html("engine"))
    tab.form = {"engine": "other"}
    assert words(html("engine")) == "Other things."


def test_an_engine_that_cannot_render_here_says_why(tab, html):
    reason = "There is no GPU. Choose another engine."
    tab.site = Site(engine_forms([engine(id="other", description="Other.", available=False, reason=reason)], Limits()))
    tab.form = {"engine": "other"}
    assert words(html("engine")) == f"Other. Not available here: {reason}"
    assert words(html("understood")) == "", "nothing else will be seen there"


def test_the_page_knows_every_kind_that_the_built_in_engine_draws():
    assert sorted(name for names in SUBJECTS.values() for name in names) == sorted(KINDS)
