"""Reads the zip of an export. The zip comes from anybody, so every name, size, checksum and file is checked.

People unzip an export, look at it, and zip it again with the program at hand. So outer folders, the hidden files of
their systems and every way of writing names are accepted.
"""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from pydantic import ValidationError

from videogen.core.errors import NotAnExportError, StorageError
from videogen.core.validation import faults
from videogen.media.check import CheckError, check_files
from videogen.schemas.export_manifest import FORMAT, MAX_BYTES, MAX_ENTRIES, NAME, VERSION, ExportedFile, Manifest

CHUNK_BYTES: Final = 256 * 1024
MAX_RATIO: Final = 200
"""Highest allowed ratio of unpacked to packed size. Videos and pictures hardly shrink, zip bombs do."""
MAX_FILES: Final = 7 * MAX_ENTRIES
"""Files and folders in a zip: three files for each generation, each with a hidden one of a Mac, and some more."""
MAX_DIRECTORY_BYTES: Final = 32 * 1024 * 1024
"""Size of the zip's table of contents, which Python reads into memory."""
_ENTRY: Final = b"PK\x01\x02"
_UTF_8_NAME: Final = 0x800
_HEADER_BYTES: Final = 30
_HIDDEN: Final = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized"})
_BROKEN: Final = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError),
)
"""What zipfile raises for broken zips."""


@dataclass(frozen=True, slots=True)
class ExportArchive:
    """An opened export: its manifest, and the files of the zip by the paths that the manifest gives them."""

    zip: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]
    manifest: Manifest


class _ZipReader(io.FileIO):
    """The file of a zip. It refuses a table of contents that would take too much memory before it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise NotAnExportError("Expected a zip with a table of contents of a few megabytes, got a huge one.")
        data = super().read(-1 if size is None else size) or b""
        if size and data.count(_ENTRY) > MAX_FILES:
            raise NotAnExportError(f"Expected a zip of at most {MAX_FILES} files, got more.")
        return data


@contextmanager
def open_export(path: Path, max_bytes: int) -> Iterator[ExportArchive]:
    """Open the zip at `path`, check its table of contents, and read its manifest.

    Raises:
        NotAnExportError: it is no zip of `GET /export`, is damaged, unpacks to more than `max_bytes` or is malicious.
    """
    try:
        with _ZipReader(path) as file, _open(file) as archive:
            members = _find_members(archive.infolist())
            manifest = _read_manifest(archive, members)
            _check_size(members, _references(manifest), max_bytes)
            yield ExportArchive(archive, members, manifest)
    except _BROKEN as problem:
        raise NotAnExportError(
            f"Expected a whole zip of `export`, got one that cannot be read ({str(problem)[:100]})."
        ) from problem


def _open(file: _ZipReader) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except OSError as problem:  # an offset that leads out of the file
        raise zipfile.BadZipFile(problem.strerror) from problem


def _find_members(found: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The files by path, without outer folders and without what systems add to folders."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in found:
        name = _name(member)
        if name.endswith("/") or _is_hidden(name):
            continue
        _check_member(name, member)
        if name in members:
            raise NotAnExportError(f"{name[:100]}: expected each file once, got two with this name.")
        members[name] = member
    manifests = [name for name in members if name.rpartition("/")[2] == NAME]
    outer = min(manifests, key=len, default="").removesuffix(NAME)
    if not manifests or not all(name.startswith(outer) for name in members):
        raise NotAnExportError(
            f"Expected a zip with {NAME} in it, got one without. Only exports of videogen can be imported. "
            f"If you have unpacked one, zip the folder that has {NAME} in it, with nothing beside it."
        )
    _check_overlaps(list(members.values()))
    return {name.removeprefix(outer): member for name, member in members.items()}


def _name(member: zipfile.ZipInfo) -> str:
    """The name with slashes, as composed Unicode: Windows writes backslashes, macOS takes accents apart."""
    name = member.orig_filename
    if not member.flag_bits & _UTF_8_NAME:
        # macOS and Info-ZIP write UTF-8 without saying so, and Python then reads it as the character set of DOS.
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            name = member.orig_filename
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")


def _is_hidden(name: str) -> bool:
    *folders, last = name.split("/")
    return "__MACOSX" in folders or last.startswith("._") or last.lower() in _HIDDEN


def _check_member(name: str, member: zipfile.ZipInfo) -> None:
    """Raise if the file is no plain file, or is a bomb. Nothing is written under its name in any case."""
    parts = name.split("/")
    if member.header_offset < 0:
        raise zipfile.BadZipFile("a file begins before the zip")
    if name.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in name:
        raise NotAnExportError(f"Expected plain file names, got {name[:100]!r}.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise NotAnExportError(f"{name[:100]}: expected a file, got a link or a device.")
    if member.flag_bits & 0x1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotAnExportError(
            f"{name[:100]}: expected a file without a password, stored or deflated. Zip the folder again that way."
        )
    if member.file_size > MAX_RATIO * (member.compress_size + 1024):
        raise NotAnExportError(
            f"{name[:100]}: expected a file that unpacks to at most {MAX_RATIO} times its size, "
            f"got {member.file_size} bytes out of {member.compress_size}."
        )


def _check_overlaps(members: list[zipfile.ZipInfo]) -> None:
    """Raise if two files share bytes of the zip: so a small zip unpacks to a lot."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise NotAnExportError(f"{_name(member)[:100]}: expected bytes of its own, got those of another file.")
        end = member.header_offset + _HEADER_BYTES + member.compress_size


def _references(manifest: Manifest) -> list[ExportedFile]:
    files = [(entry.result, entry.poster, entry.last_frame) for entry in manifest.generations]
    return [file for of_one in files for file in of_one if file is not None]


def _check_size(members: Mapping[str, zipfile.ZipInfo], files: Sequence[ExportedFile], max_bytes: int) -> None:
    """Raise if the manifest names a path twice, or if what it names is more than `max_bytes` when unpacked."""
    paths = [unicodedata.normalize("NFC", file.path) for file in files]
    if len(set(paths)) < len(paths):
        raise NotAnExportError(f"{NAME}: expected each file to belong to one generation, got one that is named twice.")
    total = sum(members[path].file_size for path in paths if path in members)
    if total > max_bytes:
        raise NotAnExportError(
            f"Expected at most {max_bytes} bytes when unpacked (VIDEOGEN_MAX_IMPORT_MB), got {total}."
        )


def _read_manifest(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> Manifest:
    member = members[NAME]
    if member.file_size > MAX_BYTES:
        raise NotAnExportError(f"{NAME}: expected at most {MAX_BYTES} bytes, got {member.file_size}.")
    packed = archive.read(member)
    try:
        content = orjson.loads(packed)
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
        raise NotAnExportError(
            f"{NAME}: {first['field']} must be {first['expected']}; this was {first['got']}."
        ) from None
    ids = [entry.id for entry in manifest.generations]
    if len(set(ids)) < len(ids):
        raise NotAnExportError(f"{NAME}: expected each generation once.")
    for entry in manifest.generations:
        if (entry.status == "completed") != (entry.result is not None):
            raise NotAnExportError(f"{NAME}: {entry.id}: expected a result if it is completed, and only then.")
    return manifest


def extract(export: ExportArchive, file: ExportedFile, path: Path) -> None:
    """Unpack one file of the zip to `path`, and check its size and its checksum. See `check_media` for its content.

    Raises:
        NotAnExportError: it is missing, or is not what the manifest says.
        StorageError: the disk is full or cannot be written.
    """
    digest = hashlib.sha256()
    member = export.members.get(unicodedata.normalize("NFC", file.path))
    if member is None:
        raise NotAnExportError(f"{file.path}: the manifest names this file, but the zip does not have it.")
    if member.file_size != file.size_bytes:
        raise NotAnExportError(f"{file.path}: expected the size and the checksum of the manifest, got others.")
    try:
        with export.zip.open(member) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
    except OSError as problem:
        raise StorageError(f"The import could not be unpacked: {problem.strerror}.") from problem
    if digest.hexdigest() != file.sha256:
        raise NotAnExportError(f"{file.path}: expected the size and the checksum of the manifest, got others.")


def check_media(unpacked: Mapping[Path, tuple[str, ExportedFile]]) -> None:
    """Check that each unpacked file is what its kind (`video`, `image` or `poster`) says.

    Raises:
        NotAnExportError: one is something else, is not whole, or takes too much time or memory to read.
        StorageError: they could not be checked.
    """
    for path, (kind, file) in unpacked.items():
        if (path.suffix == ".mp4") != (kind == "video"):
            raise NotAnExportError(f"{file.path}: expected {'an MP4' if kind == 'video' else 'a PNG or a JPEG'}.")
    paths = list(unpacked)
    try:
        check_files(paths)
    except CheckError as problem:
        kind, file = unpacked[paths[problem.index]]
        expected = "a whole video" if kind == "video" else "a whole picture"
        raise NotAnExportError(f"{file.path}: expected {expected}, got {problem.detail}.") from None
