"""The command, run as a process on the data folder of a real server."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.api import Session
from tests.support.app import environment, run_to_end
from tests.support.damage import damage_table
from videogen.doctor import Diagnosis, Finding, Level
from videogen.doctor.diagnosis import show
from videogen.media.probe import probe


def _doctor(data_dir, *options, **settings):
    return run_to_end("-m", "videogen", "doctor", *options, env=environment(data_dir, **settings))


def test_the_doctor_repairs_a_damaged_database_and_the_server_starts_again(running_app, tmp_path):
    app = running_app()
    with Session(app.base_url) as session:
        made = session.finish(session.submit("bars")["id"])

        busy = _doctor(app.data_dir, port=app.base_url.rpartition(":")[2])
        assert (busy.returncode, busy.stderr) == (0, "")
        assert f"process {app.pid} uses the data folder" in busy.stdout
        refused = _doctor(app.data_dir, "--fix")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"videogen doctor cannot run. Another videogen (process {app.pid}) works on")

        app.stop()
        damage_table(app.data_dir / "videogen.sqlite", "files")
        damage_table(app.data_dir / "videogen.sqlite", "events")
        run = _doctor(app.data_dir, "--json")
        assert run.returncode == 1
        diagnosis = json.loads(run.stdout)
        assert (diagnosis["ok"], diagnosis["repairs"]) == (False, [])
        (fault,) = [finding for finding in diagnosis["findings"] if finding["level"] == "fault"]
        assert (fault["check"], fault["fixable"]) == ("database", True)
        assert "videogen doctor --fix" in fault["repair"]

        repaired = _doctor(app.data_dir, "--fix")
        assert repaired.returncode == 0, repaired.stdout
        assert "is rebuilt with" in repaired.stdout
        assert "\033" not in repaired.stdout, "no colours without a terminal"

        app.start()
        again = session.read(made["id"])
        assert again["status"] == "completed"
        path = tmp_path / "video.mp4"
        path.write_bytes(session.http.get(again["videoUrl"]).raise_for_status().content)
        assert probe(path).num_frames == 4
        assert [frame.event for frame in session.follow(made["id"], 0)][-1] == "render_result"
        newer = session.finish(session.submit("bars")["id"])
        with closing(sqlite3.connect(app.data_dir / "videogen.sqlite")) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert newer["status"] == "completed"


def test_a_wrong_setting_is_reported_like_by_the_server(tmp_path):
    done = _doctor(tmp_path, workers="many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("videogen doctor cannot run. VIDEOGEN_WORKERS: expected ")


def _findings():
    return (
        Finding(Level.OK, "data folder", "all is as it should be"),
        Finding(Level.WARNING, "secret", "word " * 30, "mend it"),
        Finding(Level.FAULT, "database", "a page is damaged", "restore it", lambda: "done"),
    )


def test_a_terminal_gets_colours_and_wrapped_lines():
    lines = show(Diagnosis(_findings()), width=70).splitlines()
    plain = [line.replace("\033[0m", "") for line in lines]
    for mark in ("\033[32m", "\033[33m", "\033[1;31m"):
        assert any(mark in line for line in plain)
        plain = [line.replace(mark, "") for line in plain]
    assert all(len(line) <= 70 for line in plain[:-2])
    assert all(line.startswith(" " * 2) for line in plain[:-2])


def test_plain_output_has_one_line_for_each_finding():
    text = show(Diagnosis(_findings()))
    assert "\033" not in text
    lines = text.splitlines()
    assert [line.split()[0] for line in lines if line] == ["ok", "warning", "->", "FAULT", "->", "1"]
    assert lines[-1].startswith("1 fault and 1 warning. ")
    assert "videogen doctor --fix" in lines[-1]


@pytest.mark.parametrize(("findings", "ends"), [((), "All is well."), (_findings()[:2], "1 warning.")])
def test_the_last_line_is_a_summary(findings, ends):
    assert show(Diagnosis(findings)).splitlines()[-1] == ends
