"""Where a real Airflow with our executor runs: its image with our wheels, its database, its namespace, and our chart."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doubles.postgresql import PostgreSQL
from kube.dropin import DropIn
from kube.install import Install
from kube.kubectl import Kubectl
from kube.namespaces import namespace
from kube.witness import Witness

from cluster.node.addresses import FIRST, HOST, PODS
from cluster.programs import images

_ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_IMAGE = images.Image(
    "test-airflow",
    others=("images/install.py", "requirements/airflow.txt"),
    own="tests/e2e/airflow/image/Containerfile",
)
EXECUTOR_IMAGE = images.Image("test-airflow-executor", own="tests/e2e/executor/image/Containerfile")


def image(hooks: Any) -> str:
    """Loads Airflow's image with the wheels that `make wheels` builds onto the nodes; returns its name."""
    subprocess.run(["make", "--no-print-directory", "wheels"], cwd=_ROOT, check=True, timeout=300, capture_output=True)
    wheels = {path.name: path for path in sorted((_ROOT / "dist").glob("*.whl"))}
    built = images.built(EXECUTOR_IMAGE, images.built(AIRFLOW_IMAGE).path, **wheels)
    hooks.load_image(built.path)
    return built.reference


@contextmanager
def reachable() -> Iterator[None]:
    """Inside the block the pods of this machine's cluster reach this machine, and its answers them."""
    show = ["ip", "route", "show", PODS]
    if subprocess.run(show, capture_output=True, text=True, timeout=10, check=True).stdout.strip():
        yield
        return
    subprocess.run(["ip", "route", "add", PODS, "via", FIRST.ip], check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run(["ip", "route", "del", PODS], check=False, timeout=10)


@contextmanager
def running(
    cluster: Kubectl, hooks: Any, install: Install, dags: dict[str, str], executors: list[str], **settings: str
) -> Iterator[DropIn]:
    """Inside the block such an Airflow runs, with a witness beside it; our chart is told of it."""
    reference = image(hooks)
    server = PostgreSQL(HOST)
    try:
        with reachable(), namespace(cluster, "dropin") as team:
            name = server.make()
            address = server.address_of(name).replace("postgresql://", "postgresql+psycopg2://")
            options = {"AIRLOCK__IMAGE": reference} | settings
            airflow = DropIn(team, dags, executors, address, server.url(name), **options)
            with install.told(**airflow.values):
                Witness(team).start()
                yield airflow.start()
    finally:
        server.close()
