"""An object store in a namespace of the cluster: the Versity gateway over a folder, so that an object is a file."""

from __future__ import annotations

import json
from typing import Any

from kube.kubectl import Kubectl
from kube.objects import restricted, secret, server

IMAGE = "docker.io/airlock/test-store:0.1.0"
#: The Secret that sidecars mount, as the chart's value ``logs.credentialsSecret`` has it.
SECRET = "log-store"
BUCKET = "logs"
_PORT = 7070
_KEY = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-store"}
_READ = """
import json, pathlib
folder = pathlib.Path("/data/logs/prefix")
files = sorted(path for path in folder.rglob("*") if path.is_file())
print(json.dumps({str(path.relative_to(folder)): path.read_text() for path in files}))
"""


class Store:
    """One store, in the namespace of ``team``."""

    def __init__(self, team: Kubectl) -> None:
        self.team = team

    @property
    def values(self) -> dict[str, object]:
        """What the chart is told of it."""
        return {
            "logs.store": f"s3://{BUCKET}/prefix",
            "logs.endpoint": f"http://store.{self.team.namespace}.svc:{_PORT}",
            "logs.credentialsSecret": SECRET,
            "logs.chunkSeconds": 1,
        }

    def start(self) -> Store:
        self.team.apply([secret(SECRET, _KEY), *_server()])
        self.team("wait", "--for=condition=Ready", "pod/store", "--timeout=60s", seconds=70)
        return self

    def logs(self, dag_id: str) -> dict[str, list[dict[str, Any]]]:
        """The lines of each try's log of a DAG by the log's name; its parts one behind the other."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path, text in json.loads(self.team("exec", "store", "--", "python3", "-c", _READ)).items():
            folder, _, name = path.rpartition("/")
            if folder.startswith(f"dag_id={dag_id}/"):
                # What is behind the log's name numbers its parts, which come in the order of their names.
                found.setdefault(name.partition(".log")[0], []).extend(map(json.loads, text.splitlines()))
        return found


def _server() -> list[dict[str, Any]]:
    env = {"ROOT_ACCESS_KEY": _KEY["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": _KEY["AWS_SECRET_ACCESS_KEY"]}
    container = {
        "image": IMAGE,
        "command": ["sh", "-c", f"mkdir -p /data/{BUCKET} && exec versitygw --port :{_PORT} --quiet posix /data"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "securityContext": restricted(65534),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return server("store", _PORT, container, volumes=[{"name": "data", "emptyDir": {}}])
