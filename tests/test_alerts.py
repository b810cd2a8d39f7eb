"""The alerts are valid rules over metrics that exist, and docs/operations.md has a row for each metric."""

import re
from functools import cache

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api import connect
from tests.support.app import ROOT

(GROUP,) = yaml.safe_load((ROOT / "docs" / "prometheus-alerts.yml").read_text())["groups"]
NAME = re.compile(r"videogen_\w+")
ROW = re.compile(r"^\| (`videogen_.*?) \|", re.M)


@pytest.fixture(scope="module")
def families(module_app):
    """The metrics of a server, by name."""
    app = module_app(workers=0)
    with connect(app.base_url) as http:
        http.get("/api/v1/nothing")
        text = http.get("/metrics").text
    return {family.name: family for family in text_string_to_metric_families(text)}


@cache
def sample_names(families):
    """Every name that a rule may use."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {name + suffix for name, kind in families for suffix in suffixes.get(kind, ("",))}


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_an_alert_is_a_valid_rule_over_metrics_that_exist(rule, families):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Videogen[A-Z]\w+", rule["alert"])
    expression = promql_parser.parse(rule["expr"])
    assert isinstance(expression, promql_parser.BinaryExpr), "it compares something"
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "action"}
    if "for" in rule:
        promql_parser.parse_duration(rule["for"])
    known = sample_names(frozenset((name, family.type) for name, family in families.items()))
    assert set(NAME.findall(rule["expr"])) <= known
    # A label that is none of the metric would be empty.
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    text = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels | {"instance"}


def test_the_names_of_alerts_are_unique():
    names = [rule["alert"] for rule in GROUP["rules"]]
    assert len(names) == len(set(names))


def test_every_metric_has_a_row_in_the_documentation_and_every_row_a_metric(families):
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = {name for cell in ROW.findall(text) for name in NAME.findall(cell)}
    suffix = {"counter": "_total"}
    assert rows == {name + suffix.get(family.type, "") for name, family in families.items()}
