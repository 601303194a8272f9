"""
Turns a ``V1Pod`` of Kubernetes' Python client into plain data, and back for a ``pod_mutation_hook``.

The only module that imports the client's models. A DAG's ``pod_override`` is such an object, of whatever generation of
the client the image has.
"""

import json
from types import SimpleNamespace
from typing import Any

from kubernetes.client import V1Pod
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration

Json = dict[str, Any]


def plain(pod: Any) -> Json:
    """
    Returns a pod as the API writes it, in camelCase and without empty fields. Takes a ``V1Pod`` or such data.

    Raises TypeError for anything else.
    """
    if not isinstance(pod, dict) and type(pod).__name__ != "V1Pod":
        raise TypeError(f"it must be a kubernetes.client.V1Pod, or the same as a dict; it is a {type(pod).__name__}")
    data = _client().sanitize_for_serialization(pod)
    return dict(data) if isinstance(data, dict) else {}


def model(pod: Json) -> Any:
    """Returns a ``V1Pod`` of plain data."""
    if hasattr(V1Pod, "from_dict"):
        return V1Pod.from_dict(pod)
    # Generation 36 reads a response, of which it wants the text alone.
    return _client().deserialize(SimpleNamespace(data=json.dumps(pod)), "V1Pod")


def _client() -> Any:
    # A configuration of its own: the default one reads what some other code of this process has set.
    return ApiClient(Configuration())
