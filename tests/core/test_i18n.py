"""The pages' languages: how one is chosen, how it speaks, and that its file is whole."""

import json
import re
from collections import Counter
from datetime import date

import pytest

from tests.test_architecture import PACKAGE
from videogen.core.i18n import DEFAULT, chosen, languages, problem, said_by, words

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
    told = FILES[tag]["@language"]["forms"]
    plurals = {key for key, text in ENGLISH.items() if isinstance(text, dict)}
    assert {key for key in ENGLISH if isinstance(FILES[tag][key], dict)} == plurals
    wrong = {key: list(FILES[tag][key]) for key in plurals if list(FILES[tag][key]) != told}
    assert wrong == {}, f"write the forms {told}, in this order"
    assert {words(tag).form(count) for count in range(200)} == set(told)


@EVERY
def test_a_text_is_plain(tag):
    wrong = {key: text for key in ENGLISH for text in forms(FILES[tag][key]) if re.search(r'[<>&"\\]|@@|^\s|\s$', text)}
    assert wrong == {}, "texts are put into markup, attributes and JSON as they are; for quotes write “ ” or „ “"


@EVERY
def test_a_language_tells_how_it_writes(tag):
    about = FILES[tag]["@language"]
    assert set(about) == {"name", "plural", "forms", "decimal", "group", "date", "months"}
    assert len(set(about["months"])) == 12
    assert places(about["date"]) == {"day", "month", "year"}


def test_an_error_says_in_english_what_its_class_says_unless_that_is_for_programs():
    from videogen.core import errors

    codes = Counter(getattr(one, "code", None) for one in vars(errors).values() if isinstance(one, type))
    of_engines = {"out_of_memory", "worker_lost"}
    named = {key.removeprefix("error.") for key in ENGLISH if key.startswith("error.")}
    assert sorted(named - codes.keys() - of_engines) == [], "no error has this code"


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
def test_a_language_is_chosen(query, cookie, header, tag):
    spoken = chosen({"language": query}, {"videogen_language": cookie}, {"accept-language": header})
    assert spoken is languages()[tag]


def test_a_very_long_wish_is_read_in_no_time():
    assert chosen({}, {}, {"accept-language": ",".join(["x" * 8] * 100_000)}).tag == "en"


def test_plurals_numbers_and_dates():
    german = words("de")
    assert german.say("notice.welcome", count=1) == "Willkommen zurück: 1 Video ist noch in Arbeit."
    assert german.say("notice.welcome", count=1_200).startswith("Willkommen zurück: 1.200 Videos")
    assert (german.number(2.5), german.number(3.0), words("en").number(1234.56)) == ("2,5", "3", "1,234.6")
    assert (german.date(date(2026, 3, 1)), words("en").date(date(2026, 3, 1))) == ("1. März 2026", "1 March 2026")


def test_values_are_text_and_never_placeholders_themselves():
    assert words("en").say("job.preview", prompt="{count} {0} %s") == "Preview: {count} {0} %s"


def test_a_document_is_filled_at_its_marks_alone():
    told = words("de").fill("<b>@@job.cancel@@</b> @@image.hint megabytes=7@@ @@no.such@@ @@styles@@ a@@b")
    assert told.startswith("<b>Abbrechen</b> Wählen")
    assert "bis 7 MB" in told
    assert told.endswith("@@no.such@@ @@styles@@ a@@b")


def test_an_error_has_the_api_s_words_in_english_and_those_of_its_code_elsewhere():
    assert problem(words("en"), "limit_exceeded", "3 of 3 taken.") == "3 of 3 taken."
    assert problem(words("de"), "limit_exceeded", "3 of 3 taken.").startswith("Zu viele")
    assert problem(words("de"), "unheard_of", "It burnt.") == "It burnt."


def test_a_script_gets_what_it_can_say():
    script = 'say("job.copy"); say(`error.${told.code}`); const key = "no.such";'
    assert set(said_by(script)) == {"job.copy", *(key for key in ENGLISH if key.startswith("error."))}
