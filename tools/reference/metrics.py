"""Writes the page of metrics from the tables of operator and server."""

from collections.abc import Iterable
from typing import Any

from airlock_operator import metrics as operators
from airlock_server import metrics as servers
from reference import markdown

HEAD = """\
# Metrics

This page is written by `make manifests` from `airlock_operator/metrics.py` and `airlock_server/metrics.py`; a test
holds them equal. [Operations](../guides/operations.md#metrics) says how a Prometheus gets at them.

A histogram has the series `_bucket`, `_sum` and `_count` of its name. No label has the name of a TaskRun, a pod or a
namespace, so the number of series does not grow with the cluster. Each process also has the `process_` metrics of
Prometheus' client: CPU seconds, memory, open files and the time of its start.
"""

#: Each process, and the module of its metrics.
PROCESSES: tuple[tuple[str, Any], ...] = (("The operator", operators), ("The server", servers))


def page() -> str:
    """Write the whole page."""
    parts = [HEAD]
    for title, module in PROCESSES:
        parts += [f"## {title}\n", markdown.table(("metric", "kind", "labels", "what it is"), _rows(module))]
    return "\n".join(parts)


def _rows(module: Any) -> Iterable[tuple[str, str, str, str]]:
    for each in module.FAMILIES:
        labels = ", ".join(markdown.code(label) for label in each.labels)
        name = markdown.code(f"{module.PREFIX}_{each.name}")
        yield name, each.kind.__name__.lower(), labels, markdown.prose(each.help)
