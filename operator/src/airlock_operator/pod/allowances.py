"""What an administrator gives every container of ours in a TaskRun's pod: a limit of processors, proxies. Pure."""

from typing import Any
from urllib.parse import urlsplit

from airlock_operator.pod.expansion import unexpanded
from airlock_operator.settings import Pods

#: What is inside of a cluster.
_INSIDE = (".svc", ".cluster.local", "localhost", "127.0.0.1")


def limits(settings: Pods, memory: str) -> dict[str, str]:
    """A container's limits."""
    return {"memory": memory} | ({"cpu": settings.cpu_limit} if settings.cpu_limit else {})


def requests(settings: Pods, cpu: str, memory: str) -> dict[str, str]:
    """What it asks for, which is never more than its limit of processors."""
    asks = settings.cpu_limit if settings.cpu_limit and _cores(settings.cpu_limit) < _cores(cpu) else cpu
    return {"cpu": asks, "memory": memory}


def proxies(settings: Pods) -> list[dict[str, Any]]:
    """
    The variables that tell of proxies, in both spellings: programs differ in which they read. Airlock's and Airflow's
    servers, and what else is in the cluster, are reached without one.
    """
    if not (settings.http_proxy or settings.https_proxy):
        return []
    servers = [urlsplit(url).hostname or "" for url in (settings.api_url, settings.airflow_api_url)]
    without = [*(host for host in settings.no_proxy.split(",") if host), *_INSIDE, *filter(None, servers)]
    told = {
        "HTTP_PROXY": settings.http_proxy,
        "HTTPS_PROXY": settings.https_proxy,
        "NO_PROXY": ",".join(dict.fromkeys(without)),
    }
    return [
        {"name": spelled, "value": unexpanded(value)}
        for name, value in told.items()
        if value
        for spelled in (name, name.lower())
    ]


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
