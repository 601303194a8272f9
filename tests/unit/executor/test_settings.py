"""What the options of [airlock] must be; each error names its option and the fix."""

import pytest

from airlock_executor.settings import FALLBACKS, OPTIONS, Queue, SettingsError, read, seconds

LEAST = {"image": "images/airflow:1", "namespace": "airflow"}


def test_an_image_is_enough_in_a_pod():
    settings = read({"image": "images/airflow:1"}, {}, "team-a")

    assert ("images/airflow:1", "team-a", ("team-a",)) == (settings.image, settings.namespace, settings.namespaces)


def test_options_of_kubernetes_executor_count_where_ours_are_silent():
    theirs = {
        "namespace": "jobs",
        "worker_container_repository": "images/airflow",
        "worker_container_tag": "2",
        "pod_template_file": "/opt/pod.yaml",
        "running_pod_log_lines": "7",
        "pod_creation_max_concurrency": "3",
    }
    settings = read({"namespace": "airflow"}, theirs)

    assert ("airflow", "images/airflow:2") == (settings.namespace, settings.image)
    assert ("/opt/pod.yaml", 7, 3) == (settings.pod_template_file, settings.log_lines, settings.create_concurrency)


@pytest.mark.parametrize(("in_cluster", "file"), [("False", "/etc/kube"), ("True", ""), ("", "")])
def test_a_kubeconfig_of_kubernetes_executor_counts_outside_of_a_cluster_only(in_cluster, file):
    theirs = {"config_file": "/etc/kube", "in_cluster": in_cluster}

    assert file == read(LEAST, theirs).kubeconfig


def test_a_concurrency_of_nothing_is_the_default():
    assert 16 == read(LEAST, {"pod_creation_max_concurrency": "0"}).create_concurrency


def test_every_fallback_is_an_option():
    assert set(FALLBACKS) <= set(OPTIONS)


def test_a_queue_has_a_namespace_a_class_and_nodes():
    text = '{"gpu": {"namespace": "gpu", "priorityClassName": "high", "nodeSelector": {"gpu": "yes"}}}'
    settings = read(LEAST | {"queues": text}, {})

    assert Queue("gpu", "", "high", {"gpu": "yes"}) == settings.of_queue("gpu")
    assert Queue() == settings.of_queue("default")
    assert ("airflow", "gpu") == settings.namespaces


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"namespace": "a"}, "[airlock] image: it must be set"),
        ({"image": "i"}, "[airlock] namespace: it must be set"),
        (LEAST | {"imag": "x"}, "[airlock] imag: there is no such option; do you mean image?"),
        (LEAST | {"zzz": "x"}, "[airlock] zzz: there is no such option; there are: name, namespace"),
        (LEAST | {"token_seconds": "5"}, "[airlock] token_seconds: it must be from 60 to 86400; it is 5"),
        (LEAST | {"token_seconds": "long"}, "[airlock] token_seconds: it must be a whole number; it is 'long'"),
        (LEAST | {"pending_timeout": "an hour"}, "[airlock] pending_timeout: it must be a duration such as 90s"),
        (LEAST | {"rerun_after_start": "maybe"}, "[airlock] rerun_after_start: it must be True or False"),
        (LEAST | {"name": "Mine"}, "[airlock] name: it must be lower-case letters"),
        (LEAST | {"queues": "gpu"}, "[airlock] queues: it must be JSON like"),
        (LEAST | {"queues": '{"gpu": {"nodes": 1}}'}, "unknown field `nodes`"),
        (LEAST | {"bundles": '{"dags": "dags"}'}, "[airlock] bundles: dags: it must be an absolute path"),
    ],
)
def test_what_is_wrong_is_named(options, says):
    with pytest.raises(SettingsError) as raised:
        read(options, {})

    assert says in str(raised.value)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("1h30m", 5400), ("0.5s", 0.5), ("250ms", 0.25)])
def test_a_duration_is_so_many_seconds(text, value):
    assert value == seconds(text)
