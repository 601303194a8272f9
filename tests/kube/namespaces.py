"""Namespaces of tests, at the ``restricted`` Pod Security level."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from kube.kubectl import Kubectl


@contextmanager
def namespace(cluster: Kubectl, kind: str) -> Iterator[Kubectl]:
    """kubectl in a namespace that is removed after the block."""
    name = f"{kind}-{uuid.uuid4().hex[:6]}"
    cluster("create", "namespace", name)
    cluster("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    try:
        yield cluster.of(name)
    finally:
        cluster("delete", "namespace", name, "--wait=false")
