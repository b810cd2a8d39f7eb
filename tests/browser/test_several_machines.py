"""The page in front of two web processes: when one dies, its visitors go on at the other with what they watch."""

import pytest
from anyio.from_thread import start_blocking_portal

from tests.support.cluster import Cluster

SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 10, "delay_ms": 250}
SUBMIT = """async settings => {
    const body = {prompt: "a day", engine: "slow", settings};
    const headers = {"Content-Type": "application/json"};
    const answer = await fetch("api/v1/generations", {method: "POST", headers, body: JSON.stringify(body)});
    return (await answer.json()).generations[0].id;
}"""


@pytest.fixture
def portal():
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def cluster(postgresql, tmp_path, portal):
    made = Cluster(tmp_path, webs=2, workers=[("slow",)], page=True, lease_seconds=5)
    with portal.wrap_async_context_manager(made) as cluster:
        yield cluster


@pytest.fixture
def where():
    return "page"


@pytest.mark.postgresql
@pytest.mark.timeout(300)
def test_whoever_watches_goes_on_at_another_web_process(cluster, portal, person, where):
    tab = person(where).tab(cluster.url).open()
    tab.says("Live")
    generation = tab.evaluate(SUBMIT, SETTINGS)
    tab.active(generation).click()
    tab.shows(generation, "processing")
    for web in cluster.webs:
        before = tab.progress
        portal.call(web.kill)
        tab.wait_for(
            "before => Number(document.querySelector('#job-progress').getAttribute('aria-valuenow')) > before + 10",
            before,
            60_000,
        )
        tab.shows(generation, "processing")
        tab.says("Live")
        portal.call(web.start)
    tab.shows(generation, "completed")
    tab.can_play()
    assert cluster.rows("SELECT attempt FROM generations") == [(1,)]
