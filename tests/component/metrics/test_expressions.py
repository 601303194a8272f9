"""
A real Prometheus scrapes operators' and servers' metrics, and evaluates every expression of alerts and dashboard.

Beside what is played it scrapes a real server's process.
"""

import json
import socket
import time
from pathlib import Path

import pytest
import yaml
from component.metrics.played import played
from component.metrics.prometheus import scraping
from doubles.podserver import PodServer

#: Prometheus is built on first use, which takes minutes on a small machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

FILES = Path(__file__).resolve().parents[3] / "charts/airlock/files"
RULES = [rule for group in yaml.safe_load((FILES / "rules.yaml").read_text())["groups"] for rule in group["rules"]]
PANELS = json.loads((FILES / "dashboard.json").read_text())["panels"]
SHOWN = [target["expr"] for panel in PANELS for target in panel["targets"]]
#: A rate needs two samples, and a rule one evaluation after them.
SETTLED_SECONDS = 60
#: Alerts that the played operator and server are a reason for, at once or after their time.
TRUE = {
    "AirlockTurnsBreak", "AirlockInfraBudgetExhausted", "AirlockApiErrors", "AirlockRelistFails",
    "AirlockServerAway", "AirlockExchangesRefused", "AirlockDatabaseErrors",
}  # fmt: skip
#: Those of them that wait for no time.
AT_ONCE = {"AirlockTurnsBreak", "AirlockInfraBudgetExhausted"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    pod_server = PodServer(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pod_server.env |= {"AIRLOCK__METRICS__PORT": str(port)}
    with pod_server.serving(), played() as ports:
        pod_server.get("/healthz")
        with scraping(folder, ports | {"process": port}, FILES / "rules.yaml") as running:
            until(lambda: len(running.query("up == 1")) == 3 and firing(running) >= AT_ONCE)
            yield running


def until(holds):
    ends = time.monotonic() + SETTLED_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.3)


def firing(prometheus):
    return {
        alert["labels"]["alertname"] for alert in prometheus.asked("alerts")["alerts"] if alert["state"] == "firing"
    }


@pytest.mark.parametrize("expression", SHOWN, ids=range(len(SHOWN)))
def test_every_expression_of_the_dashboard_has_data(prometheus, expression):
    assert [] != prometheus.query(expression)


def test_every_alert_is_evaluated_without_an_error(prometheus):
    (group,) = prometheus.asked("rules")["groups"]

    assert [rule["alert"] for rule in RULES] == [rule["name"] for rule in group["rules"]]
    assert [] == [(rule["name"], rule["lastError"]) for rule in group["rules"] if rule["health"] != "ok"]


def test_an_alert_is_raised_for_what_it_names_and_for_nothing_else(prometheus):
    until(lambda: {a["labels"]["alertname"] for a in prometheus.asked("alerts")["alerts"]} >= TRUE)
    alerts = prometheus.asked("alerts")["alerts"]
    told = {alert["labels"]["alertname"]: alert["annotations"]["summary"] for alert in alerts}

    assert TRUE == set(told)
    assert "The API server does not answer 50% of the operator's requests" == told["AirlockApiErrors"]
    assert "The operator cannot reach the server of airlock" == told["AirlockServerAway"]


def test_a_real_servers_process_is_among_what_was_scraped(prometheus):
    (ready,) = prometheus.query('airlock_server_ready{job="process"}')
    (memory,) = prometheus.query(
        'process_resident_memory_bytes{job="process"} and on (instance) airlock_server_build_info'
    )

    assert "1" == ready["value"][1]
    assert 1e7 < float(memory["value"][1])
