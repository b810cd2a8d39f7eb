"""How prompts are understood."""

import pytest

from videogen.engines.procedural.language import Relation, parse_prompt


def only(prompt, negative=""):
    """The single shot of a prompt."""
    (shot,) = parse_prompt(prompt, negative).shots
    return shot


def kinds(prompt, negative=""):
    return [subject.kind for subject in only(prompt, negative).subjects]


def links(shot):
    """The relations of a shot: (kind, spatial relation, kind of the target or None for the picture)."""
    return [
        (subject.kind, link.place, None if link.target is None else shot.subjects[link.target].kind)
        for subject in shot.subjects
        for link in subject.relations
    ]


MOON_OVER_MOUNTAINS = (
    "a red moon over two mountains",
    "Two mountains below a red moon",
    "the moon, red, over 2 mountains",
    "roter Mond über zwei Bergen",
    "une lune rouge au-dessus de deux montagnes",
    "luna roja sobre dos montañas",
    "luna rossa sopra due montagne",
    "lua vermelha sobre duas montanhas",
    "красная луна над двумя горами",
)


@pytest.mark.parametrize("prompt", [MOON_OVER_MOUNTAINS[0], *MOON_OVER_MOUNTAINS[3:]])
def test_numbers_colours_and_relations_are_understood_in_many_languages(prompt):
    moon, mountains = only(prompt).subjects
    assert (moon.kind, moon.colours, moon.count, moon.relations) == ("moon", ("red",), 1, (Relation("over", 1),))
    assert (mountains.kind, mountains.colours, mountains.count) == ("mountains", (), 2)
    assert parse_prompt(prompt).ignored == ()


@pytest.mark.parametrize("prompt", ["山の上の赤い月", "山上的红色月亮", "산 위의 붉은 달"])
def test_a_relation_after_its_target_is_reversed(prompt):
    shot = only(prompt)
    assert links(shot) == [("moon", "over", "mountains")]
    assert shot.find("moon").colours == ("red",)
    assert shot.find("mountains").colours == ()


@pytest.mark.parametrize(
    ("prompt", "kind", "expected"),
    [
        ("three boats", "boat", 3),
        ("12 birds", "bird", 12),
        ("a boat", "boat", 1),
        ("boat", "boat", 1),
        ("boats", "boat", 0),
        ("a pair of horses", "horse", 2),
        ("a couple of cats", "cat", 2),
        ("a lone tree", "tree", 1),
        ("a few trees", "tree", 3),
        ("many lanterns", "lanterns", 12),
        ("hundreds of lanterns", "lanterns", 99),
        ("1000 lanterns", "lanterns", 99),
        ("a fish", "fish", 1),
        ("fish", "fish", 0),
        ("a school of colourful fish", "fish", 20),
        ("a field of flowers", "flowers", 0),
        ("drei große weiße Schiffe", "boat", 3),
        ("deux petits bateaux", "boat", 2),
        ("tres gatos negros", "cat", 3),
        ("due gatti", "cat", 2),
        ("dois cavalos", "horse", 2),
        ("三只猫", "cat", 3),
        ("二つの船", "boat", 2),
    ],
)
def test_counts(prompt, kind, expected):
    assert only(prompt).find(kind).count == expected


def test_a_number_applies_only_to_its_noun():
    shot = only("5 birds over a lighthouse, 3 boats")
    assert [(subject.kind, subject.count) for subject in shot.subjects] == [("bird", 5), ("lighthouse", 1), ("boat", 3)]
    spec = parse_prompt("two oceans in 4k, 60fps, 1984")
    assert spec.shots[0].find("ocean").count == 1
    assert (spec.ignored, spec.unused) == ((), ("two", "4k", "60fps", "1984"))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red boat and a blue house", {"boat": ("red",), "house": ("blue",)}),
        ("red and green lanterns over a black river", {"lanterns": ("red", "green"), "river": ("black",)}),
        ("red, green and blue balloons", {"balloon": ("red", "green", "blue")}),
        ("the moon is red and the sea is black", {"moon": ("red",), "ocean": ("black",)}),
        ("barco rojo y casa blanca", {"boat": ("red",), "house": ("white",)}),
        ("un petit bateau rouge sur la mer noire", {"boat": ("red",), "ocean": ("black",)}),
        ("a big shiny red balloon", {"balloon": ("red",)}),
        ("a blue-green ocean", {"ocean": ("blue", "green")}),
        ("dark blue sea", {"ocean": ("blue",)}),
    ],
)
def test_a_colour_applies_to_its_noun(prompt, expected):
    assert {subject.kind: subject.colours for subject in only(prompt).subjects} == expected
    assert only(prompt).palette == ()


@pytest.mark.parametrize(
    ("prompt", "palette"),
    [
        ("ocean, red", ("red",)),
        ("a city in teal and orange", ("teal", "orange")),
        ("golden sunset over the sea", ("gold",)),
        ("a forest under a pink sky", ("pink",)),
        ("desert, violet and gold colours", ("violet", "gold")),
        ("mar y cielo rojo", ("red",)),
    ],
)
def test_a_colour_without_a_noun_applies_to_the_whole_picture(prompt, palette):
    shot = only(prompt)
    assert shot.palette == palette
    assert all(subject.colours == () for subject in shot.subjects)


def test_the_colour_of_an_unknown_noun_is_ignored():
    spec = parse_prompt("a red dragon over two green hills")
    assert (spec.ignored, spec.unused) == (("dragon",), ("red",))
    assert spec.shots[0].palette == ()
    (hills,) = spec.shots[0].subjects
    assert (hills.kind, hills.colours, hills.count, hills.relations) == ("mountains", ("green",), 2, ())


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a boat under a bridge of stars", ("boat", "under", "stars")),
        ("a cat left of a house", ("cat", "left of", "house")),
        ("a cat to the right of the house", ("cat", "right of", "house")),
        ("a lighthouse behind three trees", ("lighthouse", "behind", "tree")),
        ("a horse in front of the sun", ("horse", "in front of", "sun")),
        ("mountains reflected in a lake", ("mountains", "reflected in", "lake")),
        ("a house on a hill", ("house", "on", "mountains")),
        ("a deer in the forest", ("deer", "in", "forest")),
        ("a tree next to a house", ("tree", "beside", "house")),
        ("ein Haus hinter dem Baum", ("house", "behind", "tree")),
        ("un gato delante de la casa", ("cat", "in front of", "house")),
        ("un bateau à gauche du phare", ("boat", "left of", "lighthouse")),
        ("una casa a destra di un albero", ("house", "right of", "tree")),
        ("um barco no mar", ("boat", "in", "ocean")),
    ],
)
def test_relations(prompt, expected):
    assert links(only(prompt)) == ([expected] if "bridge" not in prompt else [])


def test_subjects_joined_by_and_have_the_same_relation():
    assert links(only("two cats and a dog in front of a house")) == [
        ("cat", "in front of", "house"),
        ("dog", "in front of", "house"),
    ]
    assert links(only("a fox jumping over a dog")) == [("dog", "over", "dog")]


def test_positions_in_the_picture():
    shot = only("a tree on the left, a house on the right, mountains in the background")
    assert links(shot) == [("tree", "left of", None), ("house", "right of", None), ("mountains", "behind", None)]


@pytest.mark.parametrize(
    ("prompt", "kind", "low", "high"),
    [
        ("light rain over a city", "rain", 0.1, 0.4),
        ("a city in the rain", "rain", 0.45, 0.55),
        ("heavy rain over a city", "rain", 0.7, 1.0),
        ("a drizzle", "rain", 0.1, 0.4),
        ("blizzard", "snow", 0.9, 1.0),
        ("light snow", "snow", 0.1, 0.4),
        ("thick fog", "fog", 0.7, 1.0),
        ("a stormy sea", "ocean", 0.85, 1.0),
        ("rough sea", "ocean", 0.85, 1.0),
        ("huge waves", "ocean", 0.85, 1.0),
        ("calm sea", "ocean", 0.0, 0.2),
        ("mar en calma", "ocean", 0.0, 0.2),
        ("starker Regen", "rain", 0.7, 1.0),
        ("une forte pluie", "rain", 0.7, 1.0),
        ("lluvia fuerte", "rain", 0.7, 1.0),
        ("overcast sky", "clouds", 0.9, 1.0),
    ],
)
def test_strengths(prompt, kind, low, high):
    assert low <= only(prompt).amount(kind) <= high


def test_sizes():
    shot = only("a huge moon over a small house and a big tree")
    assert {subject.kind: subject.size for subject in shot.subjects} == {
        "moon": "huge",
        "house": "small",
        "tree": "large",
    }


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("ocean at sunset", "time", "sunset"),
        ("the sea at dawn", "time", "dawn"),
        ("sunrise over the desert", "time", "sunrise"),
        ("a city at noon", "time", "day"),
        ("golden hour in the forest", "time", "golden hour"),
        ("blue hour, lake", "time", "dusk"),
        ("a moonlit lake", "time", "night"),
        ("Berge bei Sonnenuntergang", "time", "sunset"),
        ("la mer au coucher du soleil", "time", "sunset"),
        ("playa al atardecer", "time", "sunset"),
        ("mare di notte", "time", "night"),
        ("praia ao pôr do sol", "time", "sunset"),
        ("夕日の海", "time", "sunset"),
        ("城市的夜晚", "time", "night"),
        ("forest in winter", "season", "winter"),
        ("snow-capped mountains", "season", "winter"),
        ("Wald im Herbst", "season", "autumn"),
        ("a gloomy forest", "mood", "gloomy"),
        ("eerie lake", "mood", "eerie"),
        ("a forest, watercolour", "style", "watercolour"),
        ("a lake as an oil painting", "style", "oil"),
        ("8-bit city", "style", "pixel art"),
        ("film noir, rainy street", "style", "film noir"),
        ("anime forest", "style", "anime"),
        ("old sepia film of a boat", "style", "vintage"),
        ("neon city", "style", "neon"),
        ("photorealistic ocean", "style", "photographic"),
        ("Stadt als Aquarell", "style", "watercolour"),
        ("ocean, slow pan left", "camera", "pan left"),
        ("the camera pans slowly to the right over a lake", "camera", "pan right"),
        ("zooming in on a city", "camera", "zoom in"),
        ("zoom out from a house", "camera", "zoom out"),
        ("tilt up to the stars", "camera", "tilt up"),
        ("drone shot of a forest", "camera", "dolly in"),
        ("flying over the mountains", "camera", "dolly in"),
        ("orbit around a planet", "camera", "orbit"),
        ("handheld footage of a dog", "camera", "handheld"),
        ("static camera, ocean", "camera", "still"),
        ("Kamera nach links, Meer", "camera", "pan left"),
        ("slow-motion waterfall", "tempo", "calm"),
        ("time-lapse of clouds", "tempo", "lively"),
        ("plain ocean", "tempo", "steady"),
    ],
)
def test_time_season_mood_style_camera_and_tempo(prompt, field, value):
    assert getattr(only(prompt), field) == value


@pytest.mark.parametrize(
    ("prompt", "kind", "action"),
    [
        ("a horse running through the desert", "horse", "running"),
        ("birds flying over the sea", "bird", "flying"),
        ("a flying bird", "bird", "flying"),
        ("a whale swims under a boat", "whale", "swimming"),
        ("a sitting cat", "cat", "still"),
        ("balloons drifting over a city", "balloon", "drifting"),
        ("lanterns rising into the night", "lanterns", "rising"),
        ("Zwei Pferde galoppieren am Strand", "horse", "running"),
    ],
)
def test_actions(prompt, kind, action):
    assert only(prompt).find(kind).action == action


@pytest.mark.parametrize(
    ("prompt", "negative", "gone"),
    [
        ("ocean and clouds", "clouds", {"clouds"}),
        ("a beach with no people", "", {"person"}),
        ("a sea without clouds or birds", "", {"clouds", "bird"}),
        ("don't show any people, a forest", "", {"person"}),
        ("not a single cloud over the sea", "", {"clouds"}),
        ("a city with no dark clouds and no big white birds", "", {"clouds", "bird"}),
        ("a cloudless sky over the sea", "", {"clouds"}),
        ("Meer ohne Wolken", "", {"clouds"}),
        ("mer sans nuages", "", {"clouds"}),
        ("mar sin nubes", "", {"clouds"}),
        ("mare senza nuvole", "", {"clouds"}),
        ("mar sem nuvens", "", {"clouds"}),
        ("a stormy sea", "rain", {"rain"}),
        ("a city, stars", "Stars, trees, blurry, low quality", {"stars", "tree"}),
    ],
)
def test_negated_kinds_are_excluded(prompt, negative, gone):
    shot = only(prompt, negative)
    assert gone <= set(shot.without)
    assert not gone & {subject.kind for subject in shot.subjects}
    assert {"ocean", "city", "forest"} & {subject.kind for subject in shot.subjects}


def test_a_negation_ends_before_an_article():
    shot = only("a city without clouds and a red moon")
    assert shot.without == ("clouds",)
    assert [(subject.kind, subject.colours) for subject in shot.subjects] == [("city", ()), ("moon", ("red",))]


def test_no_waves_is_a_calm_sea_and_no_camera_movement_is_a_still_camera():
    assert only("ocean without waves").amount("ocean") < 0.1
    assert only("ocean", "waves").amount("ocean") < 0.1
    assert only("ocean with no camera movement").camera == "still"
    assert only("ocean, pan left", "camera movement").camera == "still"


def test_the_negative_prompt_adds_no_subject():
    spec = parse_prompt("qwerty", "ocean, city")
    assert [subject.kind for subject in spec.shots[0].subjects] == ["abstract"]
    assert spec.is_guess


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("ocean with the text 'Hello'", "Hello"),
        ('a city, title: "Good night, moon"', "Good night, moon"),
        ("the words “Don't panic” over space", "Don't panic"),
        ("with the text 'Don't panic' in space", "Don't panic"),
        ("Meer mit dem Schriftzug „Guten Tag“", "Guten Tag"),
        ("la mer avec le texte « Bonjour »", "Bonjour"),
        ("海 文字「こんにちは」", "こんにちは"),
        ("a sign that says 'שלום'", "שלום"),
        ("text '<b>bold</b>'", "<b>bold</b>"),
        (f"the words '{'x' * 100}' on a lake", "x" * 80),
        ("a 'quoted' ocean", ""),
        ("'ocean at sunset'", ""),
        ("the rock 'n' roll text of the sea's waves", ""),
        ("text ''", ""),
    ],
)
def test_a_title_is_quoted_text_after_a_title_word(prompt, title):
    assert only(prompt).title == title


def test_the_negative_prompt_can_remove_the_title():
    assert only("ocean with the text 'Hello'", "text").title == ""


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("ocean; then a city", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("ocean then city then forest", [("ocean", "crossfade"), ("city", "crossfade"), ("forest", "crossfade")]),
        ("ocean, followed by a city", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("ocean; city", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("ocean, cut to a city", [("ocean", "crossfade"), ("city", "cut")]),
        ("ocean; fade to black; city", [("ocean", "crossfade"), ("city", "fade")]),
        ("erst das Meer, dann eine Stadt", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("la mer, puis une ville", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("el mar, luego una ciudad", [("ocean", "crossfade"), ("city", "crossfade")]),
        ("海、それから街", [("ocean", "crossfade"), ("city", "crossfade")]),
    ],
)
def test_shots(prompt, expected):
    shots = parse_prompt(prompt).shots
    assert [(shot.subjects[0].kind, shot.transition) for shot in shots] == expected


def test_each_shot_has_its_own_light_and_camera_but_the_style_is_common():
    first, second = parse_prompt("ocean at dawn, zoom in; then a city at night, pan left, as a watercolour").shots
    assert (first.time, first.camera, first.style) == ("dawn", "zoom in", "watercolour")
    assert (second.time, second.camera, second.style) == ("night", "pan left", "watercolour")


def test_a_part_without_a_subject_applies_to_the_shot_before():
    (shot,) = parse_prompt("ocean; slow pan left; watercolour").shots
    assert (shot.camera, shot.style, shot.tempo) == ("pan left", "watercolour", "calm")
    (shot,) = parse_prompt("watercolour; ocean").shots
    assert shot.style == "watercolour"


def test_a_shot_with_only_light_or_weather_keeps_the_subjects_before():
    day, night, rain = parse_prompt("two boats on a lake at noon; then at night; then heavy rain").shots
    assert [subject.kind for subject in night.subjects] == ["boat", "lake"] == [s.kind for s in day.subjects]
    assert (night.time, night.subjects[0].count) == ("night", 2)
    assert links(rain) == [("boat", "on", "lake")]
    assert (rain.time, rain.amount("rain")) == ("night", 0.85)


def test_more_than_six_shots_are_listed_as_not_used():
    spec = parse_prompt("ocean; city; forest; desert; lake; river; two red boats")
    assert len(spec.shots) == 6
    assert (spec.ignored, spec.unused) == ((), ("two", "red", "boats"))


@pytest.mark.parametrize(
    "prompt", ["ocean, seamless loop", "looping ocean", "Meer als Endlosschleife", "océan en boucle"]
)
def test_loops(prompt):
    assert parse_prompt(prompt).loop
    assert not parse_prompt("ocean").loop


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("sunset", ["sun", "ocean", "clouds"]),
        ("sunset without clouds", ["sun", "ocean"]),
        ("night", ["stars", "mountains"]),
        ("rainy night", ["rain", "mountains"]),
        ("winter", ["mountains", "forest"]),
        ("rain", ["rain"]),
    ],
)
def test_a_prompt_with_only_light_or_season_gets_default_subjects(prompt, expected):
    assert kinds(prompt) == expected
    assert not parse_prompt(prompt).is_guess


def test_a_second_mention_is_merged_unless_it_differs():
    assert kinds("the ocean, waves, a calm sea at the beach") == ["ocean"]
    assert kinds("a red boat and a blue boat") == ["boat", "boat"]
    (boat,) = only("a boat on fire, the boat is red").subjects[:1]
    assert boat.colours == ("red",)


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("OCEAN!!! At Sunset???", id="case"),
        pytest.param("  ocean\n\tat   sunset ", id="spaces"),
        pytest.param("o\u200bcean at sun\u00adset", id="zero-width"),
        pytest.param("oсean at sunset", id="homoglyph"),
        pytest.param("𝓸𝓬𝓮𝓪𝓷 at 𝕤𝕦𝕟𝕤𝕖𝕥", id="mathematical"),
        pytest.param("ｏｃｅａｎ at sunset", id="full-width"),
    ],
)
def test_case_spaces_and_look_alike_letters_do_not_matter(prompt):
    shot = only(prompt)
    assert (shot.time, [subject.kind for subject in shot.subjects]) == ("sunset", ["ocean"])


def test_emoji_are_understood():
    assert kinds("🌊🔥🌙") == ["ocean", "fire", "moon"]
