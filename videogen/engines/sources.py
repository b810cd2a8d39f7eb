"""Where a function, a class or an engine of this process is defined, as a reference with which a child loads it.

What stands in a module or in a script is loaded from there. What stands in a notebook is written to a file: the cells'
statements that it needs, and no others.
"""

from __future__ import annotations

import ast
import inspect
import symtable
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from videogen.core.atomic_files import write_durably
from videogen.core.errors import StartError
from videogen.engines.function import DecoratedEngine
from videogen.engines.imports import adopt
from videogen.engines.registry import load_engine

FOLDER: Final = "notebook-engines"
"""The folder of the written files, in the data folder."""
_CELLS: Final = "In"
"""IPython's list of the cells that were run, as plain Python."""


def reference_to(value: Any, data_dir: Path) -> str:
    """A reference to an engine, a function or a class, for `VIDEOGEN_ENGINES`; a string is one already.

    Args:
        value: has a name at the top level of a module, a script or a notebook.
        data_dir: where the file of a notebook's engine is written; the file stays, for jobs that are not finished.

    Raises:
        StartError: it has no such name, or its source is not known.
    """
    if isinstance(value, str):
        return value
    source = value.source if isinstance(value, DecoratedEngine) else value
    if inspect.isfunction(value) and not inspect.isgeneratorfunction(value):
        raise StartError(f"{value.__name__} does not yield frames. Yield them, or decorate it with @videogen.engine.")
    home = getattr(source, "__module__", None) or type(source).__module__
    for module in map(sys.modules.get, (home, "__main__")):
        for name, item in list(vars(module).items()) if module else ():
            if item is value:
                return _reference(module, name, data_dir) if module else name
    shown = getattr(source, "__qualname__", None) or repr(value)
    raise StartError(
        f"{shown} has no name at the top level of {home}, so that the process that renders could not find it. "
        "Define it there, not in another function."
    )


def notebook_source(cells: Sequence[str], name: str) -> str:
    """The statements of a notebook that a name needs, in the order in which they were run.

    A statement is chosen if it was the last to bind the name, or a name that a chosen statement uses. What changes a
    value without binding a name, such as `pipe.to("cuda")`, is left out.

    Args:
        cells: the source of the cells that were run; what is not plain Python is left out.
        name: bound at the top level of a cell.

    Raises:
        StartError: no cell binds the name.
    """
    statements = [statement for cell in cells for statement in _statements(cell)]
    chosen = {number for number, statement in enumerate(statements) if statement.always}
    waiting = [(name, len(statements))]
    while waiting:
        wanted, before = waiting.pop()
        binding = [number for number in range(before) if wanted in statements[number].binds]
        if binding and binding[-1] not in chosen:
            chosen.add(binding[-1])
            waiting += [(used, binding[-1]) for used in statements[binding[-1]].uses]
            waiting += [(used, len(statements)) for used in statements[binding[-1]].uses_later]
    if not any(name in statements[number].binds for number in chosen):
        raise StartError(f"The cell that defines {name} is not known. Run it again, or write it to a file.")
    texts = [statements[number].text for number in sorted(chosen)]
    # Python wants these at the top.
    return "\n\n\n".join(sorted(texts, key=lambda text: not text.startswith("from __future__ "))) + "\n"


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement at the top level of a cell, with the names that it binds and uses."""

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    """When it runs."""
    uses_later: frozenset[str]
    """When a function in it is called."""
    always: bool
    """Whether it stands for names that it does not mention: `from x import *`, `from __future__ import x`."""


def _statements(cell: str) -> Iterator[_Statement]:
    try:
        nodes = ast.parse(cell).body
    except SyntaxError:
        return
    for node in nodes:
        text = ast.unparse(node)
        table = symtable.symtable(text, "<cell>", "exec")
        symbols = table.get_symbols()
        yield _Statement(
            text,
            frozenset(one.get_name() for one in symbols if one.is_assigned() or one.is_imported()),
            frozenset(_used(table, later=False) | _changed(node)),
            frozenset(_used(table, later=True)),
            isinstance(node, ast.ImportFrom) and (node.module == "__future__" or node.names[0].name == "*"),
        )


def _changed(node: ast.stmt) -> set[str]:
    """The names that `+=` and the like use, which are not in the symbol table as used."""
    targets = (part.target for part in ast.walk(node) if isinstance(part, ast.AugAssign))
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _used(table: symtable.SymbolTable, *, later: bool, in_function: bool = False) -> set[str]:
    """The names of the notebook that a part of a statement uses: now, or when its functions are called."""
    is_top = table.get_type() == "module"
    found: set[str] = set()
    if later == in_function:
        found = {one.get_name() for one in table.get_symbols() if one.is_referenced() and (is_top or one.is_global())}
    return found.union(
        *(
            _used(child, later=later, in_function=in_function or child.get_type() == "function")
            for child in table.get_children()
        )
    )


def _reference(module: ModuleType, name: str, data_dir: Path) -> str:
    file = getattr(module, "__file__", None)
    if module.__name__ != "__main__":
        # What was loaded from a file by its path cannot be imported by its name.
        is_importable = not module.__name__.startswith("videogen_engine_")
        return f"{module.__name__ if is_importable else file}:{name}"
    cells = getattr(module, _CELLS, None)
    if isinstance(cells, list):
        path = data_dir.resolve() / FOLDER / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, f"# Written by videogen, from a notebook.\n\n{notebook_source(cells, name)}".encode())
        own = ModuleType(name)
        setattr(own, name, vars(module)[name])
    elif file is not None:
        path, own = Path(file).resolve(), module
    else:
        raise StartError(f"{name} was typed at a prompt. Write it to a file, and run that.")
    # This process has it already.
    adopt(path, own)
    load_engine.cache_clear()
    return f"{path}:{name}"
