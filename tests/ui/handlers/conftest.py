"""Runs the handler of a click on the page."""

import pytest

from videogen.ui.handlers import FILLS, HANDLERS, Click


@pytest.fixture
def click(tab):
    """`await click("cancel", generationId="gen_a")`: what a handler returns."""

    async def run(name, /, **data):
        handler = HANDLERS.get(name) or FILLS[name]
        return await handler(tab, Click(data))

    return run
