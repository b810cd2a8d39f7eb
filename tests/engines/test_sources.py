"""From a function in memory to a reference with which another process loads it."""

import sys
from types import ModuleType

import pytest

from videogen.core.errors import StartError
from videogen.engines.function import engine
from videogen.engines.registry import load_engine
from videogen.engines.sources import notebook_source, reference_to

CELLS = [
    "import numpy as np\nimport videogen",
    "SPEED = 3\nimages = load_a_million_images()",
    "def wave(t):\n    return np.sin(SPEED * t)",
    "@videogen.engine('plasma')\ndef plasma(recipe):\n    yield wave(recipe.seed)",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "app = videogen.launch(plasma)",
]


def test_only_the_statements_that_the_engine_needs_are_written_in_their_order():
    source = notebook_source(CELLS, "plasma")
    assert source.split("\n\n\n") == [
        "import numpy as np",
        "import videogen",
        "SPEED = 3",
        "def wave(t):\n    return np.sin(SPEED * t)",
        "@videogen.engine('plasma')\ndef plasma(recipe):\n    yield wave(recipe.seed)\n",
    ]


def test_the_newest_cell_counts_as_it_was_run():
    again = [*CELLS, "SPEED = 5", "SPEED += 1", "def wave(t):\n    return SPEED"]
    source = notebook_source(again, "plasma")
    assert "SPEED = 5\n\n\nSPEED += 1" in source
    assert "SPEED = 3" not in source
    assert "np.sin" not in source
    assert "import numpy" not in source


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["class A: pass", "class B(A):\n    x = 1", "def f(r, b=B()): pass"], ["class A", "class B", "def f"]),
        (["from os.path import *", "def f(r): return join(r)"], ["from os.path import *", "def f"]),
        (["x = 1", "from __future__ import annotations", "def f(r): return x"], ["from __future__", "x = 1", "def f"]),
        (["def g(): return f\ndef f(r): return g()"], ["def g", "def f"]),
        (["try:\n    import a\nexcept ImportError:\n    a = None", "def f(r): return a"], ["try:", "def f"]),
        (["y = 2\nx = [y for y in range(y)]", "def f(r): return [x for z in r]"], ["y = 2", "x = [", "def f"]),
        (["this is no Python", "x = 1", "f = lambda r: x"], ["x = 1", "f = "]),
        (["x = 1", "def f(r):\n    x = 2\n    return x"], ["def f"]),
        (["x = 1", "def f(r):\n    def g(): return x\n    return g"], ["x = 1", "def f"]),
    ],
)
def test_what_a_statement_uses_is_found(cells, expected):
    parts = notebook_source(cells, "f").rstrip("\n").split("\n\n\n")
    assert [part[: len(start)] for part, start in zip(parts, expected, strict=True)] == expected


def test_a_name_that_no_cell_defines_is_an_error():
    with pytest.raises(StartError, match="The cell that defines plasma is not known"):
        notebook_source(["x = 1"], "plasma")


@pytest.fixture
def main(monkeypatch):
    """Stands for `__main__`."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def run(main, *cells):
    main.In = ["", *cells]
    for cell in cells:
        exec(cell, vars(main))


def test_an_engine_of_a_notebook_is_loaded_from_its_file_by_another_process_and_is_in_this_one_already(main, tmp_path):
    run(main, "import videogen", "@videogen.engine('still')\ndef still(recipe):\n    yield recipe.seed")
    reference = reference_to(main.still, tmp_path)
    assert reference == f"{tmp_path}/notebook-engines/still.py:still"
    assert load_engine(reference) is main.still
    namespace = {}
    exec((tmp_path / "notebook-engines" / "still.py").read_text(), namespace)
    assert namespace["still"].id == "still"


def test_a_plain_function_of_a_notebook_is_an_engine_too(main, tmp_path):
    run(main, "def still(recipe):\n    yield recipe.seed")
    assert load_engine(reference_to(main.still, tmp_path)).id == "still"


def test_a_function_of_a_script_is_loaded_from_the_script_which_this_process_does_not_run_again(main, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise AssertionError('it ran again')")
    main.__file__ = str(script)
    exec("def still(recipe): yield", vars(main))
    reference = reference_to(main.still, tmp_path)
    assert reference == f"{script}:still"
    assert load_engine(reference).source is main.still


def test_an_engine_of_a_module_is_loaded_from_there():
    from videogen.testing import fakes

    assert reference_to(fakes.bars, None) == "videogen.testing.fakes:bars"
    assert reference_to(fakes.steady, None) == "videogen.testing.fakes:steady"
    assert reference_to("procedural", None) == "procedural"


def test_an_engine_of_a_file_is_loaded_from_there(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("import videogen\n@videogen.engine('own')\ndef own(recipe):\n    yield\n")
    assert reference_to(load_engine(f"{file}:own"), tmp_path) == f"{file}:own"


def test_what_has_no_name_at_the_top_level_is_refused_with_what_to_do(main, tmp_path):
    with pytest.raises(StartError, match=r"<lambda> has no name at the top level of .*Define it there"):
        reference_to(engine("nameless")(lambda recipe: ()), tmp_path)
    exec("def typed(recipe): yield", vars(main))
    with pytest.raises(StartError, match=r"typed was typed at a prompt\. Write it to a file"):
        reference_to(main.typed, tmp_path)
