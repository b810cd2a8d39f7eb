"""Freed memory goes back to the system; the memory of other processes is counted."""

import os
import subprocess
import sys
import tempfile

import pytest

from videogen.core.memory import machine_memory, process_memory

PROGRAM = """
import ctypes, psutil
from videogen.core.memory import return_free_memory
blocks = [ctypes.create_string_buffer(100_000) for _ in range(1000)]
last = ctypes.create_string_buffer(100_000)  # holds the end of the heap, so that nothing is returned by itself
for block in blocks:
    ctypes.memset(block, 1, len(block))
del blocks, block
before = psutil.Process().memory_info().rss
return_free_memory()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_memory_goes_back_to_the_system():
    returned = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(returned.stdout) > 50_000_000


# A process that takes 100 MB of memory and maps a file of 50 MB, after `DEPTH` processes that only wait for the next.
TAKER = """
import mmap, subprocess, sys
depth, path = int(sys.argv[1]), sys.argv[2]
if depth:
    sys.exit(subprocess.run([sys.executable, "-c", sys.argv[3], str(depth - 1), path, sys.argv[3]]).returncode)
taken = b"1" * 100_000_000
with open(path, "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
sum(mapped[::4096])
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def weights():
    """A file on a disk: pytest's own folder may be in memory, where mapped files count."""
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.write(bytes(50_000_000))
        file.flush()
        yield file.name


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc elsewhere")
@pytest.mark.parametrize("depth", [0, 2])
def test_the_memory_of_a_process_is_that_of_its_descendants_too_without_mapped_files(weights, depth):
    command = [sys.executable, "-c", TAKER, str(depth), weights, TAKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "taken\n"
        taken = process_memory(process.pid)
        process.stdin.close()
    assert 100_000_000 < taken < 148_000_000
    assert process_memory(process.pid) == 0, "it has ended"


def test_the_memory_of_this_machine_is_more_than_that_of_this_process():
    assert process_memory(os.getpid()) < machine_memory()
