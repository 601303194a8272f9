"""Runs Airflow's example DAGs twice: by our `airlock dags test` through Airflow's names, and by Airflow's `dag.test()`."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from airlock_server.installation import Installation
from airlock_server.launching.local.executor import CannotParse, Executor

DATE = "2026-01-02T00:00:00+00:00"
#: What a run may take.
SECONDS = 60
DRIVER = Path(__file__).parent / "drivers/run_dags.py"
#: The folders of DAG files below the package ``airflow``, and which of their folders hold no DAG files.
FOLDERS = ("example_dags", "providers/standard/example_dags")
BESIDE = ("libs", "plugins", "sql")
_AIRFLOW_MINUTES = 40
#: The state of a run that is not made, because of its params; and the exit code of our command then.
REFUSED = "refused"
_USAGE = 2


class Examples:
    """
    The example DAGs of an installed Airflow, in a folder of the test's own.

    ``airflow.example_dags`` is a package of Airflow itself, which examples import modules of, so it is on the path. The
    default image of a runner has no kubernetes client, but the environment of these tests has one.
    """

    def __init__(self, python, folder):
        self.python = python
        self.folder = folder
        package = next(python.parent.parent.glob("lib/python3*/site-packages/airflow"))
        self.path = folder / "path"
        shutil.copytree(package / FOLDERS[0], self.path / "airflow/example_dags")
        (self.path / "kubernetes.py").write_text("raise ImportError('the default image has no kubernetes client')\n")
        self.places = {}
        for name in FOLDERS:
            place = folder / name.replace("/", "-")
            shutil.copytree(package / name, place)
            for file in sorted(place.glob("*.py")):
                if file.name != "__init__.py":
                    self.places[f"{name}/{file.name}"] = file

    def environ(self, home):
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.path), "AIRLOCK_HOME": str(home)}

    def dags(self):
        """The ids of the DAGs of each file, or the error of its import."""
        found = {}
        with Installation(self.environ(self.folder / "parsing")) as installation:
            executors = {
                folder: Executor(installation, folder, self.environ(""), lambda _: None)
                for folder in {file.parent for file in self.places.values()}
            }
            for name, file in self.places.items():
                try:
                    found[name] = [dag.dag_id for dag in executors[file.parent].parse(file.name).dags]
                except CannotParse as e:
                    found[name] = [] if ": NoDag: " in str(e) else str(e)
        return found

    def ours(self, name, dag_id, first=()):
        """How a DAG ends by our command. ``first`` are files whose DAGs are run before, so that the server knows them."""
        home = self.folder / "homes" / dag_id
        for other in first:
            self._airlock(home, self.places[other])
        output = self._airlock(home, self.places[name], dag_id, DATE)
        if output == REFUSED:
            return {"state": REFUSED, "instances": {}}
        lines = output.partition("\ntask ")[2].partition("\n\n")[0].splitlines()[1:]
        states = {key: None if state == "waiting" else state for key, state, *_ in (line.split() for line in lines)}
        state = re.search(r"^state +(\w+)", output, re.MULTILINE)
        return {"state": state and state[1], "instances": states}

    def _airlock(self, home, *words):
        command = ["timeout", "-s", "INT", str(SECONDS), sys.executable, "-m", "airlock_server", "dags", "test"]
        environ = self.environ(home)
        done = subprocess.run([*command, *map(str, words)], env=environ, capture_output=True, text=True, check=False)
        if done.returncode == _USAGE and " the param " in done.stderr:
            return REFUSED
        assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def airflows(self, dags, environ, beside):
        """
        How DAGs end by Airflow, in one process. ``dags`` are the ids of each file's, ``environ`` has a home with a
        migrated database, and ``beside`` are further files that a file's bundle has.
        """
        bundles = []
        for name, dag_ids in dags.items():
            folder = self.folder / "bundles" / name.replace("/", "-").removesuffix(".py")
            folder.mkdir(parents=True, exist_ok=True)
            for each in (name, *beside.get(name, ())):
                shutil.copy(self.places[each], folder)
            for part in BESIDE:
                if (self.places[name].parent / part).is_dir():
                    shutil.copytree(self.places[name].parent / part, folder / part, dirs_exist_ok=True)
            (folder / ".airflowignore").write_text("plugins/\nlibs/\n")
            bundles.append((folder.name, str(folder), dag_ids))
        kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
        listed = [{"name": name, "classpath": kind, "kwargs": {"path": path}} for name, path, _ in bundles]
        answer = self.folder / f"answer-{bundles[0][0]}.json"
        done = subprocess.run(
            [self.python, DRIVER, DATE, answer],
            input=json.dumps(bundles),
            # With its examples Airflow also loads their plugins, which two of them need.
            env=environ
            | {
                "AIRFLOW__CORE__LOAD_EXAMPLES": "True",
                "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(listed),
            },
            cwd=environ["AIRFLOW_HOME"],
            capture_output=True,
            text=True,
            timeout=_AIRFLOW_MINUTES * 60,
            check=False,
        )
        assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(answer.read_text())
