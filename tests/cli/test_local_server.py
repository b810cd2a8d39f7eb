"""With no app that runs: one of its own for as long as the command, on the user's data folder."""

import signal

import psutil

from tests.cli.conftest import TINY
from tests.support.app import App
from videogen.media import probe


def test_a_video_is_made_kept_and_found_again(alone):
    alone.run("generate", "blue bars", *TINY, "-o", "out.mp4")
    assert probe(alone.folder / "out.mp4").num_frames == 4
    assert "completed" in alone.run("list")
    assert alone.servers() == []


def test_what_was_left_goes_on_with_the_next_command(alone):
    slow = ("--engine", "slow", "--set", "delayMs=300", "--size", "64x64", "--seconds", "2", "--fps", "8")
    out, err, code = alone.interrupt("generate", "x", *slow, at="rendering")
    generation = out.split()[0]
    assert code == 130, err
    assert f"{generation} is kept in {alone.data}" in out
    assert f"videogen watch {generation}" in out
    assert alone.servers() == []
    told = alone.lines("watch", generation, "-o", "later.mp4")
    assert told[-1]["event"] == "saved"
    assert probe(alone.folder / "later.mp4").num_frames == 16


def test_a_killed_command_takes_its_app_along(alone):
    process = alone.start("generate", "x", *TINY, "--engine", "until-cancelled")
    for line in process.stdout:
        if b"rendering" in line:
            break
    servers = alone.servers()
    assert servers
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(servers, timeout=30)
    assert alive == []


def test_a_folder_that_another_app_holds_is_told(alone):
    with App(alone.data, ["bars"], page=False):
        alone.run("list", code=2)
    assert "Another videogen" in alone.err


def test_what_is_for_browsers_needs_an_app_that_stays(alone):
    alone.run("transfer", code=2)
    assert "videogen serve" in alone.err
