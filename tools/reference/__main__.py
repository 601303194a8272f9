"""``python -m reference FOLDER``: writes the generated pages of docs into a folder."""

import sys
from collections.abc import Callable
from pathlib import Path

from reference import airflow_examples, chart_values, command_line, execution_api, messages, metrics, settings, taskrun

#: Each page and what writes it.
PAGES: dict[str, Callable[[], str]] = {
    "messages.md": messages.page,
    "reference/taskrun.md": taskrun.page,
    "reference/settings.md": settings.page,
    "reference/chart-values.md": chart_values.page,
    "reference/command-line.md": command_line.page,
    "reference/metrics.md": metrics.page,
    "reference/execution-api.md": execution_api.page,
    "reference/airflow-examples.md": airflow_examples.page,
}


def main(folder: Path) -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(page())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
