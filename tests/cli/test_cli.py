"""Against an app that runs: what each command does, says, and how it ends."""

import json
import socket
import stat
from contextlib import closing

import httpx
import pytest

from tests.cli.conftest import TINY
from videogen.media import probe


def test_generate_follows_and_writes_the_file(home):
    out = home.run("generate", "blue bars", *TINY, "--seed", "7", "-o", "out.mp4")
    found = probe(home.folder / "out.mp4")
    assert (found.width, found.height, found.num_frames) == (64, 64, 4)
    lines = out.splitlines()
    assert lines[0].endswith("queued")
    assert lines[-1].startswith("out.mp4 (")
    assert "\x1b" not in out
    # Without a name it makes one, and takes no other file's place.
    (home.folder / "blue-bars.mp4").write_text("mine")
    home.run("generate", "Blue bars!", *TINY)
    assert (home.folder / "blue-bars.mp4").read_text() == "mine"
    assert probe(home.folder / "blue-bars-2.mp4").width == 64


def test_json_is_one_object_per_line(home):
    told = home.lines("generate", "blue bars", *TINY, "--set", "delayMs=1", "--engine", "slow", "-o", "out.mp4")
    kinds = [line["event"] for line in told]
    assert kinds[0] == "submitted"
    assert kinds[-3:] == ["render_result", "ended", "saved"]
    assert set(kinds[1:-3]) == {"render_progress"}
    assert told[-1]["sizeBytes"] == (home.folder / "out.mp4").stat().st_size
    assert told[0]["generation"]["id"] == told[-1]["generationId"]


def test_the_result_goes_to_standard_output_and_the_words_beside_it(home):
    home.run("generate", "blue bars", *TINY, "-o", "-")
    (home.folder / "piped.mp4").write_bytes(home.raw)
    assert probe(home.folder / "piped.mp4").num_frames == 4
    assert "queued" in home.err


def test_what_cannot_be_written_is_refused_before_anything_is_asked(home):
    (home.folder / "there.mp4").write_text("mine")
    for output in ("there.mp4", "no/folder.mp4", "."):
        assert home.run("generate", "x", *TINY, "-o", output, code=2) == ""
        assert home.err.startswith(f"videogen: -o {output}: ")
    assert home.run("list") == ""
    home.run("generate", "x", *TINY, "-o", "there.mp4", "--force")
    assert probe(home.folder / "there.mp4").width == 64


def test_a_generation_that_fails_is_exit_code_1(home):
    told = home.lines("generate", "x", *TINY, "--engine", "refuses", code=1)
    assert told[-1]["event"] == "ended"
    assert told[-1]["generation"]["status"] == "failed"
    assert not list(home.folder.glob("*.mp4"))


def test_what_the_server_refuses_is_exit_code_4_and_one_line(home):
    home.run("generate", "x", "--size", "64x64", "--fps", "900", code=4)
    assert home.err.count("\n") == 1
    assert "settings.fps: expected" in home.err
    failure = home.lines("watch", "gen_nobodys", code=4)[-1]
    assert (failure["event"], failure["code"], failure["exitCode"]) == ("failure", "not_found", 4)


def test_ctrl_c_leaves_it_running_and_says_how_to_come_back(home):
    out, _, code = home.interrupt("generate", "x", *TINY, "--engine", "until-cancelled", at="rendering")
    generation = out.split()[0]
    assert code == 130
    assert f"Come back with: videogen watch {generation}" in out
    assert home.lines("list")[0]["generation"]["status"] == "processing"
    assert "is being cancelled" in home.run("cancel", generation)
    home.run("watch", generation, code=1)


def test_what_was_made_is_listed_fetched_made_again_and_removed(home):
    made = home.lines("generate", "a first ship", *TINY, "--detach")[0]["generation"]["id"]
    home.run("watch", made)
    home.run("download", made, "-o", "first.mp4")
    again = home.lines("retry", made, "-o", "second.mp4")[0]["generation"]["id"]
    assert (home.folder / "first.mp4").stat().st_size == (home.folder / "second.mp4").stat().st_size
    assert [line.split()[0] for line in home.run("list").splitlines()] == [again, made]
    assert home.run("list", "--search", "whale", "--status", "completed") == ""
    home.run("delete", made)
    home.run("download", made, code=4)
    assert "bars" in home.run("engines")


def test_everything_goes_into_a_zip_and_comes_back(home, tmp_path_factory):
    home.run("generate", "a ship", *TINY, "-o", "out.mp4")
    home.run("export", "all.zip")
    home.run("export", "all.zip", code=2)
    other = type(home)(tmp_path_factory.mktemp("other"), home.env["VIDEOGEN_URL"])
    zipped = str(home.folder / "all.zip")
    assert other.run("import", zipped) == "1 imported\n"
    assert other.run("import", zipped) == "0 imported, 1 were here already\n"
    other.run("import", str(home.folder / "out.mp4"), code=4)
    assert "whole zip" in other.err


def test_a_public_link_is_made_and_revoked(home):
    made = home.lines("generate", "a ship", *TINY, "--detach")[0]["generation"]["id"]
    url = home.run("share", made, "--days", "1").strip()
    assert httpx.get(url, trust_env=False).status_code == 200
    home.run("unshare", made)
    assert httpx.get(url, trust_env=False).status_code == 404


def test_the_session_moves_by_a_code(home, tmp_path_factory):
    made = home.lines("generate", "a ship", *TINY, "--detach")[0]["generation"]["id"]
    code = home.lines("transfer")[0]["transfer"]["code"]
    other = type(home)(tmp_path_factory.mktemp("other"), home.env["VIDEOGEN_URL"])
    other.run("claim", code)
    assert other.run("list").split()[0] == made
    other.run("claim", code, code=4)


def test_the_token_is_kept_in_a_file_of_its_owner_alone(home):
    home.run("list")
    (kept,) = (home.folder / "config" / "videogen" / "tokens").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    token = json.loads(kept.read_text())["token"]
    made = home.lines("generate", "x", *TINY, "--detach")[0]["generation"]["id"]
    stranger = {"XDG_CONFIG_HOME": str(home.folder / "another")}
    assert home.run("list", **stranger) == ""
    assert made in home.run("list", **stranger, VIDEOGEN_TOKEN=token)
    assert made in home.run("list", "--token", token, **stranger)
    kept.chmod(0o644)
    home.run("list", code=5)
    assert "expected mode 600, got 644" in home.err


def test_a_server_that_is_not_there_is_exit_code_3(home):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    home.run("list", "--url", url, code=3)
    assert "could not be reached" in home.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate"],
        ["generate", "x", "--size", "wide"],
        ["generate", "x", "--seconds", "nan"],
        ["generate", "x", "--set", "novalue"],
        ["generate", "x", "--image", "not-there.png"],
        ["list", "--url", "ftp://somewhere"],
        ["generate", "x", "-o", "-", "--json"],
        ["dance"],
    ],
)
def test_what_was_typed_wrong_is_exit_code_2(home, arguments):
    home.run(*arguments, code=2)
    assert "expected" in home.err or "required" in home.err or "invalid choice" in home.err or "-o -" in home.err
