"""What users are told about a prompt: the phrases with what each became, and a sentence."""

import pytest

from videogen.engines.procedural.language import Interpretation, describe, parse_prompt


@pytest.mark.parametrize(
    ("prompt", "understood", "ignored"),
    [
        (
            "a red moon over two mountains",
            [("red moon", "moon, red"), ("over", "moon over mountains"), ("two mountains", "mountains, 2")],
            (),
        ),
        (
            "a dragon over the ocean at sunset, beautiful 4k footage",
            [("ocean", "ocean"), ("sunset", "time: sunset")],
            ("dragon",),
        ),
        ("Heavy RAIN, no clouds", [("Heavy RAIN", "rain, heavy"), ("no clouds", "no clouds")], ()),
        ("a wolf; then a street", [("wolf", "dog"), ("then", "new shot"), ("street", "city")], ()),
        ("then the sea, then zoom in", [("sea", "ocean"), ("zoom in", "camera: zoom in")], ()),
        ("film-noir lake", [("film-noir", "style: film noir"), ("lake", "lake")], ()),
        ("un gato negro", [("gato negro", "cat, black")], ()),
        ("海上的红色月亮", [("海", "ocean"), ("上的", "moon over ocean"), ("红色月亮", "moon, red")], ()),
        (
            "looping sea with the text 'Hi'",
            [("looping", "loop"), ("sea", "ocean"), ("text", "title"), ("Hi", "title")],
            (),
        ),
        ("zebra crossing", [], ("zebra",)),
        ("a kraken, a Kraken and a unicorn", [("unicorn", "horse")], ("kraken",)),
    ],
)
def test_each_phrase_is_listed_with_what_it_became(prompt, understood, ignored):
    spec = parse_prompt(prompt)
    assert spec.understood == tuple(Interpretation(phrase, became) for phrase, became in understood)
    assert spec.ignored == ignored


def test_the_negative_prompt_is_listed_after_the_prompt():
    spec = parse_prompt("ocean at dusk", "clouds, griffins, blurry, low quality")
    assert [reading.became for reading in spec.understood] == ["ocean", "time: dusk", "no clouds"]
    assert spec.ignored == ("griffins",)


def test_stop_words_and_praise_are_not_listed_as_ignored():
    assert parse_prompt("Please show me the most beautiful, highly detailed ocean, 4k, cinematic").ignored == ()


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("ocean at sunset", "The ocean at sunset."),
        ("a red moon over two mountains, watercolour", "A red moon over two mountains, watercolour style."),
        ("a city in heavy rain at night, pan right", "A city with heavy rain at night, pan right."),
        ("ocean; then a forest, looping", "The ocean; then a forest, as a loop."),
        ("ocean, cut to a forest", "The ocean; cut to a forest."),
        ("a beach, no people", "The ocean, no people."),
        ("three black birds flying over a lake", "Three black birds flying over a lake."),
        ("lake with the text 'Hello'", "A lake, the title “Hello”."),
        ("a dragon over the sea", "The ocean. Not understood: dragon."),
        ("", "Nothing that this engine knows was named, so the text itself chose: an abstract flow."),
    ],
)
def test_the_description_is_a_sentence(prompt, sentence):
    assert describe(parse_prompt(prompt)) == sentence
