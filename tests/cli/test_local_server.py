"""The commands without a running app: they start one on the user's data folder."""

import signal

import psutil

from tests.cli.conftest import TINY
from tests.support.app import FAKES, App
from videogen.media.probe import probe


def test_generate_stores_the_video_for_the_next_command(home_without_app):
    home = home_without_app
    home.run_process("generate", "blue bars", *TINY, "-o", "out.mp4")
    assert probe(home.folder / "out.mp4").num_frames == 4
    assert "completed" in home.run("list")
    assert home.servers() == []


def test_next_command_continues_an_interrupted_generation(home_without_app):
    home = home_without_app
    slow = ("--engine", "slow", "--set", "delayMs=300", "--size", "64x64", "--seconds", "2", "--fps", "8")
    output, stderr, code = home.interrupt("generate", "x", *slow, at="rendering")
    generation = output.split()[0]
    assert code == 130, stderr
    assert f"{generation} is stored in {home.data}" in output
    assert f"videogen watch {generation}" in output
    assert home.servers() == []
    lines = home.lines("watch", generation, "-o", "later.mp4")
    assert lines[-1]["event"] == "saved"
    assert probe(home.folder / "later.mp4").num_frames == 16


def test_generate_uses_the_engines_of_an_engine_file(home_without_app):
    home = home_without_app
    table = f"[[engine]]\nid = 'wan'\nkind = '{FAKES}:bars'\ndefaults = {{width = 96, height = 64, fps = 8}}\n"
    (home.folder / "engines.toml").write_text(table)
    home.env["VIDEOGEN_ENGINES"] = "engines.toml"
    home.run_process("generate", "--engine", "wan", "blue bars", "--seconds", "0.5", "-o", "out.mp4")
    made = probe(home.folder / "out.mp4")
    assert (made.width, made.height, made.num_frames) == (96, 64, 4)
    assert home.servers() == []
    (home.folder / "engines.toml").write_text(f"{table}speed = 2\n")
    home.run_process("generate", "--engine", "wan", "blue bars", code=2)
    assert "engines.toml: [[engine]] 'wan': speed: expected one of the keys" in home.stderr


def test_killed_command_leaves_no_server(home_without_app):
    process = home_without_app.start("generate", "x", *TINY, "--engine", "until-cancelled")
    for line in process.stdout:
        if b"rendering" in line:
            break
    servers = home_without_app.servers()
    assert servers
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(servers, timeout=30)
    assert alive == []


def test_data_folder_of_another_app_is_refused(home_without_app):
    with App(home_without_app.data, ["bars"], page=False):
        home_without_app.run("list", code=2)
    assert "Another videogen" in home_without_app.stderr


def test_transfer_needs_an_app_that_keeps_running(home_without_app):
    home_without_app.run("transfer", code=2)
    assert "videogen serve" in home_without_app.stderr
