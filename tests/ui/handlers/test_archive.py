"""Everything is taken along as a zip, and brought in."""

import pytest

from tests.ui.conftest import at


@pytest.fixture(autouse=True)
def links(api):
    api.canned["POST", "/export"] = 201, {"url": "/exports?sig=a", "expiresAt": at(600)}
    api.canned["POST", "/import/link"] = 201, {"url": "/imports?sig=a", "expiresAt": at(600), "maxBytes": 4_000_000}


async def test_export_has_the_browser_download_a_fresh_link(tab, click):
    await click("export")
    assert tab.download == "/exports?sig=a"


async def test_a_zip_is_sent_by_the_browser_and_its_outcome_is_told(tab, click, html):
    await click("import", name="<all>.zip", size=3_000_000)
    assert tab.import_to == "/imports?sig=a"
    assert "Importing &lt;all&gt;.zip…" in html("archive")
    assert 'id="import-file" class="hidden-text" accept=".zip,application/zip" disabled' in html("archive")
    await click("imported", answer={"imported": 2, "known": 1, "generationIds": []})
    assert "2 imported, 1 was here already." in html("archive")
    assert "disabled" not in html("archive")
    assert tab.import_to is None


async def test_a_zip_that_is_too_large_is_not_sent(tab, click):
    await click("import", name="all.zip", size=4_300_000)
    assert tab.import_to is None
    assert tab.import_words == "all.zip has 4.3 MB. At most 4 MB can be imported. Nothing was imported."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"imported": 1, "known": 0}, "1 imported."),
        ({"code": "not_an_export", "detail": "Expected a zip, got <b>."}, "Expected a zip, got <b>."),
        (None, "The server could not be reached. Nothing was imported."),
        ("<b>", "The server could not be reached. Nothing was imported."),
    ],
)
async def test_the_outcome_of_an_import_in_words(tab, click, answer, words):
    await click("import", name="all.zip", size=1)
    await click("imported", answer=answer)
    assert tab.import_words == words
