"""``python -m reference FOLDER``: writes the generated pages of docs/reference into a folder."""

import sys
from collections.abc import Callable
from pathlib import Path

from reference import chart_values, command_line, settings, taskrun

#: Each page and what writes it.
PAGES: dict[str, Callable[[], str]] = {
    "taskrun.md": taskrun.page,
    "settings.md": settings.page,
    "chart-values.md": chart_values.page,
    "command-line.md": command_line.page,
}


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
