"""Reads the zip of an export. The zip comes from anybody, so every name, size, checksum and file is checked."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import orjson
from PIL import Image
from pydantic import ValidationError

from videogen.core.errors import NotAnExportError, StorageError
from videogen.core.validation import faults
from videogen.media.probe import BrokenMediaError, probe
from videogen.schemas.export_manifest import FORMAT, MAX_BYTES, MAX_ENTRIES, NAME, VERSION, ExportedFile, Manifest

CHUNK_BYTES: Final = 256 * 1024
MAX_RATIO: Final = 200
"""Highest allowed ratio of unpacked to packed size. Videos and pictures hardly shrink, zip bombs do."""
_PICTURE_FORMATS: Final = {"png": "PNG", "jpg": "JPEG"}


@contextmanager
def open_export(path: Path, max_bytes: int) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open the zip at `path`, check its table of contents, and read its manifest.

    Raises:
        NotAnExportError: it is no zip of `GET /export`, is damaged, unpacks to more than `max_bytes` or is malicious.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_contents(archive, max_bytes)
            yield archive, _read_manifest(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as problem:
        raise NotAnExportError(
            f"Expected a whole zip of `export`, got one that cannot be read ({problem})."
        ) from problem


def _check_contents(archive: zipfile.ZipFile, max_bytes: int) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if NAME not in names:
        raise NotAnExportError(
            f"Expected a zip with {NAME} in it, got one without. Only exports of videogen can be imported."
        )
    if len(members) > 2 * MAX_ENTRIES + 1 or len(set(names)) < len(names):
        raise NotAnExportError(f"Expected at most {2 * MAX_ENTRIES + 1} files, each name once, got {len(members)}.")
    for member in members:
        parts = member.filename.split("/")
        if member.filename.startswith("/") or "\\" in member.filename or ".." in parts or ":" in parts[0]:
            raise NotAnExportError(f"Expected plain file names, got {member.filename[:100]!r}.")
        if member.flag_bits & 0x1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotAnExportError(f"{member.filename[:100]}: expected a file without a password, stored or deflated.")
        if member.file_size > MAX_RATIO * (member.compress_size + 1024):
            raise NotAnExportError(
                f"{member.filename[:100]}: expected a file that unpacks to at most {MAX_RATIO} times its size, "
                f"got {member.file_size} bytes out of {member.compress_size}."
            )
    if (total := sum(member.file_size for member in members)) > max_bytes:
        raise NotAnExportError(
            f"Expected at most {max_bytes} bytes when unpacked (VIDEOGEN_MAX_IMPORT_MB), got {total}."
        )


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    member = archive.getinfo(NAME)
    if member.file_size > MAX_BYTES:
        raise NotAnExportError(f"{NAME}: expected at most {MAX_BYTES} bytes, got {member.file_size}.")
    try:
        content = orjson.loads(archive.read(member))
    except ValueError as problem:
        raise NotAnExportError(f"{NAME}: expected JSON, got something else ({problem}).") from problem
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise NotAnExportError(f'{NAME}: expected "format": "{FORMAT}", got another.')
    version = content.get("version")
    if isinstance(version, int) and version > VERSION:
        raise NotAnExportError(f"{NAME}: expected version {VERSION}, got {version}. Import it into a newer videogen.")
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as problem:
        first = faults(problem)[0]
        raise NotAnExportError(f"{NAME}: {first['field']}: expected {first['expected']}, got {first['got']}.") from None
    ids = [entry.id for entry in manifest.generations]
    if len(set(ids)) < len(ids):
        raise NotAnExportError(f"{NAME}: expected each generation once.")
    for entry in manifest.generations:
        if (entry.status == "completed") != (entry.result is not None):
            raise NotAnExportError(f"{NAME}: {entry.id}: expected a result if it is completed, and only then.")
    return manifest


def extract(archive: zipfile.ZipFile, file: ExportedFile, path: Path, *, is_video: bool) -> None:
    """Unpack one file of the zip to `path`, and check its size, its checksum and that it is a whole video or picture.

    Raises:
        NotAnExportError: it is missing, or is not what the manifest says.
        StorageError: the disk is full or cannot be written.
    """
    digest = hashlib.sha256()
    try:
        member = archive.getinfo(file.path)
    except KeyError:
        raise NotAnExportError(f"{file.path}: the manifest names this file, but the zip does not have it.") from None
    try:
        with archive.open(member) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
    except OSError as problem:
        raise StorageError(f"The import could not be unpacked: {problem.strerror}.") from problem
    if path.stat().st_size != file.size_bytes or digest.hexdigest() != file.sha256:
        raise NotAnExportError(f"{file.path}: expected the size and the checksum of the manifest, got others.")
    _check_media(file, path, is_video=is_video)


def _check_media(file: ExportedFile, path: Path, *, is_video: bool) -> None:
    try:
        if is_video:
            if path.suffix != ".mp4":
                raise NotAnExportError(f"{file.path}: expected an MP4.")
            probe(path)
            return
        if path.suffix[1:] not in _PICTURE_FORMATS:
            raise NotAnExportError(f"{file.path}: expected a PNG or a JPEG.")
        with Image.open(cast(BinaryIO, path), formats=[_PICTURE_FORMATS[path.suffix[1:]]]) as image:
            image.verify()
    except BrokenMediaError as problem:
        raise NotAnExportError(f"{file.path}: expected a whole video, got something else.") from problem
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        raise NotAnExportError(f"{file.path}: expected a whole picture, got something else.") from problem
