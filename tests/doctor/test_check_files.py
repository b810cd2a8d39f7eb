import os

import pytest

from videogen.core.lock import DataLock


def test_a_missing_video_is_a_fault_without_repair(home, faults, fixed):
    (home.files / f"{home.ids[0]}/a1-video.mp4").unlink()
    ((check, level, text),) = faults()
    assert (check, level) == ("files", "fault")
    assert home.ids[0] in text
    assert fixed() == ()
    assert len(faults()) == 1


def test_an_incomplete_video_is_a_fault(home, faults):
    (home.files / f"{home.ids[0]}/a1-video.mp4").write_bytes(b"half")
    ((check, level, text),) = faults()
    assert (check, level) == ("files", "fault")
    assert "missing or incomplete" in text


def test_a_missing_poster_is_a_warning(home, faults):
    (home.files / f"{home.ids[0]}/a1-poster.jpg").unlink()
    ((check, level, _),) = faults()
    assert (check, level) == ("files", "warning")


def test_stray_files_are_moved_and_not_deleted(home, faults, fixed):
    stray = home.root / "files" / "gen_unknown" / "a1-video.mp4"
    stray.parent.mkdir()
    stray.write_bytes(b"somebody's video")
    ((check, level, text),) = faults()
    assert (check, level) == ("stray files", "warning")
    assert "gen_unknown/a1-video.mp4" in text
    (done,) = fixed()
    assert "1 stray file moved to" in done
    (found,) = (home.root / "lost+found").rglob("a1-video.mp4")
    assert found.read_bytes() == b"somebody's video"
    assert not stray.parent.exists()
    assert faults() == []


def test_files_of_an_active_generation_are_not_stray(home, sql, faults):
    (home.root / "files" / home.ids[0] / "a2-preview.jpg").write_bytes(b"preview")
    assert [check for check, _, _ in faults()] == ["stray files"]
    sql("UPDATE generations SET status = 'processing' WHERE id = ?", home.ids[0])
    assert "stray files" not in [check for check, _, _ in faults()]


@pytest.mark.parametrize("name", ["work/gen_unknown/segments/00000.mp4", ".probe.1", ".secret.ab"])
def test_leftovers_of_a_crash_are_a_warning_and_are_removed(home, faults, fixed, name):
    place = home.root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"half")
    os.utime(place, (1, 1))
    ((check, level, _),) = faults()
    assert (check, level) == ("leftovers", "warning")
    assert fixed() == ("1 leftover removed",)
    assert not place.exists()


def test_the_work_folder_of_an_active_generation_is_kept(home, sql, faults, fixed):
    work = home.root / "work" / home.ids[0] / "segments"
    work.mkdir(parents=True)
    (work / "00000.mp4").write_bytes(b"a whole second")
    (work / ".00001.mp4.part").write_bytes(b"half a second")
    sql("UPDATE generations SET status = 'processing' WHERE id = ?", home.ids[0])
    sql("DELETE FROM events WHERE type = 'render_result' AND generation_id = ?", home.ids[0])
    ((check, level, text),) = faults()
    assert (check, level, text) == ("leftovers", "warning", "1 file of writes that were interrupted")
    fixed()
    assert [path.name for path in work.iterdir()] == ["00000.mp4"]


def test_scratch_files_of_a_running_server_are_ignored(home, faults):
    lock = DataLock.take(home.root)
    (home.root / "work" / "gen_new").mkdir(parents=True)
    assert faults() == []
    lock.close()
