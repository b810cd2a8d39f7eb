"""What a prompt is taken to mean."""

import pytest

from videogen.engines.procedural.spec import SceneSpec, describe, parse_prompt


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("ocean at sunset", {"subject": "ocean", "mood": "sunset"}),
        ("waves on a beach at dawn", {"subject": "ocean", "mood": "dawn"}),
        ("The SEA by moonlight", {"subject": "ocean", "mood": "night", "stars": True}),
        ("stormy sea", {"subject": "ocean", "energy": 1.0}),
        ("calm sea at golden hour", {"subject": "ocean", "mood": "gold", "tempo": "calm"}),
        ("golden hour over the coast", {"subject": "ocean", "mood": "gold", "accents": ()}),
        ("neon city in the rain", {"subject": "city", "mood": "neon", "rain": 0.6}),
        ("cyberpunk skyline at dusk", {"subject": "city", "mood": "dusk"}),
        ("cyan and pink street", {"subject": "city", "accents": ("cyan", "pink")}),
        ("northern lights over a lake", {"subject": "aurora", "ground": "lake"}),
        ("violet aurora in the snow", {"subject": "aurora", "accents": ("violet",), "snow": 0.55}),
        ("arctic night, starry sky", {"subject": "aurora", "stars": True}),
        ("red silk", {"subject": "abstract", "accents": ("red",), "variant": 0}),
        ("galaxy", {"subject": "abstract", "mood": "cosmos", "stars": True}),
        ("ocean, slow pan left", {"camera": "pan left", "tempo": "calm"}),
        ("zoom in on a city", {"subject": "city", "camera": "zoom in"}),
        ("static camera, ocean", {"camera": "still"}),
        ("ocean in the fog", {"fog": 0.7}),
    ],
)
def test_a_prompt_means_what_its_words_say(prompt: str, expected: dict[str, object]) -> None:
    spec = parse_prompt(prompt)
    assert {name: getattr(spec, name) for name in expected} == expected
    assert spec.ignored == ()


def test_amounts_go_with_the_weather_that_follows_them() -> None:
    light, plain, heavy = (parse_prompt(f"city in {word} rain").rain for word in ("light", "the", "heavy"))
    assert 0 < light < plain < heavy <= 1
    assert "heavy rain" in parse_prompt("city in heavy rain").understood


@pytest.mark.parametrize(
    ("prompt", "negative", "field", "value"),
    [
        ("city in the rain", "rain", "rain", 0.0),
        ("ocean, clouds", "Clouds, blurry", "clouds", 0.0),
        ("aurora in the snow", "snow", "snow", 0.0),
        ("aurora", "stars", "stars", False),
        ("ocean", "mountains", "ridges", 0.0),
        ("aurora", "trees", "trees", 0.0),
        ("stormy sea with no rain", "", "rain", 0.0),
        ("ocean without clouds", "", "clouds", 0.0),
    ],
)
def test_what_is_not_wanted_is_taken_away(prompt: str, negative: str, field: str, value: object) -> None:
    spec = parse_prompt(prompt, negative)
    assert getattr(spec, field) == value
    assert any(phrase.startswith("no ") for phrase in spec.understood)


def test_a_negative_prompt_alone_never_names_the_subject() -> None:
    assert parse_prompt("qwerty", "ocean, city").subject == "abstract"


def test_words_that_were_not_followed_are_owned_up_to() -> None:
    spec = parse_prompt("a dragon over the ocean at sunset, beautiful 4k footage")
    assert spec.understood == ("ocean", "sunset")
    assert spec.ignored == ("dragon",)
    assert describe(spec) == "Ocean at sunset, light clouds. Not understood: dragon."


@pytest.mark.parametrize(
    "prompt",
    ["", "  ", "🔥🔥", "שלום עולם", "<script>alert(1)</script>", "zxcv " * 2000, "\x00\ud800", "a" * 10_000, "1 2 %s"],
    ids=["empty", "blank", "emoji", "right to left", "markup", "long", "broken", "one word", "numbers"],
)
def test_anything_else_is_abstract_and_claims_to_have_understood_nothing(prompt: str) -> None:
    spec = parse_prompt(prompt)
    assert (spec.subject, spec.understood) == ("abstract", ())
    assert spec.variant > 0
    assert len(spec.ignored) <= 12
    assert len(describe(spec)) < 500
    assert not set("<>") & set(describe(spec))


def test_unknown_prompts_differ_by_their_text_and_by_nothing_else() -> None:
    assert parse_prompt("qwerty").variant == parse_prompt("  QWERTY ").variant == 1_709_722_596
    assert parse_prompt("qwerty").variant != parse_prompt("asdf").variant


def test_a_known_subject_needs_no_variant() -> None:
    assert parse_prompt("ocean sunset") == parse_prompt("  Ocean,\nSUNSET!")
    assert parse_prompt("ocean").variant == 0


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("neon city in heavy rain, pan right", "Neon city at night, heavy rain, slow pan right."),
        ("northern lights over a lake", "Aurora over a lake."),
        ("calm sea by moonlight", "Ocean by moonlight, calm sea, light clouds, calm pace."),
        ("galaxy", "Abstract flow, cosmos colours."),
    ],
)
def test_the_description_is_one_sentence_for_people(prompt: str, sentence: str) -> None:
    assert describe(parse_prompt(prompt)) == sentence


def test_specs_are_plain_values() -> None:
    assert SceneSpec() == SceneSpec()
    assert hash(parse_prompt("ocean")) == hash(parse_prompt("ocean"))
