"""The commands with a running app: effect, output and exit code."""

import json
import socket
import stat
import zipfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from PIL import Image

from tests.cli.conftest import TINY
from videogen.cli.destinations import Target
from videogen.cli.explanation import explanation_lines
from videogen.media.probe import probe
from videogen.schemas import Cost, Explanation, Understanding, UnderstoodPhrase
from videogen.testing.fakes import LostService


def test_generate_follows_and_writes_the_file(home):
    output = home.run_process("generate", "blue bars", *TINY, "--seed", "7", "-o", "out.mp4").decode()
    video = probe(home.folder / "out.mp4")
    assert (video.width, video.height, video.num_frames) == (64, 64, 4)
    lines = output.splitlines()
    assert lines[0].endswith("queued")
    assert lines[-1].startswith("out.mp4 (")
    assert "\x1b" not in output


def test_explain_renders_nothing_and_tells_what_is_known(home):
    never_rendered = ("--size", "80x64", "--seconds", "0.5", "--fps", "8")
    output = home.run("generate", "blue bars", *never_rendered, "--explain")
    assert output == "80 x 64 pixels\n"
    (line,) = home.lines("generate", "blue bars", *never_rendered, "--explain")
    assert (line["event"], line["explanation"]["expectedSeconds"]) == ("explanation", None)
    assert list(home.folder.glob("*.mp4")) == []


def test_an_explanation_is_a_line_for_each_thing_that_is_known():
    understanding = Understanding(
        understood=(UnderstoodPhrase(phrase="Tokyo", became="city"),), ignored=("Will Smith", "eating"), unused=("4k",)
    )
    cost = Cost(amount=0.4, currency="USD")
    explanation = Explanation(understanding=understanding, expected_seconds=12.4, cost=cost, width=64, height=36)
    assert list(explanation_lines(explanation)) == [
        "drawn: Tokyo (city)", "not understood: Will Smith, eating", "not used: 4k", "takes about 12 s",
        "costs about 0.40 USD", "64 x 36 pixels",
    ]  # fmt: skip


def test_generate_names_what_was_not_understood_and_what_is_not_used(home):
    prompt = "a robot over the ocean, cinematic"
    (submitted,) = home.lines("generate", prompt, *TINY, "--engine", "procedural", "--detach")
    assert home.stderr == "not understood: robot\nnot used: cinematic\n"
    understanding = submitted["generation"]["understanding"]
    assert (understanding["ignored"], understanding["unused"]) == (["robot"], ["cinematic"])


def test_file_named_after_the_prompt_overwrites_no_other(home):
    (home.folder / "blue-bars.mp4").write_text("mine")
    home.run("generate", "Blue bars!", *TINY)
    assert (home.folder / "blue-bars.mp4").read_text() == "mine"
    assert probe(home.folder / "blue-bars-2.mp4").width == 64


def test_a_file_is_named_after_its_title_in_any_script(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = SimpleNamespace(type="video", title="", prompt="सूर्यास्त, con")
    assert Target(None).next(made) == Path("सूर्यास्त-con.mp4")
    made.title = "CON"
    Path("con_.mp4").touch()
    assert Target(None).next(made) == Path("con_-2.mp4")


def test_generate_sends_the_first_and_the_last_frame(home):
    for name, colour in (("first.png", "red"), ("last.png", "blue")):
        Image.new("RGB", (16, 16), colour).save(home.folder / name)
    images = ("--image", home.folder / "first.png", "--last-frame", home.folder / "last.png")
    first, *_ = home.lines("generate", "x", *TINY, "--engine", "looks", *map(str, images), "--detach")
    made = first["generation"]
    assert None not in (made["inputFileId"], made["lastFrameFileId"])
    assert made["inputFileId"] != made["lastFrameFileId"]
    home.run("generate", "x", *TINY, "--engine", "looks", *map(str, images[2:]), "--explain", code=4)
    assert "inputFileId must be an image for the first frame" in home.stderr


def test_generate_goes_on_from_a_finished_video(home):
    first = home.lines("generate", "a ship", *TINY, "--engine", "looks", "--seed", "3", "-o", "first.mp4")
    source = first[0]["generation"]["id"]
    lines = home.lines("generate", "--extend", source, "--seconds", "1", "-o", "longer.mp4")
    made = lines[0]["generation"]
    assert (made["extends"], made["prompt"], made["engine"], made["seed"]) == (source, "a ship", "looks", 3)
    assert probe(home.folder / "longer.mp4").num_frames == 8
    home.run("generate", "--extend", source, "--seconds", "0.5", code=4)
    assert "more than the 0.5 seconds of the video that it goes on from" in home.stderr
    home.run("generate", "--extend", "gen_unknown", code=4)
    assert len(home.stderr.splitlines()) == 1


def test_export_makes_one_result_into_another_format(home):
    made = home.lines("generate", "a ship", *TINY, "-o", "out.mp4")[0]["generation"]["id"]
    *_, saved = home.lines("export", made, "--format", "gif")
    path = Path(home.folder, saved["path"])
    assert path.name.startswith("videogen-a-ship-")
    assert path.read_bytes().startswith(b"GIF89a")
    assert saved["sizeBytes"] == path.stat().st_size
    home.run("export", made, "--format", "gif", code=2)
    assert "it exists" in home.stderr
    home.run("export", made, "--format", "png", "-o", "frames.zip")
    assert zipfile.ZipFile(home.folder / "frames.zip").namelist() == [
        f"frame_000{number}.png" for number in range(1, 5)
    ]
    home.run("export", made, code=2)
    assert "one generation needs --format" in home.stderr
    home.run("export", "gen_unknown", "--format", "gif", code=4)
    assert len(home.stderr.splitlines()) == 1


def test_json_is_one_object_per_line(home):
    lines = home.lines("generate", "blue bars", *TINY, "--set", "delayMs=1", "--engine", "slow", "-o", "out.mp4")
    events = [line["event"] for line in lines]
    assert events[0] == "submitted"
    assert events[-3:] == ["render_result", "ended", "saved"]
    assert set(events[1:-3]) == {"render_progress"}
    assert lines[-1]["sizeBytes"] == (home.folder / "out.mp4").stat().st_size
    assert lines[0]["generation"]["id"] == lines[-1]["generationId"]


def test_result_goes_to_standard_output_and_text_to_standard_error(home):
    video = home.run_process("generate", "blue bars", *TINY, "-o", "-")
    (home.folder / "piped.mp4").write_bytes(video)
    assert probe(home.folder / "piped.mp4").num_frames == 4
    assert "queued" in home.stderr


def test_output_is_checked_before_anything_is_submitted(home):
    (home.folder / "there.mp4").write_text("mine")
    for output in ("there.mp4", "no/folder.mp4", "."):
        assert home.run("generate", "x", *TINY, "-o", output, code=2) == ""
        assert home.stderr.startswith(f"videogen: -o {output}: ")
    assert home.run("list") == ""
    home.run("generate", "x", *TINY, "-o", "there.mp4", "--force")
    assert probe(home.folder / "there.mp4").width == 64


def test_failed_generation_is_exit_code_1(home):
    lines = home.lines("generate", "x", *TINY, "--engine", "refuses", code=1)
    assert lines[-1]["event"] == "ended"
    assert lines[-1]["generation"]["status"] == "failed"
    assert not list(home.folder.glob("*.mp4"))


def test_what_needs_attention_is_exit_code_6_and_says_what_is_known_and_what_can_be_done(home):
    output = home.run("generate", "x", *TINY, "--engine", "lost-service", "-o", "out.mp4", code=6)
    made = output.split()[0]
    lines = output.splitlines()
    assert f"{made} about 40 % rendering 40/100" in lines
    sent = LostService.SENT_AT.astimezone()
    assert lines[-7:] == [
        f"{made} needs attention: The service does not know whether it has the job.",
        f"sent: {sent:%Y-%m-%d %H:%M:%S}",
        "its id there: job-7",
        f"where to look: {LostService.LOOK_AT}",
        f"videogen resolve {made} look      looks for it again",
        f"videogen resolve {made} resubmit  sends it again; you may pay for it twice",
        f"videogen resolve {made} fail      gives it up",
    ]
    assert "needs attention" in home.run("list")
    assert home.lines("watch", made, code=6)[-1]["event"] == "needs_attention"
    assert home.run("resolve", made, "look", "-o", "out.mp4").splitlines()[-2] == f"{made} completed, about 0.25 USD"
    assert (home.folder / "out.mp4").exists()
    refused = home.lines("resolve", made, "look", code=4)[-1]
    assert refused["code"] == "needs_no_attention"


def test_what_needs_attention_can_be_sent_again_or_given_up(home):
    made = home.lines("generate", "x", *TINY, "--engine", "lost-service", code=6)[-1]["generation"]["id"]
    (again,) = home.lines("resolve", made, "resubmit", "--detach")
    new = again["generation"]["id"]
    assert (again["event"], new != made) == ("submitted", True)
    home.run("watch", made, code=1)
    home.run("watch", new, code=6)
    assert home.run("resolve", new, "fail") == f"{new} failed\n"
    home.run("resolve", new, "wait", code=2)
    assert "invalid choice: 'wait'" in home.stderr


def test_refusal_of_the_server_is_exit_code_4_and_one_line(home):
    home.run("generate", "x", "--size", "64x64", "--fps", "900", code=4)
    assert home.stderr.count("\n") == 1
    assert "settings.fps must be" in home.stderr
    failure = home.lines("watch", "gen_nobodys", code=4)[-1]
    assert (failure["event"], failure["code"], failure["exitCode"]) == ("failure", "not_found", 4)


def test_ctrl_c_keeps_the_generation_and_says_how_to_follow_it(home):
    output, _, code = home.interrupt("generate", "x", *TINY, "--engine", "until-cancelled", at="rendering")
    generation = output.split()[0]
    assert code == 130
    assert f"Follow it again with: videogen watch {generation}" in output
    assert home.lines("list")[0]["generation"]["status"] == "processing"
    assert "is being cancelled" in home.run("cancel", generation)
    home.run("watch", generation, code=1)


def test_watch_download_retry_list_and_delete(home):
    first = home.lines("generate", "a first ship", *TINY, "--detach")[0]["generation"]["id"]
    home.run("watch", first)
    home.run("download", first, "-o", "first.mp4")
    second = home.lines("retry", first, "-o", "second.mp4")[0]["generation"]["id"]
    assert (home.folder / "first.mp4").stat().st_size == (home.folder / "second.mp4").stat().st_size
    assert [line.split()[0] for line in home.run("list").splitlines()] == [second, first]
    assert home.run("list", "--search", "whale", "--status", "completed") == ""
    home.run("delete", first)
    home.run("download", first, code=4)
    assert "bars" in home.run("engines")


def test_export_and_import(home, tmp_path_factory):
    home.run("generate", "a ship", *TINY, "-o", "out.mp4")
    home.run("export", "all.zip")
    home.run("export", "all.zip", code=2)
    other = type(home)(tmp_path_factory.mktemp("other"), home.env["VIDEOGEN_URL"])
    export = str(home.folder / "all.zip")
    assert other.run("import", export) == "1 imported\n"
    assert other.run("import", export) == "0 imported, 1 existed already\n"
    other.run("import", str(home.folder / "out.mp4"), code=4)
    assert "whole zip" in other.stderr


def test_share_and_unshare(home):
    generation = home.lines("generate", "a ship", *TINY, "--detach")[0]["generation"]["id"]
    url = home.run("share", generation, "--days", "1").strip()
    assert httpx.get(url, trust_env=False).status_code == 200
    home.run("unshare", generation)
    assert httpx.get(url, trust_env=False).status_code == 404


def test_transfer_and_claim(home, tmp_path_factory):
    generation = home.lines("generate", "a ship", *TINY, "--detach")[0]["generation"]["id"]
    code = home.lines("transfer")[0]["transfer"]["code"]
    other = type(home)(tmp_path_factory.mktemp("other"), home.env["VIDEOGEN_URL"])
    other.run("claim", code)
    assert other.run("list").split()[0] == generation
    other.run("claim", code, code=4)
    first, second = (home.lines("devices")[number]["device"] for number in range(2))
    (stranger,) = [device["id"] for device in (first, second) if not device["current"]]
    home.run("sign-out", stranger)
    home.run("sign-out", stranger, code=4)
    home.run("sign-out", code=2)
    assert other.run("list") == "", "a new session, as for anybody"
    home.run("sign-out", "--others")
    assert home.run("list").split()[0] == generation, "with the new token"
    assert len(home.lines("devices")) == 1


def test_token_is_stored_in_a_private_file(home):
    home.run("list")
    (file,) = (home.folder / "config" / "videogen" / "tokens").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    token = json.loads(file.read_text())["token"]
    generation = home.lines("generate", "x", *TINY, "--detach")[0]["generation"]["id"]
    other_user = {"XDG_CONFIG_HOME": str(home.folder / "another")}
    assert home.run("list", **other_user) == ""
    assert generation in home.run("list", **other_user, VIDEOGEN_TOKEN=token)
    assert generation in home.run("list", f"--token={token}", **other_user)
    file.chmod(0o644)
    home.run("list", code=5)
    assert "expected mode 600, got 644" in home.stderr


def test_unreachable_server_is_exit_code_3(home):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    home.run_process("list", "--url", url, code=3)
    assert "could not be reached" in home.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate"], "generate: expected a prompt, or --extend with the id of a finished video."),
        (["generate", "x", "--size", "wide"], "expected WIDTHxHEIGHT"),
        (["generate", "x", "--seconds", "nan"], "expected a number above 0"),
        (["generate", "x", "--set", "novalue"], "expected KEY=VALUE"),
        (["generate", "x", "--image", "not-there.png"], "not-there.png: expected a file that exists."),
        (["generate", "x", "--last-frame", "not-there.png"], "not-there.png: expected a file that exists."),
        (["list", "--url", "ftp://somewhere"], "--url: expected an address such as http://"),
        (["generate", "x", "-o", "-", "--json"], "-o -: standard output takes one result"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_wrong_usage_is_exit_code_2(home, arguments, message):
    assert home.run(*arguments, code=2) == ""
    assert message in home.stderr


def test_wrong_usage_ends_the_process_with_exit_code_2(home):
    home.run_process("generate", "x", "--size", "wide", code=2)
    assert "expected WIDTHxHEIGHT" in home.stderr


def test_a_proxy_that_cannot_be_used_is_exit_code_3_and_one_line(home):
    home.run("list", "--url", "http://video.example.org", code=3, ALL_PROXY="socks5://127.0.0.1:1080")
    (line,) = home.stderr.splitlines()
    assert line.startswith("videogen: ALL_PROXY cannot be used")
    assert home.lines("engines", ALL_PROXY="socks5://127.0.0.1:1080", NO_PROXY="fd07::/64")


def test_webhooks_are_added_with_their_secret_listed_and_removed(home):
    (added,) = home.lines("webhooks", "add", "https://93.184.215.14/hook", "--event", "failed")
    webhook = added["webhook"]
    assert webhook["secret"].startswith("whsec_")
    assert webhook["events"] == ["generation.failed"]
    assert home.run("webhooks").startswith(f"{webhook['id']}  https://93.184.215.14/hook  0 pending")
    home.run("webhooks", "remove", webhook["id"])
    assert home.run("webhooks") == ""
    home.run("webhooks", "remove", webhook["id"], code=4)
    home.run("webhooks", "add", code=2)
    home.run("webhooks", "add", "http://93.184.215.14/hook", code=4)
    assert "an https address" in home.stderr
