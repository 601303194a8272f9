"""What `kubectl get taskrun` shows of one over time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kube.kubectl import Kubectl
from kube.taskruns import reason, status

_LOOK_SECONDS = 0.3


class Story:
    """What `kubectl get taskrun` shows of one, each change with its second."""

    def __init__(self, team: Kubectl, name: str) -> None:
        self._team, self._name, self._began = team, name, time.monotonic()
        self._lines: list[tuple[float, str]] = []

    def until(self, done: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """Waits until ``done`` holds of the TaskRun, prints what was shown, and returns the TaskRun."""
        ends = time.monotonic() + seconds
        while True:
            run = self._team.get("taskrun", self._name) or {}
            line = f"{status(run).get('state', '')} {reason(run)}"
            if not self._lines or self._lines[-1][1] != line:
                self._lines.append((round(time.monotonic() - self._began, 1), line))
            if done(run):
                print(self._name, self._lines)
                return run
            assert time.monotonic() < ends, self._lines
            time.sleep(_LOOK_SECONDS)
