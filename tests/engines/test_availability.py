"""What is missing makes one engine unavailable, with a reason that says what to do. The app never depends on it."""

import re

import pytest

from videogen.engines.availability import UnavailableEngine, capabilities_of, concurrency_of, why_unavailable
from videogen.engines.base import RenderRequest
from videogen.engines.function import engine
from videogen.engines.registry import load_engine, load_engines
from videogen.schemas.engines import Capabilities


@pytest.fixture
def module(tmp_path):
    """Writes a Python file; its path."""

    def write(text):
        path = tmp_path / "theirs.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nothing_of_this_name", "theirs.py needs the Python package 'nothing_of_this_name', which is not"),
        (
            "raise OSError('no driver')",
            r"theirs.py could not be loaded \(OSError: no driver\). Correct it, then restart",
        ),
        ("def my_model(:", r"theirs.py could not be loaded \(SyntaxError: "),
        ("def my_model(spec):\n    import nothing_of_this_name", "needs the Python package 'nothing_of_this_name'"),
        ("class my_model:\n    def __init__(self):\n        raise OSError('no GPU')", r"\(OSError: no GPU\)"),
    ],
)
def test_an_engine_that_cannot_be_imported_or_made_is_listed_with_the_reason(module, text, reason):
    engines = load_engines(["procedural", f"{module(text)}:my_model"])
    assert list(engines) == ["procedural", "my-model"]
    made = engines["my-model"]
    assert isinstance(made, UnavailableEngine)
    assert why_unavailable(engines["procedural"]) is None
    with pytest.raises(Exception, match=reason):
        made.normalise(RenderRequest(prompt="sea"))
    with pytest.raises(Exception, match=reason):
        made.render(None, None)


def test_an_engine_of_a_file_keeps_its_id_and_title_while_it_cannot_be_imported(module, tmp_path):
    module("import nothing_of_this_name")
    (tmp_path / "e.toml").write_text('[[engine]]\nid="wan"\nkind="theirs.py:x"\ntitle="Wan"\ndefaults.steps=4\n')
    (made,) = load_engines([str(tmp_path / "e.toml")]).values()
    assert (made.id, made.title, made.probe().available) == ("wan", "Wan", False)


def test_settings_that_an_unavailable_engine_does_not_know_yet_do_not_stop_the_app(module, tmp_path):
    module(
        "from videogen.engines import Capabilities, engine\n"
        "def make(spec):\n"
        "    gone = Capabilities(available=False, reason='There is no model. Download it.')\n"
        "    return engine('x', capabilities=gone)(lambda recipe: [])\n"
    )
    table = '[[engine]]\nid="a"\nkind="theirs.py:make"\ndefaults.guidance_scale=4\n'
    (tmp_path / "e.toml").write_text(table)
    (made,) = load_engines([str(tmp_path / "e.toml")]).values()
    assert why_unavailable(made) == "There is no model. Download it."


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        (lambda: 1 / 0, r"Its check fails \(ZeroDivisionError: "),
        (lambda: "yes", r"Its check fails \(TypeError: expected probe\(\) to return Capabilities, got str\)"),
        (lambda: Capabilities(available=False), "The engine gives no reason."),
        (lambda: Capabilities(available=False, reason="No GPU. Use another one."), "No GPU. Use another one."),
    ],
)
def test_a_probe_that_fails_or_refuses_gives_a_reason(probe, reason):
    made = engine("own")(lambda recipe: [])
    made.probe = probe
    capabilities = capabilities_of(made)
    assert not capabilities.available
    assert re.match(reason, capabilities.reason)


def test_an_engine_whose_secret_is_not_set_says_which_variable(module, tmp_path, monkeypatch):
    module("from videogen.engines import engine\ndef make(spec):\n    return engine('x')(lambda recipe: [])\n")
    (tmp_path / "e.toml").write_text('[[engine]]\nid="a"\nkind="theirs.py:make"\ntoken="env:A_TOKEN_OF_OURS"\n')
    monkeypatch.delenv("A_TOKEN_OF_OURS", raising=False)
    (made,) = load_engines([str(tmp_path / "e.toml")]).values()
    assert (
        why_unavailable(made) == "The environment variable A_TOKEN_OF_OURS is not set. Set it, then restart videogen."
    )
    monkeypatch.setenv("A_TOKEN_OF_OURS", "hush")
    assert why_unavailable(made) is None


def test_concurrency_comes_from_the_spec_then_from_the_engine_then_from_the_setting(tmp_path):
    (tmp_path / "e.toml").write_text('[[engine]]\nid="a"\nkind="procedural"\nconcurrency=3\n')
    (stated,) = load_engines([str(tmp_path / "e.toml")]).values()
    remote = engine("remote")(lambda recipe: [])
    remote.concurrency = 10
    assert [concurrency_of(one, 2) for one in (stated, remote, load_engine("procedural"))] == [3, 10, 2]
    assert [concurrency_of(one, 0) for one in (stated, remote)] == [0, 0]
