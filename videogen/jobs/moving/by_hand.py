"""`videogen migrate --to postgresql://... --storage s3://...`: the whole move, step by step.

Nothing starts on the target before the last step. Whatever interrupts it, the same command goes on: files that are
there already are not sent again, and all rows are copied anew. The source is only read.
"""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from videogen.core.config import AppConfig
from videogen.core.database_settings import shown
from videogen.core.errors import ConfigError, StartError
from videogen.core.lock import DataLock
from videogen.core.security import SECRET_FILE, Signer
from videogen.core.text import counted
from videogen.db import moving
from videogen.db.integrity import read_only, require_sound
from videogen.db.migrate import HEAD, sqlite_revision
from videogen.jobs.moving.files import BucketCopy, Report, reading
from videogen.jobs.moving.unfinished import Unfinished, ended_with_folder, settle, unfinished_jobs
from videogen.storage import DataFolder
from videogen.storage.object_storage import open_storage
from videogen.storage.presigned import OPTION as PUBLIC
from videogen.storage.presigned import links_of
from videogen.storage.s3 import OPTIONS, S3Objects, open_bucket

STORAGE: Final = "--storage"
_KEYS: Final = "SELECT key FROM files UNION SELECT key FROM uploads"
_UNSETTLED: Final = "SELECT count(*) FROM restores WHERE NOT is_settled"


def move(config: AppConfig, to: str, storage: str, report: Report) -> str:
    """Copy the embedded installation of the settings; return what was moved, and how to start the new one.

    Args:
        config: the settings of the installation, which no process may use.
        to: the URL of the database.
        storage: the URL of the bucket.
        report: gets a line after each step.

    Raises:
        ConfigError, StartError: it cannot be moved; one line that says why. The source is as it was.
    """
    _require_urls(config, to, storage)
    database = _database(config)
    with closing(DataLock.take(config.data_dir)):
        secret = _require_complete(config, database)
        bucket, url = _bucket(storage), _named(to)
        with reading(bucket):
            has_files = next(bucket.list_stats(), None) is not None
        source = Signer(secret).derive("move")[:8]
        place = hashlib.sha256(storage.encode()).hexdigest()[:8]
        moving.begin(url, source, place, has_files=has_files)
        summary = _copy(config, database, (url, storage, bucket), report)
        moving.complete(url)
    return f"{summary}\n{_settings(config, to, storage)}"


def _bucket(storage: str) -> S3Objects:
    links_of(storage, STORAGE)  # raises what a start would
    return open_bucket(storage, STORAGE, options=(*OPTIONS, PUBLIC))


def _copy(config: AppConfig, database: Path, target: tuple[str, str, S3Objects], report: Report) -> str:
    url, storage, bucket = target
    folder = DataFolder(config.data_dir)
    jobs = list(unfinished_jobs(database, folder))
    files, missing = _files(config, database, folder, jobs)
    report(f"{counted(len(files), 'file')} to copy.")
    copy = BucketCopy(bucket, files, report)
    sent = copy.upload()
    rows = moving.count_rows(database)
    report(f"Copying {counted(sum(rows.values()), 'row')}.")
    moving.copy_rows(database, url)
    moving.require_rows(url, rows)
    size = copy.verify()
    with tempfile.TemporaryDirectory() as cache:
        settle(url, open_storage(storage, Path(cache)), folder, jobs, ended_with_folder(database, folder))
    if missing:
        report(f"{counted(len(missing), 'file')} of the database could not be found here, such as {missing[0]}.")
    things = ", ".join(counted(rows[f"{name}s"], name) for name in ("session", "generation", "event"))
    return (
        f"Moved, and checked: {things}, {counted(len(files), 'file')} ({size / 1e6:.1f} MB, {sent} sent by this run)."
    )


def _require_urls(config: AppConfig, to: str, storage: str) -> None:
    if not (to and storage):
        raise StartError(
            "Expected both --to postgresql://user:password@host/name and --storage s3://bucket/prefix: a worker on "
            f"another host does not see what is on this one. {'--storage' if to else '--to'} is missing."
        )
    if not _is_postgresql(to):
        raise ConfigError("--to", "a URL such as postgresql://user:password@host/name", shown("", to))
    if not (storage.startswith("s3://") and urlsplit(storage).netloc):
        raise ConfigError(STORAGE, "a bucket such as s3://bucket/prefix?endpoint=https://...", storage)
    if config.uses_postgresql:
        raise StartError(
            "VIDEOGEN_DATABASE_URL is PostgreSQL, and what moves is an installation with SQLite: run the command with "
            "the settings of that one."
        )


def _is_postgresql(url: str) -> bool:
    try:
        parts = make_url(url)
        return parts.drivername == "postgresql" and bool(parts.database)
    except (ArgumentError, ValueError):
        return False


def _database(config: AppConfig) -> Path:
    path = Path(make_url(config.database).database or "")
    if not path.exists():
        raise StartError(f"There is no database {path}: nothing to move. See VIDEOGEN_DATA_DIR.")
    return path


def _require_complete(config: AppConfig, database: Path) -> bytes:
    """Check that the source can be moved as it is; return its secret key."""
    require_sound(database, has_files=True)
    with read_only(database) as connection:
        if (found := sqlite_revision(connection)) != HEAD:
            raise StartError(
                f"The database {database} is at revision {found}, and this videogen needs {HEAD}. Run "
                "`videogen migrate` first, without --to."
            )
        if connection.execute(_UNSETTLED).fetchone()[0]:
            raise StartError(
                "The data folder was restored from a snapshot, and has not been started since: start `videogen serve` "
                "once, so that it is decided what becomes of the jobs."
            )
    path, given = config.data_dir / SECRET_FILE, config.secret_key.encode()
    stored = path.read_bytes().strip() if path.exists() else b""
    if stored and given and stored != given:
        raise StartError(
            f"VIDEOGEN_SECRET_KEY is not the key in {path}. Unset it; or, if the app ran with it, move that file away: "
            "sessions and links hold only with the key that they were made with."
        )
    if not (stored or given):
        raise StartError(f"There is no {path}: set VIDEOGEN_SECRET_KEY to the key of this installation.")
    return stored or given


def _files(
    config: AppConfig, database: Path, folder: DataFolder, jobs: list[Unfinished]
) -> tuple[Mapping[str, Path], list[str]]:
    """The files to copy, by key; and the keys of those that the database names, and that are not here."""
    with read_only(database) as connection:
        named = {str(key): folder.files / str(key) for (key,) in connection.execute(_KEYS)}
    missing = sorted(key for key, path in named.items() if not path.is_file())
    if missing and config.snapshot_url:
        raise StartError(
            f"{counted(len(missing), 'file')} may still be in the snapshots only, such as {missing[0]}: let "
            "`videogen serve` fetch them first, or unset VIDEOGEN_SNAPSHOT_URL to go without them."
        )
    here = {key: path for key, path in named.items() if path.is_file()}
    return here | {key: path for job in jobs for key, path in job.files.items()}, missing


def _named(to: str) -> str:
    """The URL, by which the server shows whose connections they are."""
    return make_url(to).update_query_dict({"application_name": moving.APPLICATION}).render_as_string(False)


def _settings(config: AppConfig, to: str, storage: str) -> str:
    path = config.data_dir.absolute() / SECRET_FILE
    secret = f'"$(cat {shlex.quote(str(path))})"' if path.exists() else "...     # as it is set here"
    lines = [
        "Start all processes of the new installation with the credentials of the bucket and these (*** as in --to):",
        f"  VIDEOGEN_DATABASE_URL={shlex.quote(str(shown('', to)))}",
        f"  VIDEOGEN_STORAGE_URL={shlex.quote(storage)}",
        f"  VIDEOGEN_SECRET_KEY={secret}",
        f"{config.data_dir} is as it was. Do not start the app on it again: what is made there would not move.",
    ]
    return "\n".join(lines)
