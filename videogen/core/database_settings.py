"""The settings that say where state is kept: the database, and the key that goes with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_SQLITE, _POSTGRESQL = "sqlite:///", "postgresql://"
_SECRETS: Final = ("_token", "_key", "_secret")
_PASSWORD: Final = re.compile(r"(?<=://).*@")


def shown(field: str, value: object) -> object:
    """The value of a setting as a message may have it: without secrets and passwords."""
    if not isinstance(value, str):
        return value
    return f"a text of {len(value)} characters" if field.endswith(_SECRETS) else _PASSWORD.sub("***@", value)


class DatabaseSettings(BaseModel):
    """One database, or a server that several processes use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(default=Path("data"), description="folder of everything that is kept")
    database_url: str = Field(
        default="", repr=False, description="SQLite or PostgreSQL; empty means videogen.sqlite in the data folder"
    )
    database_pool: int = Field(
        default=10, ge=2, le=1000, description="connections of one process to PostgreSQL, at most"
    )
    storage_url: str = Field(
        default="", description="bucket for the files (s3://bucket/prefix); empty means the data folder"
    )
    secret_key: str = Field(
        default="",
        validate_default=True,
        description="signs media links; empty means one is made and kept in the data folder",
    )

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith((_SQLITE, _POSTGRESQL)):
            raise ValueError(f"a URL that begins with {_SQLITE} or {_POSTGRESQL}, or nothing")
        return value

    @field_validator("storage_url")
    @classmethod
    def _bucket(cls, value: str, info: ValidationInfo) -> str:
        if value and not value.startswith("s3://"):
            raise ValueError("a URL such as s3://bucket/prefix?endpoint=https://..., or nothing")
        if value and not info.data.get("database_url", "").startswith(_POSTGRESQL):
            raise ValueError(
                "VIDEOGEN_DATABASE_URL=postgresql://... with it; with SQLite, VIDEOGEN_SNAPSHOT_URL keeps copies"
            )
        return value

    @field_validator("secret_key")
    @classmethod
    def _shared_key(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("database_url", "").startswith(_POSTGRESQL):
            raise ValueError("one key for all processes, as the database is PostgreSQL")
        return value

    @field_validator("snapshot_url", check_fields=False)
    @classmethod
    def _snapshots_of_a_file(cls, value: str, info: ValidationInfo) -> str:
        if value and info.data.get("database_url", "").startswith(_POSTGRESQL):
            raise ValueError("nothing, as the database is PostgreSQL, which has its own backups")
        return value

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"{_SQLITE}{quote(str(self.data_dir.resolve() / 'videogen.sqlite'))}"

    @property
    def files_origin(self) -> str:
        """The address at which browsers reach the bucket themselves (`public=`); empty where they do not."""
        return parse_qs(urlsplit(self.storage_url).query).get("public", [""])[0].rstrip("/")

    @property
    def uses_postgresql(self) -> bool:
        """Whether the database is a server that several processes use, and not a file of this one."""
        return self.database_url.startswith(_POSTGRESQL)
