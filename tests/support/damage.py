"""Damages databases as a disk does: some bytes of a page are not those that were written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def damage_table(path: Path, table: str, *, pages: int = 1) -> None:
    """Overwrite the last leaf pages of a table. The file must not be open."""
    numbers, size = leaves(path, table)
    for number in numbers[-pages:]:
        overwrite(path, (number - 1) * size, size)


def leaves(path: Path, table: str) -> tuple[list[int], int]:
    """The leaf pages of a table, in the order of its rows, and the size of a page in bytes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    return _leaves(path, root, size), size


def _leaves(path: Path, page: int, size: int) -> list[int]:
    """The leaf pages of a table's tree, in the order of its rows; see https://www.sqlite.org/fileformat2.html."""
    data = path.read_bytes()[(page - 1) * size : page * size]
    head = 100 if page == 1 else 0
    if data[head] == 0x0D:
        return [page]
    assert data[head] == 0x05, "an interior page of a table"
    count = int.from_bytes(data[head + 3 : head + 5])
    cells = [int.from_bytes(data[head + 12 + 2 * index : head + 14 + 2 * index]) for index in range(count)]
    children = [int.from_bytes(data[cell : cell + 4]) for cell in cells]
    children.append(int.from_bytes(data[head + 8 : head + 12]))
    return [leaf for child in children for leaf in _leaves(path, child, size)]


def overwrite(path: Path, offset: int, length: int) -> None:
    """Overwrite some bytes of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * length)
