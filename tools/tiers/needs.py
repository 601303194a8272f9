"""Meets what tiers need: makes an environment, brings a cluster up, and takes it down again."""

import os
import shlex
import subprocess
from collections.abc import Callable

from tiers.table import Need

_NO_CLUSTER = "no cluster is up"


class Needs:
    """Meets each need once, when the first tier asks. ``close`` ends what it started itself."""

    def __init__(self) -> None:
        self._why: dict[Need, str] = {}
        self._started = False
        #: The variables that are added to the tiers' environment.
        self.env: dict[str, str] = {}

    def missing(self, needs: tuple[Need, ...]) -> str:
        """Says why one of the needs cannot be met here; empty if all are met."""
        ways: dict[Need, Callable[[], str]] = {
            Need.ROOT: self._root,
            Need.AIRFLOW: self._airflow,
            Need.CLUSTER: self._cluster,
        }
        for need in needs:
            if need not in self._why:
                self._why[need] = ways[need]()
        return next((self._why[need] for need in needs if self._why[need]), "")

    def close(self) -> None:
        """Ends the cluster that was brought up for these tests; one that was up before stays as it is."""
        if self._started:
            subprocess.run(["scripts/cluster.sh", "down"], check=False, timeout=600)

    def _root(self) -> str:
        return "" if os.getuid() == 0 else "only root can give user code a user of its own"

    def _airflow(self) -> str:
        for environment in ("airflow", "schemathesis"):
            result = subprocess.run(["scripts/environment.sh", environment], check=False, timeout=1800)
            if result.returncode:
                return f"{environment} could not be installed, see above"
        return ""

    def _cluster(self) -> str:
        status = subprocess.run(
            ["scripts/cluster.sh", "status"], stdout=subprocess.PIPE, text=True, check=False, timeout=300
        )
        if status.stdout.strip() == _NO_CLUSTER:
            self._started = True
            self.env["AIRLOCK_CLUSTER_MAY_END"] = "1"
        up = subprocess.run(["scripts/up.sh"], stdout=subprocess.PIPE, text=True, check=False, timeout=3600)
        if up.returncode:
            return "no cluster could be brought up, see above"
        self.env |= exported(up.stdout, os.environ.get("PATH", ""))
        return ""


def exported(line: str, path: str) -> dict[str, str]:
    """Returns the variables in the line that ``make up`` prints for a shell. Pure."""
    words = shlex.split(line)
    if words[:1] != ["export"]:
        raise ValueError(f"make up printed no line to evaluate: {line!r}")
    pairs = (word.partition("=") for word in words[1:])
    return {name: value.replace("$PATH", path) for name, _, value in pairs}
