"""The log of a generation: what its engine printed, for its owner alone."""

import pytest

from tests.support.api import Session


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["raises", "crashes", "prints-and-waits", "bars"], workers=2, max_attempts=1)


def _log(session, generation_id):
    return session.get(f"/generations/{generation_id}/log")


def test_the_owner_reads_the_traceback_and_the_server_names_it(app, session):
    failed = session.submit("raises")
    assert session.finish(failed["id"])["error"]["code"] == "engine_error"
    answer = _log(session, failed["id"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Traceback (most recent call last)" in answer.text
    assert 'raise ValueError("there is no such colour' in answer.text
    assert "and this line is for the log" in answer.text
    assert f"{failed['id']} attempt 1 failed (engine_error)" in app.log
    assert f"videogen log {failed['id']}" in app.log


def test_a_renderer_that_was_killed_leaves_what_it_printed(session):
    lost = session.submit("crashes")
    assert session.finish(lost["id"])["error"]["code"] == "worker_lost"
    assert "the last word" in _log(session, lost["id"]).text


def test_it_is_there_while_the_engine_runs_and_after_a_cancel(session):
    running = session.submit("prints-and-waits")
    session.wait_rendering(running["id"])
    assert "I have begun" in _log(session, running["id"]).text
    session.cancel(running["id"])
    session.finish(running["id"])
    assert "I have begun" in _log(session, running["id"]).text


def test_an_engine_that_prints_nothing_has_an_empty_log(session):
    done = session.submit("bars")
    session.finish(done["id"])
    answer = _log(session, done["id"])
    assert (answer.status_code, answer.text) == (200, "")


def test_nobody_else_reads_it(app, session):
    failed = session.submit("raises")
    session.finish(failed["id"])
    with Session(app.base_url) as other:
        foreign, unknown = _log(other, failed["id"]), _log(other, "gen_unknown")
        assert foreign.status_code == 404
        assert foreign.content == unknown.content
        assert (
            other.http.get(f"/api/v1/generations/{failed['id']}/log", headers={"Authorization": ""}).status_code == 401
        )


def test_it_goes_with_its_generation(app, session):
    failed = session.submit("raises")
    session.finish(failed["id"])
    assert _log(session, failed["id"]).text
    assert session.delete(f"/generations/{failed['id']}").status_code == 204
    assert _log(session, failed["id"]).status_code == 404
    assert not list((app.data_dir / "files").glob(f"{failed['id']}/*"))
