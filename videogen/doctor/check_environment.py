"""The world around the data: folder, disk, secret, port, engines, encoder."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.doctor.findings import FIX, Finding, amount, fault, ok, warning
from videogen.engines.registry import load_engine
from videogen.storage import DataFolder

NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs"),
        *("ocfs2", "gfs2", "virtiofs", "vboxsf"),
    }
)
"""File systems over a network or out of another machine: SQLite's locks and shared memory do not hold there."""
_MOUNTS: Final = Path("/proc/self/mountinfo")


def folder(config: AppConfig) -> Iterator[Finding]:
    """The data folder: there, writable, with room, on a disk of this machine."""
    root = config.data_dir
    if not root.exists():
        yield ok("data folder", f"{root} is not there yet; the first start makes it")
        return
    data_folder = DataFolder(root, config.reserve_mb * 1_000_000)
    data_folder.note_fault()  # so that `shortage` tries to write
    if not root.is_dir():
        yield fault(
            "data folder",
            f"{root} is no folder",
            "Move it away, or set VIDEOGEN_DATA_DIR to a folder.",
        )
        return
    if (lack := data_folder.shortage()) is not None:
        advice = "Free some space, or set VIDEOGEN_DATA_DIR to a larger disk." if "full" in lack else _PERMISSIONS
        yield fault("data folder", f"{root}: {lack[:1].lower()}{lack[1:].rstrip('.')}", advice)
    else:
        yield ok("data folder", f"{root} can be written; {amount(data_folder.free_bytes())} are free")
    kind = file_system(root)
    if kind in NETWORK or (kind or "").startswith("fuse"):
        yield fault(
            "file system",
            f"{root} is on {kind}, where a database can lock up or be damaged",
            "Move the data folder to a disk of this machine; see docs/operations.md.",
        )
    elif kind in ("tmpfs", "ramfs"):
        yield warning("file system", f"{root} is on {kind}: it is lost when this machine or container stops")
    elif kind is not None:
        yield ok("file system", f"{kind}, on this machine")


_PERMISSIONS: Final = "Give the user that runs videogen the right to write there: chown -R USER FOLDER."


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the file system that a folder is on, such as `ext4`; None where the system does not tell.

    The format of `mounts` is that of proc(5).
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    here = folder.resolve()
    best, found = -1, None
    for line in lines:
        fields, _, rest = line.partition(" - ")
        place = Path(fields.split()[4].encode().decode("unicode_escape"))
        if here.is_relative_to(place) and len(place.parts) >= best:
            best, found = len(place.parts), rest.split()[0]
    return found


def secret(config: AppConfig) -> Iterator[Finding]:
    """The key that signs links: there, long enough, nobody else's to read."""
    path = config.data_dir / "secret.key"
    if config.secret_key:
        yield ok("secret", "given by VIDEOGEN_SECRET_KEY")
        return
    try:
        mode, size = stat.S_IMODE(path.stat().st_mode), len(path.read_bytes().strip())
    except FileNotFoundError:
        yield ok("secret", "not there yet; the first start makes it")
        return
    except OSError as problem:
        yield fault("secret", f"{path} cannot be read: {problem.strerror}", _PERMISSIONS)
        return
    if size < 16:
        yield fault(
            "secret",
            f"{path}: expected at least 16 bytes, got {size}",
            f"Restore it from a backup; or remove it for a new one (links that were given away end): rm {path}",
        )
    elif mode & 0o077:
        yield fault(
            "secret",
            f"{path} may be read by others (mode {mode:o}): they could make links to every file",
            f"chmod 600 {path}, or {FIX}",
            lambda: _protect(path),
        )
    else:
        yield ok("secret", f"{path.name}, mode {mode:o}")


def _protect(path: Path) -> str:
    path.chmod(0o600)
    return f"{path} is now its owner's alone (mode 600)"


def port(config: AppConfig, holder: int | None) -> Iterator[Finding]:
    """The port: free, or taken by the server of this very folder."""
    if config.port == 0:
        yield ok("port", "any free one")
        return
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as problem:
            what = f"{config.port} on {config.host}"
            if holder is not None:
                yield ok("port", f"{what} is taken, as it should be while a server works on the data folder")
            else:
                yield fault("port", f"{what}: {problem.strerror}", "Choose another with VIDEOGEN_PORT (0: any free).")
            return
    yield ok("port", f"{config.port} on {config.host} is free")


def engines(config: AppConfig) -> Iterator[Finding]:
    """Every engine on offer: it loads, and says that it can render here."""
    for reference in config.engines:
        try:
            engine = load_engine(reference)
        except ConfigError as problem:
            yield fault("engine", problem.detail.rstrip("."), "Mend VIDEOGEN_ENGINES, or install the engine.")
            continue
        try:
            found = engine.probe()
        except Exception as problem:  # the border to an engine's own code
            yield fault("engine", f"{engine.id}: its probe fails: {problem}", "Tell whoever wrote the engine.")
            continue
        if found.available:
            yield ok("engine", f"{engine.id} {engine.version} can render here")
        else:
            yield warning("engine", f"{engine.id} cannot render here", found.reason or "It does not say why.")


def encoder(config: AppConfig) -> Iterator[Finding]:
    """The encoder of videos, and that of posters."""
    import av
    from PIL import features

    try:
        av.codec.Codec("libx264", "w")
    except Exception as problem:  # FFmpeg's errors have no common root beside Exception here
        yield fault("encoder", f"PyAV {av.__version__} has no libx264: {problem}", _REINSTALL)
        return
    if not features.check("jpg"):
        yield fault("encoder", "Pillow cannot write JPEG", _REINSTALL)
        return
    yield ok("encoder", f"libx264 in PyAV {av.__version__}, JPEG in Pillow")


_REINSTALL: Final = "Install the wheel from PyPI again: python -m pip install --force-reinstall av pillow"
