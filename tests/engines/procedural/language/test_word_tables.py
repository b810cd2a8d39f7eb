"""The word tables are valid and complete, and docs/prompting.md is up to date."""

import re
from pathlib import Path

import pytest

from tests.support.app import ROOT
from videogen.engines.procedural.language import KINDS, parse_prompt, scene_spec
from videogen.engines.procedural.language.docs_tables import PAGE, fill_tables
from videogen.engines.procedural.language.lexicon import TABLES, Lexicon, companions, effects_of, read_table

WORDS = {section: languages for name in TABLES for section, languages in read_table(name).items()}
LANGUAGES = {"en", "de", "fr", "es", "it", "pt", "ru", "ja", "zh", "ko", "emoji"}
VOCABULARY = {
    "kind": scene_spec.Kind,
    "without": scene_spec.Kind,
    "time": scene_spec.Time,
    "season": scene_spec.Season,
    "mood": scene_spec.Mood,
    "style": scene_spec.Style,
    "camera": scene_spec.Camera,
    "tempo": scene_spec.Tempo,
    "colour": scene_spec.Colour,
    "size": scene_spec.Size,
    "action": scene_spec.Action,
    "relation": scene_spec.SpatialRelation,
    "place": scene_spec.SpatialRelation,
    "shot": scene_spec.Transition,
}
"""The valid values of each topic."""


def sections(topic):
    return {effect.value for section in WORDS for effect in effects_of(section) if effect.topic == topic}


@pytest.mark.parametrize("topic", VOCABULARY)
def test_every_value_of_the_tables_is_valid(topic):
    assert sections(topic) <= set(VOCABULARY[topic].__args__)


@pytest.mark.parametrize(
    "topic", ["kind", "time", "season", "mood", "style", "camera", "colour", "size", "action", "relation"]
)
def test_every_valid_value_has_words(topic):
    assert set(VOCABULARY[topic].__args__) - {""} <= sections(topic)


def test_every_subject_has_words_in_every_language():
    assert {language for languages in WORDS.values() for language in languages} == LANGUAGES
    subjects = [section for section in WORDS if effects_of(section)[0].topic == "kind" and "+" not in section]
    plain = {section for section in subjects if section.split()[-1].isalpha()}
    assert {section: LANGUAGES - {"emoji"} - WORDS[section].keys() for section in plain if "unless" not in section} == {
        section: set() for section in plain
    }


def test_a_phrase_with_two_meanings_is_rejected():
    with pytest.raises(ValueError, match=r"'sea' \(de\) means both"):
        Lexicon({"kind ocean": {"en": "ocean, sea"}, "kind lake": {"de": "sea"}})


@pytest.mark.parametrize("topic", ["kind", "time", "season", "style", "camera", "colour"])
def test_every_word_is_understood_alone(topic):
    missed = [
        (section, phrase)
        for section, languages in WORDS.items()
        if effects_of(section)[0].topic == topic and "when" not in section
        for phrases in languages.values()
        for phrase in phrases.split(", ")
        if not (found := parse_prompt(phrase.rstrip("+~"))).understood or found.ignored
    ]
    assert missed == []


def test_companions_are_valid_kinds():
    assert {kind for kinds in companions().values() for kind in kinds} <= set(KINDS)


def test_the_prompting_page_is_up_to_date():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert fill_tables(page) == page, "run `make words`"


def test_the_examples_on_the_prompting_page_are_understood():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    rows = [line.split(" | ")[1] for line in page.partition("## Words")[0].splitlines() if line.startswith("| ")]
    examples = [example for cell in rows for example in re.findall("`(.+?)`", cell)]
    assert len(examples) > 25
    assert [example for example in examples if parse_prompt(example).ignored] == []
    (block,) = re.findall(r"```text\n(.+)\n```", page)
    assert parse_prompt(block).ignored == ()


def test_the_readme_links_to_the_prompting_page():
    assert PAGE in Path(ROOT / "README.md").read_text(encoding="utf-8")
