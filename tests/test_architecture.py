"""The floors of the house, its numbers and its manners. Each failure says what to do."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "videogen"

FLOORS = {
    0: "errors config clock schemas share_schemas travel_schemas engine_schemas history_schemas line_schemas events"
    " validation language folding naming wire",
    1: "media storage models database journal moves migrate migrations security lock integrity manifest engines.base"
    " address proxy forecast line",
    2: "store hub queue engines",
    3: "service uploads worker report room sweep doctor requests presenter streams eager sse visitors shares"
    " transfers exports imports presets trash",
    4: "api ui client cli share",
    5: "server tunnel __main__",
}
FLOOR_OF = {f"videogen.{name}": floor for floor, names in FLOORS.items() for name in names.split()}
# On these floors rooms may use each other, as long as there is no circle: words build on words, tools on tools.
SOCIAL = (0, 1, 3, 5)
EDGES_THAT_MAY = {("videogen.ui", "videogen.client"), ("videogen.cli", "videogen.client")}
FAR_FROM_THE_DATABASE = ("videogen.ui", "videogen.client", "videogen.cli")
NOT_FOR_THEM = ("store", "service", "engines", "database", "models", "queue", "worker", "hub", "moves", "journal")

MAX_MODULE, MAX_FUNCTION, MAX_PARAMETERS = 300, 40, 6
EXCEPTIONS = {
    ("import", "videogen -> videogen.engines.function"): "`from videogen import engine` loads it on demand, not before",
    (
        "function",
        "videogen.migrations.versions.0001_first_tables upgrade",
    ): "a list of columns; it is never changed again",
}
"""What may break a rule, and why. An entry that nothing needs any more fails a test."""


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(), str(path)) for name, path in SOURCES.items()}


def _room(module):
    """The longest name in the plan that this module is in: `videogen.store.events` is in `videogen.store`."""
    steps = module.split(".")
    for count in range(len(steps), 1, -1):
        if (name := ".".join(steps[:count])) in FLOOR_OF:
            return name
    return None


def _imports(module, everywhere=True):
    """The modules of ours that a module imports; with `everywhere`, inside functions and type checks too."""
    found = set()
    for node in ast.walk(TREES[module]) if everywhere else _at_import(TREES[module]):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: write the whole name of what you import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {_module_of(name) for name in names if name.partition(".")[0] == "videogen"}
    return found - {module}


def _module_of(name):
    """The module that a full name is in: `videogen.schemas.Status` is in `videogen.schemas`."""
    while name not in SOURCES:
        name = name.rpartition(".")[0]
    return name


def _at_import(tree):
    """The nodes that run when the module is imported."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node


def _needed(kind, found):
    """The findings that no exception allows."""
    return sorted(text for text in found if (kind, text) not in EXCEPTIONS)


def _unlawful_imports():
    found = {}
    for module in SOURCES:
        here = _room(module)
        for target in _imports(module):
            there = _room(target)
            if here == there or (here is None and there is None):
                continue
            if here is None or there is None:
                if there is not None:
                    found[f"{module} -> {target}"] = "the package itself imports nothing"
                continue
            up, same = FLOOR_OF[there] > FLOOR_OF[here], FLOOR_OF[there] == FLOOR_OF[here]
            if up or (same and FLOOR_OF[here] not in SOCIAL and (here, there) not in EDGES_THAT_MAY):
                found[f"{module} -> {target}"] = f"floor {FLOOR_OF[here]} -> {FLOOR_OF[there]}"
    return found


def test_every_module_has_its_floor():
    homeless = [module for module in SOURCES if module != "videogen" and _room(module) is None]
    assert homeless == [], "put it into FLOORS, on the lowest floor that has all it needs below"


def test_a_module_imports_only_from_floors_below():
    found = _unlawful_imports()
    wrong = {text: found[text] for text in _needed("import", found)}
    assert wrong == {}, "move what is needed to a lower floor, or hand it in from above"


def test_the_page_and_the_client_know_neither_database_nor_engine():
    forbidden = tuple(f"videogen.{name}" for name in NOT_FOR_THEM)
    wrong = [
        f"{module} -> {target}"
        for module in SOURCES
        if module.startswith(FAR_FROM_THE_DATABASE)
        for target in _imports(module)
        if target.startswith(forbidden)
    ]
    assert wrong == [], "go through videogen.client, so that the page also runs far from the service"


def test_no_import_goes_in_a_circle():
    graph = {module: _imports(module, everywhere=False) for module in SOURCES}
    # A package is imported before its modules; that it imports them is no circle.
    done, path, circles = set(), [], []

    def visit(module):
        if module in path:
            circles.append(" -> ".join([*path[path.index(module) :], module]))
        if module in done or module in path:
            return
        path.append(module)
        for target in sorted(graph[module]):
            visit(target)
        done.add(path.pop())

    for module in graph:
        visit(module)
    assert circles == [], "move what both need to a module of its own, on a lower floor"


# The house numbers


def _functions():
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module} {node.name}", node


def test_a_module_has_at_most_300_lines():
    long = {module: len(path.read_text().splitlines()) for module, path in SOURCES.items()}
    found = {module: count for module, count in long.items() if count > MAX_MODULE}
    assert {name: found[name] for name in _needed("module", found)} == {}, "find the two thoughts in it and part them"


def _long_functions():
    lines = {name: node.end_lineno - node.lineno + 1 for name, node in _functions()}
    return {name: count for name, count in lines.items() if count > MAX_FUNCTION}


def test_a_function_has_at_most_40_lines():
    found = _long_functions()
    assert {name: found[name] for name in _needed("function", found)} == {}, "name its steps, and make them functions"


def _parameters(node):
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument for argument in every if argument.arg not in ("self", "cls")]


def test_a_function_has_at_most_six_parameters():
    found = {name: len(_parameters(node)) for name, node in _functions() if len(_parameters(node)) > MAX_PARAMETERS}
    assert {name: found[name] for name in _needed("parameters", found)} == {}, "hand over one frozen value"


def test_every_function_says_what_it_takes_and_gives():
    found = set()
    for name, node in _functions():
        extra = [node.args.vararg, node.args.kwarg]
        bare = [arg.arg for arg in [*_parameters(node), *filter(None, extra)] if arg.annotation is None]
        if bare:
            found.add(f"{name}: {', '.join(bare)}")
        if node.returns is None and not name.startswith("videogen.migrations"):
            found.add(f"{name}: its result")
    assert _needed("annotations", found) == [], "annotate it"


# Manners


def test_a_coroutine_of_the_api_never_blocks_the_loop():
    wrong = [
        f"{module}:{call.lineno} service.{call.func.attr}()"
        for module, tree in TREES.items()
        if module.startswith("videogen.api")
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and "service" in ast.unparse(call.func.value).lower()
        and call.func.attr != "stream"
    ]
    assert wrong == [], "make the route a plain `def` (it then runs in a thread), or use anyio.to_thread.run_sync"


def test_no_markup_and_no_script_stands_in_python():
    found = set()
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value.lower()
                if any(mark in text for mark in ("<div", "<script", "<style", "</")):
                    found.add(f"{module}:{node.lineno} {node.value[:40]!r}")
    assert _needed("markup", found) == [], "put it into a file of its own beside the module, and read that"


@pytest.mark.parametrize("heavy", ["torch", "gradio", "numpy", "sqlalchemy", "pydantic", "av"])
def test_importing_videogen_does_no_work(heavy):
    code = f"import sys, videogen; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0, f"import {heavy} where it is used"


def test_every_exception_is_still_needed_and_has_a_reason():
    assert all(EXCEPTIONS.values())
    needed = {("import", text) for text in _unlawful_imports()} | {("function", name) for name in _long_functions()}
    assert EXCEPTIONS.keys() <= needed, "strike out what nothing needs any more"
