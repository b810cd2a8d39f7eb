import os
import subprocess
import sys

import pytest

from videogen.core.errors import ConfigError, StartError
from videogen.core.lock import DataLock, holder

HOLD = """
import sys
from pathlib import Path
from videogen.core.lock import DataLock
lock = DataLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_process_at_a_time_has_the_lock_and_the_other_gets_its_id(tmp_path):
    assert holder(tmp_path) is None
    lock = DataLock.take(tmp_path)
    assert holder(tmp_path) == os.getpid()
    with pytest.raises(StartError, match=rf"\(process {os.getpid()}\) works on .+VIDEOGEN_DATA_DIR"):
        DataLock.take(tmp_path)
    lock.close()
    lock.close()
    assert holder(tmp_path) is None
    DataLock.take(tmp_path).close()


def test_a_dead_process_releases_the_lock_whatever_the_file_contains(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "held\n"
        assert holder(tmp_path) == child.pid
        with pytest.raises(StartError, match=rf"process {child.pid}\)"):
            DataLock.take(tmp_path)
        child.kill()
        child.wait(20)
    assert (tmp_path / "videogen.lock").read_text() == f"{child.pid}\n"
    assert holder(tmp_path) is None
    DataLock.take(tmp_path).close()


def test_a_folder_that_cannot_be_created_is_an_error_that_names_the_setting(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="VIDEOGEN_DATA_DIR"):
        DataLock.take(tmp_path / "file" / "data")
