"""Where Kubernetes is, by the settings and a pod's environment."""

import pytest

from airlock_server.kube.address import where
from airlock_server.settings import KubernetesSettings
from airlock_wire.process.settings import SettingsError


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://10.96.0.1:6443"),
        ({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, "https://10.96.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1"}, "https://[fd00::1]:443"),
    ],
)
def test_a_pod_is_told_where_its_cluster_is(environ, url):
    found = where(KubernetesSettings(), environ)

    assert found.url == url
    assert "/var/run/secrets/kubernetes.io/serviceaccount/token" == str(found.token_file)
    assert "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt" == str(found.ca_file)


def test_the_settings_win():
    settings = KubernetesSettings(url="https://k:1", token_file="/t", ca_file="/c")
    found = where(settings, {"KUBERNETES_SERVICE_HOST": "other"})

    assert ("https://k:1", "/t", "/c") == (found.url, str(found.token_file), str(found.ca_file))


@pytest.mark.parametrize("url", ["", "http://k:1", "k:1"])
def test_no_cluster_and_no_plain_http_is_taken(url):
    with pytest.raises(SettingsError, match=r"kubernetes|KUBERNETES"):
        where(KubernetesSettings(url=url), {})
