"""What a prompt names and no scene will show: by name, in the spelling of the prompt."""

import pytest

from videogen.engines.base import RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine
from videogen.engines.procedural.language import parse_prompt
from videogen.engines.procedural.language.not_drawn import MAX_NAMES, MAX_WORDS


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Will Smith eating spaghetti", ["Will Smith", "spaghetti"]),
        ("WILL SMITH EATING SPAGHETTI", ["WILL SMITH", "SPAGHETTI"]),
        ("will smith eating spaghetti", ["will smith", "spaghetti"]),
        ("Donald Trump and Elon Musk dancing on the beach", ["Donald Trump", "Elon Musk"]),
        ("Taylor Swift singing on stage with neon lights", ["Taylor Swift", "stage"]),
        ("A red Ferrari drifting through Berlin", ["red Ferrari", "Berlin"]),
        ("A Coca-Cola bottle on a wooden table, 4k", ["Coca-Cola bottle", "wooden table"]),
        ("my iPhone 15 Pro falling into the water", ["iPhone 15 Pro"]),
        ("Spider-Man vs Batman", ["Spider-Man", "Batman"]),
        ("a T-Rex chasing a jeep, Jurassic Park", ["T-Rex", "jeep", "Jurassic Park"]),
        ("Elon Musk's car in space", ["Elon Musk's car"]),
        ("A robot chef cooking pizza in a small Italian kitchen", ["robot chef", "pizza", "small Italian kitchen"]),
        ("the meaning of life", ["meaning of life"]),
        ("The Lord of the Rings", ["Lord of the Rings"]),
        ("freedom", ["freedom"]),
        ("i want a video of a dragon please", ["dragon"]),
        ("Angela Merkel isst Currywurst am Brandenburger Tor", ["Angela Merkel", "Currywurst", "Brandenburger Tor"]),
        ("VW Golf GTI fährt durch München", ["VW Golf GTI", "München"]),
        ("Ein rotes Auto auf der Autobahn bei Nacht", ["rotes Auto", "Autobahn"]),
        ("Der Kölner Dom bei Sonnenuntergang mit Vögeln", ["Kölner Dom"]),
        ("Freiheit", ["Freiheit"]),
    ],
)  # fmt: skip
def test_things_that_are_not_drawn_are_named(prompt, names):
    assert list(parse_prompt(prompt).not_drawn) == names


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Two people kissing in the rain", ["kissing"]),
        ("a cat riding a skateboard through Tokyo at night", ["riding", "skateboard"]),
        ("Two dogs chase a ball on the beach", ["chase", "ball"]),
        ("Ein Mann liest Zeitung im Café", ["liest", "Zeitung", "Café"]),
        ("Zwei Astronauten trinken Bier auf dem Mond", ["trinken", "Bier"]),
    ],
)
def test_an_action_is_named_where_the_one_who_does_it_is_drawn(prompt, names):
    assert list(parse_prompt(prompt).not_drawn) == names


@pytest.mark.parametrize(
    "prompt",
    [
        "ocean at sunset, slow pan to the right",
        "a huge red moon over two mountains, a small boat on the lake, at night, watercolour",
        "eine Katze links von einem Haus im Regen",
        "a beautiful city, please, 4k, cinematic",
        "",
    ],
)
def test_a_prompt_that_is_drawn_whole_names_nothing(prompt):
    assert parse_prompt(prompt).not_drawn == ()


def test_each_thing_is_named_once_and_a_long_list_ends():
    assert parse_prompt("a robot, a Robot and a robot").not_drawn == ("robot",)
    names = parse_prompt("qwert zuiop asdf " * 500).not_drawn
    assert max(len(name.split()) for name in names) <= MAX_WORDS
    assert len(parse_prompt(", ".join(f"blorb{index}x" for index in range(100))).not_drawn) == MAX_NAMES


def test_what_the_negative_prompt_names_is_not_missing():
    assert parse_prompt("ocean please", "spaghetti").not_drawn == ()


def test_the_engine_explains_a_prompt_and_a_picture_without_a_made_up_time_or_price():
    request = RenderRequest(prompt="a cat and a robot in the rain at night", settings={})
    explanation = ProceduralEngine().explain(request)
    assert (explanation.expected_seconds, explanation.cost) == (None, None)
    understanding = explanation.understanding
    assert understanding.not_drawn == ("robot",)
    assert [(part.phrase, part.role) for part in understanding.understood] == [
        ("cat", "subject"), ("rain", "subject"), ("at night", "setting"),
    ]  # fmt: skip
    picture = request.model_copy(update={"input_digest": "0" * 64})
    assert ProceduralEngine().explain(picture).understanding.not_drawn == ("cat", "robot")
