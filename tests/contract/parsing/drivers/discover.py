"""
Lists the DAG files that Airflow finds in a folder, for several .airflowignore files: {name: [[files], ...]} on stdout.

    discover.py FOLDER < {"syntax": "glob", "cases": [{"folder": "text"}, ...]}
"""

import json
import sys
from pathlib import Path

from airflow._shared.module_loading.file_discovery import find_path_from_directory
from airflow.utils.file import might_contain_dag


def main():
    root, given = Path(sys.argv[1]), json.load(sys.stdin)
    listed = []
    for case in given["cases"]:
        for folder, text in case.items():
            (root / folder / ".airflowignore").write_text(text)
        paths = find_path_from_directory(root, ".airflowignore", given["syntax"])
        found = sorted(str(Path(path).relative_to(root)) for path in paths)
        listed.append([path for path in found if path.endswith(".py") and might_contain_dag(str(root / path), True)])
        for folder in case:
            (root / folder / ".airflowignore").unlink()
    print("LISTED", json.dumps(listed))


main()
