"""The message catalogs: how one is selected, how it formats a text, and that each file is complete."""

import json
import re
from collections import Counter
from datetime import date

import pytest

from tests.test_architecture import PACKAGE
from videogen.core.i18n import DEFAULT, catalog, error_message, keys_in_script, languages, negotiate

FILES = {path.stem: json.loads(path.read_text()) for path in sorted((PACKAGE / "locales").glob("*.json"))}
ENGLISH = {key: text for key, text in FILES[DEFAULT].items() if not key.startswith("@")}
EVERY = pytest.mark.parametrize("tag", FILES)


def forms(text):
    return text.values() if isinstance(text, dict) else [text]


def places(text):
    return {name for form in forms(text) for name in re.findall(r"\{(\w+)\}", form)}


@EVERY
def test_a_language_has_every_text_of_english_and_no_other(tag):
    texts = FILES[tag].keys() - {"@language"}
    assert sorted(ENGLISH.keys() - texts) == [], f"translate these in locales/{tag}.json"
    assert sorted(texts - ENGLISH.keys()) == [], f"English does not know these: strike them out of locales/{tag}.json"
    assert list(FILES[tag]) == list(FILES[DEFAULT]), "keep the order of English, so that a change is seen side by side"


@EVERY
def test_a_translation_has_the_placeholders_of_english(tag):
    wrong = {key: places(FILES[tag][key]) ^ places(text) for key, text in ENGLISH.items()}
    assert {key: names for key, names in wrong.items() if names} == {}, "a placeholder is lost, or misspelt"


@EVERY
def test_a_plural_has_each_form_of_its_language(tag):
    expected = FILES[tag]["@language"]["forms"]
    plurals = {key for key, text in ENGLISH.items() if isinstance(text, dict)}
    assert {key for key in ENGLISH if isinstance(FILES[tag][key], dict)} == plurals
    wrong = {key: list(FILES[tag][key]) for key in plurals if list(FILES[tag][key]) != expected}
    assert wrong == {}, f"write the forms {expected}, in this order"
    assert {catalog(tag).form(count) for count in range(200)} == set(expected)


@EVERY
def test_a_text_is_plain(tag):
    wrong = {
        key: text for key in ENGLISH for text in forms(FILES[tag][key]) if re.search(r'[<>&"\\\n]|@@|^\s|\s$', text)
    }
    assert wrong == {}, "texts are put into markup, attributes and JSON as they are; for quotes write “ ” or „ “"


@EVERY
def test_a_language_defines_its_formats(tag):
    about = FILES[tag]["@language"]
    assert set(about) == {"name", "plural", "forms", "decimal", "group", "date", "months"}
    assert len(set(about["months"])) == 12
    assert places(about["date"]) == {"day", "month", "year"}


def test_every_error_text_belongs_to_a_known_code():
    from videogen.core import errors

    codes = Counter(getattr(one, "code", None) for one in vars(errors).values() if isinstance(one, type))
    of_engines = {"out_of_memory", "worker_lost", "time_limit", "broken_media", "not_playable", "wrong_duration"}
    of_owners = {"given_up", "sent_again"}
    named = {key.removeprefix("error.") for key in ENGLISH if key.startswith("error.")}
    assert sorted(named - codes.keys() - of_engines - of_owners) == [], "no error has this code"


@pytest.mark.parametrize(
    ("query", "cookie", "header", "tag"),
    [
        ("", "", "", "en"),
        ("", "", "de", "de"),
        ("", "", "DE-ch", "de"),
        ("", "", "fr-CA, fr;q=0.9, de;q=0.4, en;q=0.3", "de"),
        ("", "", "en;q=0.3, de;q=0.4", "de"),
        ("", "", "de;q=0, *", "en"),
        ("", "", "fr, *;q=0.1", "en"),
        ("", "", "de;q=1.5, ;;, <script>", "en"),
        ("", "de", "en", "de"),
        ("", "xx", "de", "de"),
        ("en", "de", "de", "en"),
        ("../../etc/passwd", "", "de", "de"),
        ("de-AT", "", "", "de"),
    ],
)
def test_a_language_is_negotiate(query, cookie, header, tag):
    selected = negotiate({"language": query}, {"videogen_language": cookie}, {"accept-language": header})
    assert selected is languages()[tag]


def test_a_very_long_accept_language_is_cut():
    assert negotiate({}, {}, {"accept-language": ",".join(["x" * 8] * 100_000)}).tag == "en"


def test_plurals_numbers_and_dates():
    german = catalog("de")
    assert german.gettext("notice.welcome", count=1) == "Willkommen zurück: 1 Video ist noch in Arbeit."
    assert german.gettext("notice.welcome", count=1_200).startswith("Willkommen zurück: 1.200 Videos")
    assert (german.number(2.5), german.number(3.0), catalog("en").number(1234.56)) == ("2,5", "3", "1,234.6")
    assert (german.money(1234.5), catalog("en").money(0.4)) == ("1.234,50", "0.40")
    assert (german.date(date(2026, 3, 1)), catalog("en").date(date(2026, 3, 1))) == ("1. März 2026", "1 March 2026")


def test_a_value_is_never_read_as_a_placeholder():
    assert catalog("en").gettext("job.preview", prompt="{count} {0} %s") == "Preview: {count} {0} %s"


def test_only_markers_of_known_keys_are_replaced_in_a_document():
    filled = catalog("de").fill("<b>@@job.cancel@@</b> @@form.per_line_hint most=7@@ @@no.such@@ @@styles@@ a@@b")
    assert filled.startswith("<b>Abbrechen</b> Jede Zeile")
    assert "bis zu 7 Zeilen" in filled
    assert filled.endswith("@@no.such@@ @@styles@@ a@@b")


@EVERY
def test_every_text_can_stand_in_a_string_of_a_script(tag):
    plain = {key: text for key, text in FILES[tag].items() if isinstance(text, str) and "{" not in text}
    script = json.dumps({key: f"@@{key}@@" for key in plain if not key.startswith("@")})
    filled = json.loads(catalog(tag).fill(script))
    assert filled == {key: plain[key] for key in filled}


def test_an_error_shows_its_detail_in_english_and_the_text_of_its_code_elsewhere():
    assert error_message(catalog("en"), "limit_exceeded", "3 of 3 taken.") == "3 of 3 taken."
    assert error_message(catalog("de"), "limit_exceeded", "3 of 3 taken.").startswith("Das ist mehr")
    assert error_message(catalog("de"), "unheard_of", "It burnt.") == "It burnt."


def test_a_script_gets_the_texts_that_it_uses():
    script = 'say("job.copy"); say(`error.${told.code}`); const key = "no.such";'
    assert set(keys_in_script(script)) == {"job.copy", *(key for key in ENGLISH if key.startswith("error."))}


def test_an_endless_language_tag_is_no_language_and_takes_no_time():
    assert negotiate({"language": "a-" * 30_000}, {"videogen_language": "de-" * 30_000}, {}).tag == DEFAULT
