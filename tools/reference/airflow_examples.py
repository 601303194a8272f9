"""
Writes the page of Airflow's example DAGs: each file and DAG, and how it ends here and by Airflow.

The results are those that the contract tests saw; ``examples.json`` has them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference import markdown

EXAMPLES = Path(__file__).with_name("examples.json")

HEAD = """\
# Airflow's example DAGs

The DAG files that Airflow 3.3.2 and its standard provider bring as examples, unchanged. Each is imported through
Airflow's names. Each DAG that can be run here is run by `airlock dags test` and by Airflow's own `dag.test()`, for the
same date. All of its task instances, mapped ones by their index, must end in the same state, and so must the run.
This page is written by `make manifests` from what `tests/contract/examples` saw: `make soak` runs all of them, and
`make contract` some.
"""


def page() -> str:
    """Write the whole page."""
    files: dict[str, dict[str, Any]] = json.loads(EXAMPLES.read_text())
    dags = [dag for of in files.values() for dag in of["dags"].values()]
    run, alone = (sum(key in dag for dag in dags) for key in ("run", "not_run"))
    counts = [
        f"- {len(files)} of {len(files)} files are imported. They define {len(dags)} DAGs.",
        f"- {run} DAGs are run, and end as by Airflow unless the last column says otherwise.",
        f"- {alone} DAGs are imported alone, for the reason in their row.",
    ]
    rows = markdown.table(("File", "DAG", "Run", "Task instances", ""), _rows(files))
    return "\n".join([HEAD, *counts, "", rows, ""])


def _rows(files: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, of in sorted(files.items()):
        if not of["dags"]:
            yield f"`{name}`", "", "", "", of["without"]
        for dag_id, dag in of["dags"].items():
            if "not_run" in dag:
                yield f"`{name}`", f"`{dag_id}`", "", "", f"not run: {dag['not_run']}"
            else:
                differences = "; ".join(dag.get("different", []))
                yield f"`{name}`", f"`{dag_id}`", dag["run"], str(dag["instances"]), differences
