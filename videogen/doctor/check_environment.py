"""Checks the environment: data folder, file system, secret key, port, engines and encoder."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.doctor.findings import FIX, Finding, amount, fault, ok, warning
from videogen.engines.availability import concurrency_of, why_unavailable
from videogen.engines.registry import load_engine, references_by_id
from videogen.storage import DataFolder

NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs"),
        *("ocfs2", "gfs2", "virtiofs", "vboxsf"),
    }
)
"""File systems of other machines: the locks and the shared memory of SQLite do not work there."""
_MOUNTS: Final = Path("/proc/self/mountinfo")


def folder(config: AppConfig) -> Iterator[Finding]:
    """Check that the data folder can be written, has enough free space, and is on a disk of this machine."""
    root = config.data_dir
    if not root.exists():
        yield ok("data folder", f"{root} does not exist yet; the first start makes it")
        return
    if not root.is_dir():
        yield fault("data folder", f"{root} is not a folder", "Move it away, or set VIDEOGEN_DATA_DIR to a folder.")
        return
    data_folder = DataFolder(root, config.reserve_mb * 1_000_000)
    data_folder.note_fault()  # so that `shortage` tries to write
    if (shortage := data_folder.shortage()) is not None:
        repair = "Free some space, or set VIDEOGEN_DATA_DIR to a larger disk." if "full" in shortage else _PERMISSIONS
        yield fault("data folder", f"{root}: {shortage[:1].lower()}{shortage[1:].rstrip('.')}", repair)
    else:
        yield ok("data folder", f"{root} can be written; {amount(data_folder.free_bytes())} free")
    kind = file_system(root)
    if kind in NETWORK or (kind or "").startswith("fuse"):
        yield fault(
            "file system",
            f"{root} is on {kind}, where the database can hang or be damaged",
            "Move the data folder to a disk of this machine; see docs/operations.md.",
        )
    elif kind in ("tmpfs", "ramfs"):
        yield warning("file system", f"{root} is on {kind}: all data is lost when this machine or container stops")
    elif kind is not None:
        yield ok("file system", f"{kind}, on this machine")


_PERMISSIONS: Final = "Give the user that runs videogen the right to write there: chown -R USER FOLDER."


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the file system of a folder, such as `ext4`; None if it is not known.

    `mounts` has the format of `/proc/self/mountinfo`; see proc(5).
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    path = folder.resolve()
    longest, kind = -1, None
    for line in lines:
        fields, _, rest = line.partition(" - ")
        mount = Path(fields.split()[4].encode().decode("unicode_escape"))
        if path.is_relative_to(mount) and len(mount.parts) >= longest:
            longest, kind = len(mount.parts), rest.split()[0]
    return kind


def secret(config: AppConfig) -> Iterator[Finding]:
    """Check that the key that signs links is long enough, and that only its owner can read it."""
    path = config.data_dir / "secret.key"
    if config.secret_key:
        yield ok("secret", "set by VIDEOGEN_SECRET_KEY")
        return
    try:
        mode, size = stat.S_IMODE(path.stat().st_mode), len(path.read_bytes().strip())
    except FileNotFoundError:
        yield ok("secret", "does not exist yet; the first start makes it")
        return
    except OSError as problem:
        yield fault("secret", f"{path} cannot be read: {problem.strerror}", _PERMISSIONS)
        return
    if size < 16:
        yield fault(
            "secret",
            f"{path}: expected at least 16 bytes, got {size}",
            f"Restore it from a backup; or remove it, which makes a new key and ends all links: rm {path}",
        )
    elif mode & 0o077:
        yield fault(
            "secret",
            f"{path} can be read by other users (mode {mode:o}), who could then make links to every file",
            f"chmod 600 {path}, or {FIX}",
            lambda: _protect(path),
        )
    else:
        yield ok("secret", f"{path.name}, mode {mode:o}")


def _protect(path: Path) -> str:
    path.chmod(0o600)
    return f"{path} can now be read by its owner only (mode 600)"


def port(config: AppConfig, holder: int | None) -> Iterator[Finding]:
    """Check that the port is free, or used by the server of this data folder."""
    if config.port == 0:
        yield ok("port", "any free port")
        return
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    what = f"{config.port} on {config.host}"
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as problem:
            if holder is not None:
                yield ok("port", f"{what} is used, which is normal while a server runs")
            else:
                repair = "Set VIDEOGEN_PORT to another port (0: any free port)."
                yield fault("port", f"{what}: {problem.strerror}", repair)
        else:
            yield ok("port", f"{what} is free")


def engines(config: AppConfig) -> Iterator[Finding]:
    """Check that every configured engine can be loaded, and can render on this machine."""
    for written in config.engines:
        try:
            found = references_by_id((written,))
        except ConfigError as problem:
            yield fault("engine", problem.detail.rstrip("."), "Correct VIDEOGEN_ENGINES, or install the engine.")
            continue
        for name, reference in found.items():
            engine = load_engine(reference)
            if (reason := why_unavailable(engine)) is not None:
                yield warning("engine", f"{name} cannot render here", reason)
            else:
                count = concurrency_of(engine, config.workers)
                yield ok("engine", f"{name} {engine.version} can render here, {count} at once")


def encoder() -> Iterator[Finding]:
    """Check that videos and posters can be encoded."""
    import av
    from PIL import features

    try:
        av.codec.Codec("libx264", "w")
    except Exception as problem:  # errors of FFmpeg have no other common base class here
        yield fault("encoder", f"PyAV {av.__version__} has no libx264: {problem}", _REINSTALL)
    else:
        if features.check("jpg"):
            yield ok("encoder", f"libx264 in PyAV {av.__version__}, JPEG in Pillow")
        else:
            yield fault("encoder", "Pillow cannot write JPEG", _REINSTALL)


_REINSTALL: Final = "Install the wheel from PyPI again: python -m pip install --force-reinstall av pillow"
