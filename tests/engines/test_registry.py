import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import videogen.engines as engines_package
from videogen.core.errors import ConfigError
from videogen.engines.base import Engine
from videogen.engines.registry import load_engine, load_engines, references_by_id

FAKES = Path(__file__).parents[1] / "fakes.py"


def test_an_engine_is_loaded_by_name_by_module_and_by_file():
    references = ["procedural", f"{FAKES}:bars", f"{FAKES}:steady"]
    engines = load_engines(references)
    assert list(engines) == ["procedural", "bars", "steady"]
    assert all(isinstance(engine, Engine) for engine in engines.values())
    assert references_by_id(references) == dict(zip(engines, references, strict=True))
    assert load_engine("videogen.engines.procedural.engine:ProceduralEngine").id == "procedural"


def test_a_file_is_loaded_once_whatever_the_path_to_it(monkeypatch):
    monkeypatch.chdir(FAKES.parent)
    assert load_engine("fakes.py:dies") is load_engine("fakes.py:dies")
    assert type(load_engine("fakes.py:steady")) is type(load_engine(f"{FAKES}:steady"))


def test_an_installed_package_adds_engines(monkeypatch):
    point = EntryPoint("theirs", "videogen.engines.procedural.engine:ProceduralEngine", "videogen.engines")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    assert load_engine("theirs").title == "Procedural"


def test_the_web_process_imports_nothing_heavy():
    code = (
        "import sys; from videogen.engines.registry import load_engines; "
        "load_engines(['procedural'])['procedural'].probe(); "
        "from videogen.engines import VideoSettings, Preset, Capabilities, RenderFailed, engine; "
        "import videogen.engines.process.host; "
        "print(sorted({'numpy', 'av', 'PIL', 'torch', 'gradio'} & sys.modules.keys()))"
    )
    root = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": root}
    )
    assert run.stdout == "[]\n"


def test_the_package_offers_each_name_that_it_lists():
    for name in engines_package.__all__:
        assert getattr(engines_package, name).__name__ == name
    with pytest.raises(AttributeError, match="no_such_name"):
        engines_package.no_such_name  # noqa: B018


def test_a_process_policy_of_another_type_is_refused(tmp_path):
    (tmp_path / "own.py").write_text(
        "from videogen.engines import engine\n@engine('own')\ndef own(recipe):\n    yield\nown.process = 'shared'\n"
    )
    with pytest.raises(ConfigError, match="an engine whose `process` is a ProcessPolicy, not 'shared'"):
        load_engine(f"{tmp_path / 'own.py'}:own")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("unheard-of", r"an engine's name \(.*procedural.*\), kind:model, path/to/file\.toml, module:attribute or "),
        ("no_such_module:engine", r"no_such_module to be importable \(ModuleNotFoundError"),
        ("no/such/file.py:engine", r"an existing file before the colon"),
        (f"{FAKES}:nothing", r"a name in .*fakes\.py, which has no 'nothing'"),
        (f"{FAKES}:not_an_engine", r"an engine \(not_an_engine lacks id, version, title,"),
        ("videogen.schemas:", "a name in videogen.schemas, which has no ''"),
        ("", "an engine's name"),
    ],
)
def test_a_wrong_reference_says_what_is_wrong(reference, expected):
    with pytest.raises(ConfigError, match=f"^VIDEOGEN_ENGINES: expected {expected}") as caught:
        load_engines(["procedural", reference])
    assert str(caught.value).endswith(f"got {reference!r}.")


def test_two_engines_of_one_id_are_refused():
    with pytest.raises(ConfigError, match="different engine ids"):
        load_engines(["procedural", "videogen.engines.procedural.engine:ProceduralEngine"])
