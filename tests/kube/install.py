"""Airlock as Helm installed it, and what its chart is told."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kube.kubectl import Kubectl
from kube.place import Place

_ROOT = Path(__file__).resolve().parents[2]
_UPGRADE = ("upgrade", "airlock", "charts/airlock", "--wait", "--timeout=2m")


class Install:
    """The release in the namespace of ``system``, for a session of tests that has this place on the cluster."""

    def __init__(self, system: Kubectl, place: Place) -> None:
        self._system, self._place = system, place

    def helm(self, *words: str) -> str:
        """What helm prints; its error where it fails."""
        done = subprocess.run(
            [
                _ROOT / ".venvs/dev/bin/helm",
                "--kubeconfig",
                self._system.kubeconfig,
                "-n",
                self._system.namespace,
                *words,
            ],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    @contextmanager
    def told(self, **values: object) -> Iterator[None]:
        """Inside the block the chart is told these values too, and every part runs with them; it restarts for that."""
        before = self.helm("get", "values", "airlock", "-o", "json")
        words = [word for name, value in values.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]
        with self._place.alone():
            self._upgrade("--reuse-values", *words)
        try:
            yield
        finally:
            # Not if another test has installed it anew meanwhile.
            if json.loads(self.helm("get", "values", "airlock", "-o", "json")) != json.loads(before):
                with self._place.alone():
                    self._upgrade("--reset-values", *self._as_words(json.loads(before) or {}))

    def _upgrade(self, *words: str) -> None:
        self.helm(*_UPGRADE, *words)
        # Helm does not wait for the pods that go: an operator that is told to end leads for some seconds more, and
        # makes pods by what it was told before.
        ends = time.monotonic() + 60
        while any("deletionTimestamp" in pod["metadata"] for pod in self._system.list("pods")):
            assert time.monotonic() < ends, "pods of before the upgrade do not go"
            time.sleep(0.5)

    @staticmethod
    def _as_words(values: dict[str, object], prefix: str = "") -> list[str]:
        words = []
        for name, value in values.items():
            if isinstance(value, dict):
                words += Install._as_words(value, f"{prefix}{name}.")
            else:
                words += ["--set-json", f"{prefix}{name}={json.dumps(value)}"]
        return words
