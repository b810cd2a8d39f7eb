"""How requests are counted that get no answer."""

import asyncio
from types import SimpleNamespace

import pytest

from videogen.web.request_log import RequestLog


@pytest.fixture
def ask():
    """Gives a request to an application; what was counted is in the list `ask.counted`."""

    def call(app):
        asyncio.run(RequestLog(app, writes_lines=False)(scope, None, None))

    call.counted = []
    counters = SimpleNamespace(answered=lambda method, route, status, code: call.counted.append((status, code)))
    state = SimpleNamespace(videogen=SimpleNamespace(services=SimpleNamespace(counters=counters)))
    scope = {"type": "http", "path": "/", "method": "GET", "app": SimpleNamespace(state=state)}
    return call


def test_a_client_that_leaves_before_its_answer_is_no_fault_of_the_app(ask):
    async def leave(scope, receive, send):
        """Uvicorn ends such a request without an error."""

    ask(leave)
    assert ask.counted == [(499, "")]


def test_an_error_that_nobody_answers_is_one(ask):
    async def fail(scope, receive, send):
        raise ValueError("a fault of the app")

    with pytest.raises(ValueError, match="a fault of the app"):
        ask(fail)
    assert ask.counted == [(500, "internal_error")]
