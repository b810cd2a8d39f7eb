"""Columns and indexes that are not the same in SQLite and PostgreSQL; for the tables and for the migrations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, text

_FILTERED = ("trashed_until", "status", "type", "engine", "favorite", "search_text")


def big() -> Any:
    """The type of numbers of 64 bits. SQLite has no other, and numbers rows by itself only where it is INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")


def number() -> Column[int]:
    """A primary key that is given by the database."""
    return Column(big(), primary_key=True)


def whole(*, nullable: bool = False) -> Column[int]:
    """A number of 64 bits, as an engine or a row's number may be."""
    return Column(big(), nullable=nullable)


def where_set(name: str, column: str) -> Index:
    """An index of the rows that have a value in this column."""
    condition = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=condition, postgresql_where=condition)


def history_indexes() -> tuple[Index, ...]:
    """Indexes for the pages of a history, its filters and its search.

    SQLite has one that covers the filters: rows are read only for the page that is shown. In PostgreSQL a row of an
    index holds 2,700 bytes at most, so that a long prompt would not fit. Its search has an index of trigrams, made by
    the migration where the server has the extension pg_trgm.
    """
    trigrams: dict[str, Any] = {"postgresql_using": "gin", "postgresql_ops": {"search_text": "gin_trgm_ops"}}
    return (
        Index("ix_generations_history", "session_id", "seq", *_FILTERED).ddl_if(dialect="sqlite"),
        Index("ix_generations_pages", "session_id", "seq").ddl_if(dialect="postgresql"),
        Index("ix_generations_search", "search_text", **trigrams).ddl_if(dialect="postgresql"),
    )
