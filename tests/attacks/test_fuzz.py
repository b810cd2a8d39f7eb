"""A thousand calls made from the OpenAPI description: none is a 500, and each is answered as described."""

import pytest

from tests.fuzz.calls import SETTINGS, Fuzzer


@pytest.mark.timeout(400)
def test_every_call_is_answered_as_described(running_app):
    app = running_app(**SETTINGS)
    fuzzer = Fuzzer(app, seed=11)
    outcome = fuzzer.run(1000)
    fuzzer.close()
    assert outcome.failures == {}
    assert "Traceback" not in app.log
    assert {200, 201, 204, 401, 404, 422} <= set(outcome.statuses)
