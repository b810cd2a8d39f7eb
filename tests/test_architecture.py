"""The rules for the code of videogen/ that no tool checks. Each failure says what to do.

The layers of the packages are in pyproject.toml: import-linter holds them, as a part of `make check`.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "videogen"

MAX_MODULE, MAX_FUNCTION, MAX_PARAMETERS = 300, 40, 6
EXCEPTIONS = {
    ("function", "videogen.db.migrations.versions.0001_first_tables upgrade"): "a list of columns that stays as it is",
}
"""What may break a rule, and why. A test fails when nothing needs an entry any more."""

FORBIDDEN_NAMES = {"told", "said", "tell", "say"}

# What users of these modules catch; each class says what happened to the generation.
PUBLIC_EXCEPTIONS = ("videogen.engines.base", "videogen.engines.remote.provider", "videogen.client.errors")


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(), str(path)) for name, path in SOURCES.items()}


def _nodes(*kinds):
    """Every node of the given kinds, with the module that it is in."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield module, node


def _not_excepted(rule, breaches):
    return {name: value for name, value in breaches.items() if (rule, name) not in EXCEPTIONS}


# Modules and their imports


def test_the_top_of_the_package_has_no_loose_modules():
    loose = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert loose == set(), "move the module into the package of its subject, see CONTRIBUTING.md"


def _imports(module):
    """The modules of videogen that are imported when this one is."""
    names = []
    for node in TREES[module].body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {_module_of(name) for name in names if name.partition(".")[0] == "videogen"} - {module}


def _module_of(name):
    """The module that a full name is in: `videogen.schemas.status.Status` is in `videogen.schemas.status`."""
    while name not in SOURCES:
        name = name.rpartition(".")[0]
    return name


def test_no_import_goes_in_a_circle():
    done, path, circles = set(), [], []

    def visit(module):
        if module in path:
            circles.append(" -> ".join([*path[path.index(module) :], module]))
        if module in done or module in path:
            return
        path.append(module)
        for target in sorted(_imports(module)):
            visit(target)
        done.add(path.pop())

    for module in SOURCES:
        visit(module)
    assert circles == [], "move what both modules need to a third one that both import"


@pytest.mark.parametrize("heavy", ["torch", "gradio", "numpy", "sqlalchemy", "pydantic", "av"])
def test_importing_videogen_does_no_work(heavy):
    code = f"import sys, videogen; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0, f"import {heavy} where it is used"


# Sizes and annotations


def _functions():
    for module, node in _nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        yield f"{module} {node.name}", node


def _parameters(function):
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument for argument in every if argument.arg not in ("self", "cls")]


def test_a_module_has_at_most_300_lines():
    lines = {module: len(path.read_text().splitlines()) for module, path in SOURCES.items()}
    breaches = {module: count for module, count in lines.items() if count > MAX_MODULE}
    assert _not_excepted("module", breaches) == {}, "split it into two modules of one subject each"


def _long_functions():
    lines = {name: node.end_lineno - node.lineno + 1 for name, node in _functions()}
    return {name: count for name, count in lines.items() if count > MAX_FUNCTION}


def test_a_function_has_at_most_40_lines():
    assert _not_excepted("function", _long_functions()) == {}, "make a function of each step"


def test_a_function_has_at_most_six_parameters():
    breaches = {name: len(_parameters(node)) for name, node in _functions() if len(_parameters(node)) > MAX_PARAMETERS}
    assert breaches == {}, "pass one frozen dataclass instead"


def test_every_parameter_and_result_is_annotated():
    breaches = set()
    for name, node in _functions():
        arguments = [*_parameters(node), *filter(None, [node.args.vararg, node.args.kwarg])]
        breaches |= {f"{name}: {argument.arg}" for argument in arguments if argument.annotation is None}
        if node.returns is None:
            breaches.add(f"{name}: its result")
    assert breaches == set(), "annotate it"


# Names


def _defined_name(node):
    """The name that a node gives to something: a function, class, parameter, variable, attribute or import."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.arg():
            return node.arg
        case ast.alias():
            return node.asname
        case ast.Name(ctx=ast.Store()):
            return node.id
        case ast.Attribute(ctx=ast.Store()):
            return node.attr
        case _:
            return None


def test_names_are_standard_terms():
    breaches = [
        f"{module}:{node.lineno} {_defined_name(node)}"
        for module, node in _nodes(ast.AST)
        if _defined_name(node) in FORBIDDEN_NAMES
    ]
    assert breaches == [], "give it the standard term for what it holds or does, such as `sent`, `message`, `translate`"


def test_error_classes_end_in_error():
    bases = {node.name: [ast.unparse(base) for base in node.bases] for _, node in _nodes(ast.ClassDef)}

    def is_error(name):
        return name.endswith(("Error", "Exception")) or any(is_error(base) for base in bases.get(name, []))

    breaches = [
        f"{module} {node.name}"
        for module, node in _nodes(ast.ClassDef)
        if is_error(node.name) and not node.name.endswith("Error") and module not in PUBLIC_EXCEPTIONS
    ]
    assert breaches == [], "let the name end in Error"


# What a tool cannot see


EDGES = ("videogen.api", "videogen.share")
IN_MEMORY = ("count", "slot", "hold")  # of the limits for one visitor, and of what is in use


def test_a_coroutine_of_an_edge_calls_no_blocking_service():
    breaches = [
        f"{module}:{call.lineno} {ast.unparse(call.func)}()"
        for module, function in _nodes(ast.AsyncFunctionDef)
        if module.startswith(EDGES)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and any(way in ast.unparse(call.func.value) for way in ("services", "_shares("))
        and call.func.attr not in ("stream", "upload_folder", *IN_MEMORY)
    ]
    assert breaches == [], "make the route a plain `def` (it then runs in a thread), or use anyio.to_thread.run_sync"


def test_an_edge_reaches_the_use_cases_through_services_only():
    allowed = ("core", "schemas", "services", "web")
    breaches = [
        f"{module} -> {target}"
        for module in SOURCES
        if module.startswith(EDGES)
        for target in _imports(module)
        if not target.startswith((*(f"videogen.{name}" for name in allowed), ".".join(module.split(".")[:2])))
    ]
    assert breaches == [], "add what is missing to a service, and call that"


def test_python_holds_no_markup_and_no_script():
    breaches = [
        f"{module}:{node.lineno} {node.value[:40]!r}"
        for module, node in _nodes(ast.Constant)
        if isinstance(node.value, str)
        and any(mark in node.value.lower() for mark in ("<div", "<script", "<style", "</"))
    ]
    assert breaches == [], "put it into a file beside the module, and read that file"


def test_every_exception_is_needed_and_has_a_reason():
    assert all(EXCEPTIONS.values())
    assert EXCEPTIONS.keys() <= {("function", name) for name in _long_functions()}, "remove what nothing needs any more"
