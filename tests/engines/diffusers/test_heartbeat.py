"""A slow load reports that it goes on; one that hangs does not."""

import queue
import threading

from videogen.engines.diffusers.heartbeat import Activity, Heartbeat, memory_gigabytes


def test_it_beats_at_the_start_and_while_there_is_activity():
    beats, looks = queue.SimpleQueue(), threading.Semaphore(0)
    answers = iter([True, False, False, True])

    def is_active():
        looks.release()
        return next(answers, False)

    with Heartbeat(lambda: beats.put(None), is_active, interval=0.001):
        for _ in range(6):
            looks.acquire()
    assert beats.qsize() == 3, "at the start, and at two of the looks"


def test_no_beat_comes_after_the_end():
    beats = []
    with Heartbeat(lambda: beats.append(1), lambda: True, interval=0.001):
        pass
    count = len(beats)
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
    assert len(beats) == count >= 1


def test_reading_and_computing_are_activity_and_waiting_is_not(tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(bytes(1 << 20))
    activity = Activity()
    assert not activity.has_grown()
    file.read_bytes()
    assert activity.has_grown()
    assert not activity.has_grown()
    assert memory_gigabytes() > 0
