import os
import socket
from pathlib import Path

import pytest

from tests.support.folders import read_only_folder
from videogen.core.errors import StartError
from videogen.core.lock import DataLock
from videogen.doctor import diagnose
from videogen.doctor.check_environment import file_system


def test_a_healthy_folder_has_no_fault_and_checks_change_nothing(home, faults):
    before = {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()}
    assert faults() == []
    assert {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()} == before
    assert diagnose(home.config).is_well


def test_a_folder_that_does_not_exist_is_no_fault(home):
    config = home.config.model_copy(update={"data_dir": home.root / "none", "database_url": ""})
    for fix in (False, True):
        assert diagnose(config, fix=fix).is_well
    assert not (home.root / "none").exists()


def test_a_folder_that_cannot_be_written_is_a_fault(home, tmp_path):
    config = home.config.model_copy(update={"data_dir": read_only_folder(tmp_path / "locked")})
    (fault,) = [finding for finding in diagnose(config).findings if finding.check == "data folder"]
    assert (fault.level, "cannot be written" in fault.text) == ("fault", True)
    assert "chown" in fault.repair


def test_a_file_instead_of_the_folder_is_a_fault(home, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    config = home.config.model_copy(update={"data_dir": tmp_path / "file"})
    assert any("is not a folder" in finding.text for finding in diagnose(config).findings if finding.level == "fault")


def test_less_free_space_than_the_reserve_is_a_fault(home):
    config = home.config.model_copy(update={"reserve_mb": 10**12})
    (fault,) = [finding for finding in diagnose(config).findings if finding.check == "data folder"]
    assert (fault.level, "almost full" in fault.text) == ("fault", True)
    assert "Free some space" in fault.repair


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt/share rw - nfs4 server:/export rw
31 22 0:41 / /mnt/my\\040bucket rw - fuse.s3fs s3fs rw
32 22 0:42 / /dev/shm rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/data", "ext4"),
        ("/mnt/share/videogen", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/my bucket/data", "fuse.s3fs"),
        ("/dev/shm", "tmpfs"),
    ],
)
def test_the_file_system_of_a_folder_is_detected(tmp_path, folder, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system(Path(folder), mounts) == kind
    assert file_system(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(("kind", "level"), [("nfs4", "fault"), ("fuse.s3fs", "fault"), ("tmpfs", "warning")])
def test_a_network_file_system_is_a_fault(home, faults, monkeypatch, kind, level):
    monkeypatch.setattr("videogen.doctor.check_environment.file_system", lambda folder: kind)
    ((check, found, text),) = faults()
    assert (check, found) == ("file system", level)
    assert kind in text


def test_a_secret_that_others_can_read_is_a_fault_and_is_protected(home, faults, fixed):
    key = home.root / "secret.key"
    key.chmod(0o644)
    ((check, level, text),) = faults()
    assert (check, level) == ("secret", "fault")
    assert "644" in text
    assert key.stat().st_mode & 0o777 == 0o644, "a look changes nothing"
    assert fixed() == (f"{key} can now be read by its owner only (mode 600)",)
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_too_short_is_a_fault(home, faults):
    (home.root / "secret.key").write_text("short")
    ((check, level, text),) = faults()
    assert (check, level) == ("secret", "fault")
    assert "got 5" in text


def test_a_used_port_is_a_fault_unless_a_server_runs(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = home.config.model_copy(update={"port": taken.getsockname()[1]})
        (found,) = [finding for finding in diagnose(config).findings if finding.check == "port"]
        assert found.level == "fault"
        assert "VIDEOGEN_PORT" in found.repair
        lock = DataLock.take(home.root)
        (found,) = [finding for finding in diagnose(config).findings if finding.check == "port"]
        assert found.level == "ok"
        lock.close()


def test_every_engine_is_checked(home, tmp_path):
    (tmp_path / "needs.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "own.toml").write_text(
        "[[engine]]\nid = 'one'\nkind = 'procedural'\nconcurrency = 3\n[[engine]]\nid = 'two'\nkind = 'needs.py:x'\n"
    )
    (tmp_path / "wrong.toml").write_text("[[engine]]\nid = 'one'\nkind = 'procedural'\nspeed = 3\n")
    files = (str(tmp_path / "own.toml"), str(tmp_path / "wrong.toml"))
    engines = ("procedural", "no_such_engine", "tests/fakes.py:bars", *files)
    config = home.config.model_copy(update={"engines": engines})
    found = [finding for finding in diagnose(config).findings if finding.check == "engine"]
    assert [finding.level for finding in found] == ["ok", "fault", "ok", "ok", "warning", "fault"]
    assert "no_such_engine" in found[1].text
    assert "one 2 can render here, 3 at once" in found[3].text
    assert found[4].text == "two cannot render here"
    assert "'nothing_of_this_name', which is not installed. Install it" in found[4].repair
    assert "[[engine]] 'one': speed: expected one of the keys" in found[5].text


def test_repairs_are_refused_while_a_server_runs(home):
    lock = DataLock.take(home.root)
    with pytest.raises(StartError, match=rf"process {os.getpid()}\) works on"):
        diagnose(home.config, fix=True)
    assert any(f"process {os.getpid()}" in finding.text for finding in diagnose(home.config).findings)
    lock.close()
    assert diagnose(home.config, fix=True).is_well
