"""Engine files: what a table says holds, and each wrong key or value is one line that says what is allowed."""

import re

import pytest

from tests.support.app import FAKES, ROOT
from videogen.core.errors import ConfigError
from videogen.engines.base import RenderFailed, RenderRequest
from videogen.engines.engine_file import read_engine_file
from videogen.engines.registry import load_engine, load_engines, process_policy, references_by_id
from videogen.engines.spec import EngineSpec

OWN = """
from pydantic import BaseModel, ConfigDict, Field
from videogen.engines import Capabilities, Recipe, VideoSettings, engine

class Settings(VideoSettings):
    steps: int = Field(default=30, ge=1, le=50)
    guidance_scale: float = Field(default=7.5, gt=0, le=20)
    style: str = "plain"

@engine("own", settings=Settings)
def own(recipe):
    "Renders nothing."
    yield

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    api_key: str = ""
    retries: int = Field(default=3, ge=0)

class Service:
    id, version, title, description, settings = "service", "1", "Service", "", Settings
    def __init__(self, spec):
        self.spec, self.options = spec, spec.parse(Options)
    def probe(self):
        return Capabilities()
    def normalise(self, request):
        return Recipe(engine="a name of its own", engine_version="1", prompt=request.prompt, seed=1,
                      width=64, height=64, fps=8, num_frames=8)
    def render(self, recipe, ctx):
        raise NotImplementedError

def broken(spec):
    raise OSError("no such device")

def not_one(spec):
    return 7
"""


@pytest.fixture
def engine_file(tmp_path):
    """Writes an engine file, beside a module with kinds; its path."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "needs_more.py").write_text("import nothing_of_this_name\n")

    def write(text):
        path = tmp_path / "engines.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def load(engine_file):
    """Loads the engines of a file, as the app does."""
    return lambda text: load_engines([str(engine_file(text))])


def test_a_table_makes_an_engine_and_several_may_be_of_one_kind(load):
    engines = load("""
        [[engine]]
        id = "quick"
        kind = "own.py:own"
        title = "Quick"
        concurrency = 3
        defaults = {steps = 4, guidanceScale = 1}
        bounds.steps = {minimum = 2, maximum = 8}
        bounds.style.choices = ["plain", "noir"]
        [[engine.presets]]
        id = "sea"
        title = "Sea"
        prompt = "sea"
        poster = "sea.webp"

        [[engine]]
        id = "fine"
        kind = "own.py:own"
        defaults.steps = 200
        bounds.steps.maximum = 200
    """)
    quick, fine = engines.values()
    assert (quick.id, quick.title, fine.id, fine.title) == ("quick", "Quick", "fine", "Own")
    schema = quick.settings.model_json_schema(by_alias=True)["properties"]
    assert {name: schema["steps"][name] for name in ("default", "minimum", "maximum")} == {
        "default": 4, "minimum": 2, "maximum": 8,
    }  # fmt: skip
    assert (schema["style"]["enum"], schema["guidanceScale"]["default"]) == (["plain", "noir"], 1)
    recipe = quick.normalise(RenderRequest(prompt="sea", settings={}))
    assert (recipe.engine, recipe.settings) == ("quick", {"steps": 4, "guidance_scale": 1.0, "style": "plain"})
    assert quick.presets[0].poster.is_absolute()
    # Beyond what the engine itself allows.
    assert fine.normalise(RenderRequest(prompt="sea", settings={"steps": 150})).settings["steps"] == 150
    for wrong in ({"steps": 9}, {"steps": 1}, {"style": "other"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            quick.settings.model_validate(wrong)


def test_the_engine_that_a_table_is_made_from_stays_as_it_is(load, engine_file):
    text = '[[engine]]\nid = "other"\nkind = "own.py:own"\ndefaults.steps = 4\n'
    load(text)
    own = load_engine(f"{engine_file(text).parent / 'own.py'}:own")
    assert (own.id, own.settings().steps) == ("own", 30)


def test_a_child_process_loads_the_same_engine_by_its_reference_alone(engine_file):
    path = engine_file('[[engine]]\nid = "quick"\nkind = "own.py:own"\ndefaults.steps = 4\n')
    (reference,) = references_by_id([str(path)]).values()
    path.unlink()
    load_engine.cache_clear()
    assert load_engine(reference).settings().steps == 4


def test_a_reference_of_a_kind_and_a_model_has_an_id_made_from_the_model():
    spec = EngineSpec.of_reference("diffusers", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    assert (spec.id, spec.model) == ("wan2.1-t2v-1.3b-diffusers", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    assert EngineSpec.of_reference("diffusers", "/models/My Model/").id == "my-model"
    assert EngineSpec.model_validate_json(spec.reference) == spec


def test_a_path_beside_the_file_does_not_depend_on_the_current_folder(engine_file, tmp_path, monkeypatch):
    path = engine_file('[[engine]]\nid="a"\nkind="own.py:Service"\nmodel="./weights"\nlora=["../b", "hub/name"]\n')
    monkeypatch.chdir("/")
    (spec,) = read_engine_file(path)
    assert spec.model == str(tmp_path / "weights")
    assert spec.options == {"lora": [str(tmp_path.parent / "b"), "hub/name"]}


def test_a_secret_is_read_in_the_child_alone(engine_file, monkeypatch):
    path = engine_file('[[engine]]\nid = "service"\nkind = "own.py:Service"\napi_key = "env:OWN_SERVICE_KEY"\n')
    monkeypatch.setenv("OWN_SERVICE_KEY", "hush")
    ((name, reference),) = references_by_id([str(path)]).items()
    engine = load_engine(reference)
    assert "hush" not in reference + repr(engine.options)
    assert process_policy(reference).environment == ("OWN_SERVICE_KEY",)
    assert engine.spec.resolve() == {"api_key": "hush"}
    with pytest.raises(RenderFailed, match="OWN_SERVICE_KEY is not set"):
        engine.spec.resolve({})
    assert name == "service"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[engine]]\nid = ", "expected a TOML file"),
        ("", r"expected at least one table that begins with \[\[engine\]\]"),
        ("[engine]\nid = 'a'", "expected at least one table"),
        ("[[engines]]\nid = 'a'", r"engines: expected only tables that begin with \[\[engine\]\]"),
        ("[[engine]]\nkind = 'x'", r"\[\[engine\]\] number 1: id: expected a unique name of lower-case letters"),
        ("[[engine]]\nid = 'a'", r"\[\[engine\]\] 'a': kind: expected the name of a kind"),
        ("[[engine]]\nid = 'A b'\nkind = 'x'", r"\[\[engine\]\] 'A b': id: expected a unique name .* got 'A b'"),
    ],
)
def test_a_file_that_is_wrong_says_what_is_allowed(load, text, expected):
    with pytest.raises(ConfigError, match=rf"^VIDEOGEN_ENGINES: .*engines\.toml: {expected}") as caught:
        load(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("unheard-of", "", r"kind: expected an engine's name \(.*procedural"),
        ("gone.py:own", "", "kind: expected an existing file before the colon"),
        ("own.py:gone", "", r"kind: expected a name in .*own\.py, which has no 'gone'"),
        ("own.py:not_one", "", r"kind: expected an engine \(not_one lacks id,"),
        ("own.py:own", "concurrency = 0", "concurrency: expected at least 1, got 0"),
        ("own.py:own", "concurrency = 'two'", "concurrency: expected a whole number, got 'two'"),
        ("own.py:own", "speed = 2", "speed: expected one of the keys id, kind, .* has no model and no other keys"),
        ("own.py:own", "model = 'x'", "model: expected one of the keys id, kind, title, concurrency"),
        ("own.py:own", "defaults.stepz = 2", r"defaults\.stepz: expected a setting of this engine \(.*steps"),
        ("own.py:own", "defaults.steps = 'x'", r"defaults\.steps: expected a whole number, got 'x'"),
        ("own.py:own", "defaults.steps = 60", r"defaults\.steps: expected at most 50, got 60"),
        ("own.py:own", "bounds.stepz.maximum = 2", r"bounds\.stepz: expected a setting of this engine"),
        ("own.py:own", "bounds.steps.max = 9", r"bounds\.steps\.max: expected one of the keys minimum, maximum"),
        ("own.py:own", "bounds.steps.maximum = 9", r"defaults\.steps: expected at most 9, since .* got 30"),
        ("own.py:own", "bounds.steps.minimum = 1.5", r"bounds\.steps\.minimum: expected a whole number"),
        ("own.py:own", "bounds.style.minimum = 1", r"bounds\.style\.minimum: expected left out, since .* not a number"),
        ("own.py:own", "bounds.steps.choices = [0]", r"bounds\.steps\.choices: expected values that the engine takes"),
        ("own.py:own", "bounds.fps = {minimum = 9, maximum = 3}", r"bounds\.fps: expected a minimum of at most 3"),
        ("own.py:own", "presets = [{id = 'x'}]", r"presets\.0\.title: expected a value"),
        ("own.py:Service", "retry = 2", "retry: expected one of the keys api_key, retries"),
        ("own.py:Service", "retries = -1", "retries: expected at least 0, got -1"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_with_file_table_and_key(load, kind, keys, expected):
    line = rf"^VIDEOGEN_ENGINES: .*engines\.toml: \[\[engine\]\] 'a': {expected}"
    with pytest.raises(ConfigError, match=line) as caught:
        load(f"[[engine]]\nid = 'a'\nkind = '{kind}'\n{keys}\n")
    assert "\n" not in str(caught.value)


def test_a_secret_in_the_file_is_refused_and_not_shown(load):
    for text in ('api_key = "hush"', '[engine.login]\npassword = "hush"'):
        with pytest.raises(ConfigError, match=r'"env:MY_TOKEN"') as caught:
            load(f'[[engine]]\nid = "a"\nkind = "own.py:Service"\n{text}\n')
        assert "hush" not in str(caught.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"no/such\.toml: expected a file that can be read"):
        load_engines(["no/such.toml"])


def test_two_tables_of_one_id_are_refused(load):
    with pytest.raises(ConfigError, match="different engine ids"):
        load("[[engine]]\nid = 'a'\nkind = 'own.py:own'\n" * 2)


def test_the_example_of_the_documentation_is_an_engine_file(engine_file):
    text = (ROOT / "docs" / "engine-file.md").read_text()
    example, kind = re.findall(r"^```(?:toml|python)\n(.*?)^```$", text, re.M | re.S)
    path = engine_file(example)
    (path.parent / "plasma.py").write_text(f"from runpy import run_path\nplasma = run_path({str(FAKES)!r})['bars']\n")
    (path.parent / "my_service.py").write_text(kind)
    specs = {spec.id: spec for spec in read_engine_file(path)}
    assert list(specs) == ["sketch", "plasma", "wan"]
    assert (specs["wan"].kind, specs["wan"].model) == ("diffusers", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    sketch, plasma = (load_engine(specs[name].reference) for name in ("sketch", "plasma"))
    assert (sketch.title, sketch.settings().width, plasma.id) == ("Sketch", 320, "plasma")
    table = "[[engine]]\nid = 'cloud'\nkind = 'my_service.py:MyService'\napi_key = 'env:MY_SERVICE_KEY'\n"
    (service,) = load_engines([str(engine_file(table))]).values()
    assert (service.id, service.options.region) == ("cloud", "eu")
    with pytest.raises(ConfigError, match="MyService: api_key: expected the variable of the key, such as env:MY_SER"):
        load_engines([f"{path.parent / 'my_service.py'}:MyService"])
