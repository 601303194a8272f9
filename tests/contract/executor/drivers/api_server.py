"""
What other processes of Airflow do with the executor: load it by a list and by an alias, construct it without a cluster,
read a log, and run its program. What was found is printed behind the word RESULT.
"""

import contextlib
import io
import json
import os
import pathlib
import shutil
import sys
from types import SimpleNamespace

from airflow.executors import workloads
from airflow.executors.executor_loader import ExecutorLoader
from airflow.providers.cncf.kubernetes.get_provider_info import get_provider_info

json.load(sys.stdin)
names = ExecutorLoader.get_executor_names()
cluster_calls = []
executors = {name.alias or name.module_path: ExecutorLoader.load_executor(name) for name in names}
ours = executors["runs"]
ti = SimpleNamespace(id="0199d0aa-1111-7000-8000-000000000001")
callback = workloads.ExecuteCallback.model_construct()
try:
    ours.queue_workload(callback, session=None)
    refused = ""
except NotImplementedError as e:
    refused = str(e)

lines, reachable = ours.get_task_log(ti, 1), None
os.environ["AIRFLOW__AIRLOCK__KUBECONFIG"] = "/does/not/exist"
unreachable = ExecutorLoader.load_executor("runs").get_task_log(ti, 1)
os.environ["AIRFLOW__AIRLOCK__IMAG"] = "x"
misspelt = ExecutorLoader.load_executor("runs").get_task_log(ti, 1)
del os.environ["AIRFLOW__AIRLOCK__IMAG"]

from airlock_executor.airflow import command  # noqa: E402

os.environ["AIRFLOW__AIRLOCK__KUBECONFIG"] = os.environ["KUBECONFIG_OF_TEST"]
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    code = command.main(["check"])
os.environ["AIRFLOW__AIRLOCK__TOKEN_SECONDS"] = "1"
with contextlib.redirect_stderr(wrong := io.StringIO()):
    wrong_code = command.main(["check"])

# Where the files of local bundles are: nowhere, on a volume, in this image, on a volume that the template mounts too.
os.environ["AIRFLOW__AIRLOCK__TOKEN_SECONDS"] = "600"
from airlock_executor.airflow import configuration, dag_files  # noqa: E402

volume, image = pathlib.Path("/dev/shm/airlock-dags"), pathlib.Path(os.environ["AIRFLOW_HOME"], "image-dags")
for folder in (volume, image):
    folder.mkdir(exist_ok=True)
    (folder / "f.py").touch()
template = image / "template.yaml"
template.write_text("spec: {containers: [{volumeMounts: [{name: dags, mountPath: /dev/shm/}]}]}")
absent = []
for folder, mounted in (("/nowhere", ""), (volume, ""), (image, ""), (volume, template)):
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(folder)
    os.environ["AIRFLOW__AIRLOCK__POD_TEMPLATE_FILE"] = str(mounted)
    absent.append(dag_files.absent(configuration.read()))
shutil.rmtree(volume)

# With teams, a team's option counts before the one for all.
os.environ["AIRFLOW__CORE__MULTI_TEAM"] = "True"
os.environ["AIRFLOW__SALES_EU___AIRLOCK__IMAGE"] = "images/sales:1"
teams = [[each.image, each.name, each.namespace] for each in (configuration.read(), configuration.read("sales_eu"))]

found = {
    "teams": teams,
    "executors": {name: type(each).__name__ for name, each in executors.items()},
    "flags": [ours.supports_multi_team, ours.supports_callbacks, ours.serve_logs, ours.is_local],
    "refused": refused,
    "log": lines,
    "unreachable": unreachable,
    "misspelt": misspelt,
    "check": [code, printed.getvalue()],
    "absent": absent,
    "wrong": [wrong_code, wrong.getvalue()],
    "options": sorted(get_provider_info()["config"]["kubernetes_executor"]["options"]),
}
print("RESULT " + json.dumps(found))
