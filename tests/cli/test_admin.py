"""`videogen admin`: what the operator sees and does on a terminal."""

import pytest

from tests.cli.conftest import TINY, Home

TOKEN = "the-token-of-the-operator"


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["bars"], workers=1, admin_token=TOKEN)


@pytest.fixture
def operator(home):
    home.env["VIDEOGEN_ADMIN_TOKEN"] = TOKEN
    return home


def test_the_operator_pauses_looks_cancels_and_finds_it_in_the_log(operator, tmp_path, app):
    visitor = Home(tmp_path / "visitor", app.base_url)
    visitor.folder.mkdir()
    assert operator.run("admin", "pause") == "The queue is paused; 0 running.\n"
    visitor.lines("generate", "a quiet lake", *TINY, "--detach")
    (generation,) = visitor.lines("list")
    generation = generation["generation"]
    shown = operator.run("admin")
    assert "Queue paused: 0 running, 1 waiting" in shown
    assert f"{generation['id']}" in shown
    assert "waits for operator  a quiet lake" in shown
    (line,) = operator.lines("admin", "overview")
    assert line["event"] == "overview"
    (active,) = line["overview"]["active"]
    assert (active["id"], active["prompt"]) == (generation["id"], "a quiet lake")
    assert operator.run("admin", "cancel", generation["id"]) == f"{generation['id']} cancelled\n"
    session = active["sessionId"]
    assert operator.run("admin", "ban", session).startswith(f"session {session} since 20")
    visitor.run("generate", "another lake", *TINY, "--detach", code=4)
    assert "does not allow" in visitor.stderr
    assert operator.run("admin", "unban", session) == "Nobody is banned.\n"
    operator.run("admin", "resume")
    acts = [line["entry"]["act"] for line in operator.lines("admin", "audit")]
    assert acts == ["resume", "unban", "ban", "cancel", "pause"]


def test_wrong_uses_are_one_line(home):
    home.run("admin", code=2)
    assert home.stderr == "videogen: videogen admin: set VIDEOGEN_ADMIN_TOKEN to the token that the server has.\n"
    home.run("admin", VIDEOGEN_ADMIN_TOKEN="not-the-token-here", code=4)
    assert "Only the operator" in home.stderr
    home.run("admin", "cancel", VIDEOGEN_ADMIN_TOKEN=TOKEN, code=2)
    assert "expected an id" in home.stderr
    home.run("admin", "pause", "ses_x", VIDEOGEN_ADMIN_TOKEN=TOKEN, code=2)
    assert "expected nothing more" in home.stderr
