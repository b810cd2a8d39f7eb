"""What is counted gets few labels, whatever engines and clients send."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from videogen.core.metrics import MAX_CODES, OTHER, Metrics


def samples(metrics, name):
    """The labels and values of one sample name that are not zero."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    found = [sample for family in families for sample in family.samples if sample.name == f"videogen_{name}"]
    return {tuple(sample.labels.values()): sample.value for sample in found if sample.value}


def test_an_engine_that_is_not_on_offer_has_no_label_of_its_own():
    metrics = Metrics(["bars"])
    for engine in ("bars", "imported-1", "imported-2"):
        metrics.submitted(engine, "video")
    assert samples(metrics, "generations_submitted_total") == {("bars", "video"): 1, (OTHER, "video"): 2}


def test_codes_beyond_a_hundred_and_codes_that_are_none_are_one_label():
    metrics = Metrics(["bars"])
    for code in ["a prompt, perhaps", "x" * 1000, *(f"code_{number}" for number in range(2 * MAX_CODES))]:
        metrics.ended("bars", "failed", code)
    counted = samples(metrics, "generations_ended_total")
    assert len(counted) == MAX_CODES + 1
    assert sum(counted.values()) == 2 * MAX_CODES + 2


def test_a_clock_that_was_set_back_measures_nothing_negative():
    metrics = Metrics(["bars"])
    metrics.waited("bars", -5.0)
    assert samples(metrics, "queue_wait_seconds_sum") == {}
    assert samples(metrics, "queue_wait_seconds_count") == {("bars",): 1}


def test_what_has_not_happened_yet_is_zero_for_each_engine():
    families = text_string_to_metric_families(generate_latest(Metrics(["bars", "slow"]).registry).decode())
    counts = {sample.labels["engine"] for family in families for sample in family.samples if "engine" in sample.labels}
    assert counts == {"bars", "slow"}


def test_two_apps_in_one_process_count_apart():
    one, other = Metrics(["bars"]), Metrics(["bars"])
    one.requeued("bars")
    assert samples(one, "attempts_requeued_total") == {("bars",): 1}
    assert samples(other, "attempts_requeued_total") == {}
