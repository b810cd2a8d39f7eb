"""A storm over two web processes and three workers; and that its verdict would see what it must not see."""

import asyncio

import pytest

from tests.chaos.cluster_storm import ClusterPlan, cluster_storm
from tests.chaos.report import cluster_report
from tests.support.namespaces import why_not

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(500)]
SHORT = ClusterPlan(
    faults=8,
    seed=17,
    people=2,
    crowd=20,
    must=(
        "worker killed",
        "host without database",
        "web killed",
        "storage cut in a body",
        "database killed",
        "host without storage",
        "worker frozen",
        "storage busy",
    ),
)
LONG = ClusterPlan(faults=30, seed=18, crowd=200, must=("web killed", "worker frozen", "storage slow"))
APART = ClusterPlan(
    faults=10,
    seed=19,
    crowd=20,
    namespaces=True,
    must=("host without database", "host without storage", "host without database", "host without storage"),
)


@pytest.fixture(scope="module")
def outcome(postgresql, tmp_path_factory):
    return asyncio.run(cluster_storm(tmp_path_factory.mktemp("storm"), SHORT))


def _lost_nothing(plan, outcome):
    assert not any(outcome.faults.values()), cluster_report(outcome)
    assert outcome.did.total() >= plan.faults
    assert outcome.ends["completed"] >= 3, cluster_report(outcome)
    assert sum(count for attempt, count in outcome.attempts.items() if attempt > 1), "nothing was rendered again"
    assert all(outcome.crowd.heard)


def test_nothing_is_lost_in_a_short_storm(outcome):
    _lost_nothing(SHORT, outcome)


@pytest.mark.long
async def test_nothing_is_lost_in_a_storm_with_200_streams(postgresql, tmp_path):
    _lost_nothing(LONG, await cluster_storm(tmp_path, LONG))


@pytest.mark.long
async def test_nothing_is_lost_where_each_host_is_a_network_of_its_own(postgresql, tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    _lost_nothing(APART, await cluster_storm(tmp_path, APART))
