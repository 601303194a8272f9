"""Documents, alerts and the dashboard use only metrics and labels that operator and server have."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import Histogram

from airlock_operator import metrics as operators
from airlock_operator.reasons import Reason
from airlock_server import metrics as servers
from airlock_server.exchange.admission import Reason as Refused

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "charts/airlock/files"
#: The labels of each series that a process has, by the series' name.
SERIES = {
    f"{module.PREFIX}_{family.name}{suffix}": {*family.labels, *(["le"] if suffix == "_bucket" else [])}
    for module in (operators, servers)
    for family in module.FAMILIES
    for suffix in (("_bucket", "_sum", "_count") if family.kind is Histogram else ("",))
} | {"process_resident_memory_bytes": set(), "process_cpu_seconds_total": set()}
#: Labels that Prometheus adds to each series.
ADDED = {"instance", "job"}
#: The values of labels that are known before a process runs.
VALUES = {
    "reason": set(Reason),
    "budget": {"infra", "token"},
    "server": {"airlock", "airflow"},
    "outcome": {"broken", "failed", "done", "conflict", "granted", *Refused},
}
RULES = [rule for group in yaml.safe_load((FILES / "rules.yaml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((FILES / "dashboard.json").read_text())
PANELS = [(panel["title"], target) for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in RULES] + [(title, each["expr"]) for title, each in PANELS]

_WORDS = {"sum", "max", "min", "rate", "increase", "by", "on", "and", "or", "unless", "absent", "histogram_quantile"}


def named(expression):
    """The series of an expression with the matchers of each, and the labels that it groups or joins by."""
    grouped = {
        label.strip() for each in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for label in each.split(",")
    } - {""}
    rest = re.sub(r"\b(?:by|on)\s*\([^)]*\)", " ", expression)
    used = []
    for name, matchers in re.findall(r"([a-z_][a-z0-9_]*)(\{[^}]*\})?", re.sub(r"\[[^]]*\]", "", rest)):
        if name not in _WORDS:
            used.append((name, re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers)))
    return used, grouped


@pytest.mark.parametrize(
    ("where", "expression"), EXPRESSIONS, ids=[f"{n}-{where}" for n, (where, _) in enumerate(EXPRESSIONS)]
)
def test_an_expression_uses_only_metrics_and_labels_that_exist(where, expression):
    used, grouped = named(expression)
    labels = ADDED.union(*(SERIES.get(name, set()) for name, _ in used))

    assert used
    assert [] == [name for name, _ in used if name not in SERIES]
    assert [] == [(name, label) for name, matchers in used for label, _, _ in matchers if label not in SERIES[name]]
    assert set() == grouped - labels
    for _, matchers in used:
        for label, _, value in matchers:
            assert label not in VALUES or set(value.split("|")) <= VALUES[label]


def test_a_name_that_no_process_has_is_found():
    used, grouped = named('sum by (le, reason) (rate(airlock_operator_nothing_total{state="x"}[5m])) > 0')

    assert ([("airlock_operator_nothing_total", [("state", "=", "x")])], {"le", "reason"}) == (used, grouped)
    assert "airlock_operator_nothing_total" not in SERIES


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    used = {name for _, expression in EXPRESSIONS for name, _ in named(expression)[0]}
    families = {f"{module.PREFIX}_{family.name}" for module in (operators, servers) for family in module.FAMILIES}

    assert set() == {each for each in families if not any(name.startswith(each) for name in used)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    told = rule["annotations"]
    shown = set(re.findall(r"\$labels\.(\w+)", told["summary"] + told["description"]))

    assert {"summary", "description"} == set(told)
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert shown <= named(rule["expr"])[1]


@pytest.mark.parametrize(("title", "target"), PANELS, ids=[f"{n}-{title}" for n, (title, _) in enumerate(PANELS)])
def test_a_legend_names_labels_that_its_expression_keeps(title, target):
    shown = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))

    assert shown <= named(target["expr"])[1]


def test_the_guide_lists_every_alert():
    guide = (ROOT / "docs/guides/operations.md").read_text()

    assert [rule["alert"] for rule in RULES] == re.findall(r"^\| (Airlock\w+) \|", guide, re.MULTILINE)


def test_the_reference_lists_every_metric():
    page = (ROOT / "docs/reference/metrics.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", page, re.MULTILINE)

    assert [
        (f"{module.PREFIX}_{each.name}", each.kind.__name__.lower(), list(each.labels))
        for module in (operators, servers)
        for each in module.FAMILIES
    ] == [(name, kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in listed]
