"""Freed memory goes back to the system."""

import subprocess
import sys

import pytest

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
