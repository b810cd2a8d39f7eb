"""Commands on streams that do not have all letters, are closed, or whose reader has gone."""

import io
import json
import os
import subprocess
import sys

import pytest

from videogen.__main__ import main
from videogen.cli.output import open_output
from videogen.core.streams import prepare_streams
from videogen.schemas.events import RenderProgress

PROMPT = "naïve 東京 🌊"
NO_LETTERS = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


class Terminal(io.TextIOWrapper):
    """A terminal with an old encoding."""

    def isatty(self):
        return True


def test_letters_that_a_stream_does_not_have_are_replaced_or_escaped(home):
    home.env |= NO_LETTERS
    out = home.run_process("generate", PROMPT, "--detach", "--engine", "bars", "--json")
    assert out.isascii()
    assert json.loads(out)["generation"]["prompt"] == PROMPT
    home.env["PYTHONIOENCODING"] = "cp1252"
    assert "naïve ?? ?" in home.run_process("list").decode("cp1252")
    home.env["PYTHONIOENCODING"] = "utf-8"
    assert PROMPT in home.run_process("list", "--json").decode()


def test_progress_bars_on_a_terminal_with_an_old_encoding(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal(written, encoding="cp1252"))
    prepare_streams()
    output = open_output(sys.stdout, as_json=False)
    at = "2026-11-01T12:00:00Z"
    fields = {"projectId": "p", "requestId": "r", "status": "processing", "attempt": 1, "at": at, "stage": "東京"}
    output.update(RenderProgress.model_validate({"id": 1, "generationId": "gen_a", "progress": 40.0, **fields}))
    output.message(PROMPT)
    output.close()
    sys.stdout.flush()
    text = written.getvalue().decode("cp1252")
    assert "naïve ?? ?" in text
    assert "40%" in text


@pytest.mark.parametrize("arguments", [("engines",), ("--help",)])
def test_a_reader_that_has_gone_is_no_error(home, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    process = home.start(*arguments, stdout=writer)
    os.close(writer)
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 0


def test_closed_streams_lead_to_nowhere(home):
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "videogen", "engines"]
    assert subprocess.run(command, env=home.env, cwd=home.folder, timeout=60).returncode == 0


@pytest.mark.parametrize("before", [True, False])
def test_options_may_stand_before_the_command(home, app, before):
    options = ("--url", app.base_url, "--json")
    words = (*options, "engines") if before else ("engines", *options)
    out = home.run(*words, VIDEOGEN_URL="http://127.0.0.1:9")
    assert json.loads(out.splitlines()[0])["engine"]["id"] == "bars"


def test_options_for_a_command_are_refused_without_one(home):
    home.run("--url", "http://127.0.0.1:9", code=2)
    assert "--url" in home.stderr


def test_without_a_command_it_serves(home, monkeypatch):
    served = []
    monkeypatch.setattr("videogen.server.run.serve", lambda config, page: served.append(page) or 0)
    assert main([]) == 0
    assert served == [True]
