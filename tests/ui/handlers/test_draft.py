"""The form as the browser has kept it, of which anybody may have written anything."""

import pytest

from tests.ui.conftest import engine
from videogen.ui.form import Limits, engine_form
from videogen.ui.tab import Site


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ({"engine": "procedural", "fps": 12, "shape": "1:1"}, {"engine": "procedural", "fps": 12, "shape": "1:1"}),
        ({"prompt": "typed", "negative": "typed", "seed": "7"}, {}),
        ({"engine": "gone", "fps": "fast", "detail": "480"}, {"detail": "480"}),
        (None, {}),
        ([1], {}),
    ],
    ids=str,
)
async def test_what_depends_on_kept_values_is_shown_and_text_is_left_to_the_browser(tab, click, form, values):
    tab.site = Site([engine_form(engine(), Limits())])
    assert await click("draft", form=form) == values
