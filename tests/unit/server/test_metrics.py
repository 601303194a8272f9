"""How the server's metrics are named, and what bounds their labels."""

import pytest
from prometheus_client import Counter, Histogram

from airlock_server.metrics import FAMILIES, Metrics


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_metric_is_named_by_prometheus_conventions(family):
    assert (family.kind is Counter) == family.name.endswith("_total")
    assert family.kind is not Histogram or family.name.endswith("_seconds")
    assert (family.kind is Histogram) == bool(family.buckets)
    assert family.help.endswith(".")
    assert not {"namespace", "name", "path", "dag", "task", "pod", "le"} & set(family.labels)


def test_a_method_that_somebody_invents_is_no_series_of_its_own():
    metrics = Metrics()
    metrics.answered("BREW", "", 404, 0.001)
    metrics.answered("COOK", "", 404, 0.001)

    assert 'airlock_server_requests_total{code="404",method="other",route="none"} 2.0' in metrics.text().decode()


def test_a_database_that_does_not_answer_makes_the_server_not_ready():
    metrics = Metrics()
    metrics.looked({"running": 2})
    before = metrics.text().decode()
    metrics.looked(None)
    after = metrics.text().decode()

    assert "\nairlock_server_ready 1.0\n" in before
    assert "\nairlock_server_ready 0.0\n" in after
    assert 'airlock_server_task_instances{state="running"} 2.0' in before
    assert "airlock_server_task_instances{" not in after
