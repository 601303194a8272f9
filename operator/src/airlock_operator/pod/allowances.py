"""Gives containers of a TaskRun's pod what the administrator sets for all: a CPU limit and proxies. Pure."""

from typing import Any
from urllib.parse import urlsplit

from airlock_operator.pod.expansion import unexpanded
from airlock_operator.settings import Pods

#: Hosts inside the cluster, which are reached without a proxy.
_INSIDE = (".svc", ".cluster.local", "localhost", "127.0.0.1")


def limits(settings: Pods, memory: str) -> dict[str, str]:
    """Returns a container's limits."""
    return {"memory": memory} | ({"cpu": settings.cpu_limit} if settings.cpu_limit else {})


def requests(settings: Pods, cpu: str, memory: str) -> dict[str, str]:
    """Returns a container's requests; the CPU request is at most the CPU limit."""
    asks = settings.cpu_limit if settings.cpu_limit and _cores(settings.cpu_limit) < _cores(cpu) else cpu
    return {"cpu": asks, "memory": memory}


def proxies(settings: Pods) -> list[dict[str, Any]]:
    """
    Returns the variables for proxies, in both spellings, because programs differ in which they read. Airlock's and
    Airflow's servers, and other hosts in the cluster, are reached without a proxy.
    """
    if not (settings.http_proxy or settings.https_proxy):
        return []
    servers = [urlsplit(url).hostname or "" for url in (settings.api_url, settings.airflow_api_url)]
    without = [*(host for host in settings.no_proxy.split(",") if host), *_INSIDE, *filter(None, servers)]
    variables = {
        "HTTP_PROXY": settings.http_proxy,
        "HTTPS_PROXY": settings.https_proxy,
        "NO_PROXY": ",".join(dict.fromkeys(without)),
    }
    return [
        {"name": spelled, "value": unexpanded(value)}
        for name, value in variables.items()
        if value
        for spelled in (name, name.lower())
    ]


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
