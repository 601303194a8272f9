"""kubectl, as a user types it, and waiting for what it shows. Only against a cluster that is marked as one for tests."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MARK = ("airlock.dev/test-cluster", "true")
#: How often a wait looks at what no event tells; how long until it asks anew, for what happened before its watch began.
_LOOK_SECONDS, _WATCH_SECONDS = 0.5, 5.0


class Refused(AssertionError):
    """kubectl ended with an error; the text is what it printed."""


class Kubectl:
    """kubectl in one namespace, as one user: ``user`` are arguments such as ``--as=...``."""

    def __init__(self, kubeconfig: str, namespace: str = "default", user: tuple[str, ...] = ()) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self._user = user

    def of(self, namespace: str) -> Kubectl:
        """The same in another namespace."""
        return Kubectl(self.kubeconfig, namespace, self._user)

    def as_user(self, *user: str) -> Kubectl:
        """The same as somebody else."""
        return Kubectl(self.kubeconfig, self.namespace, user)

    def __call__(self, *arguments: str, stdin: str | None = None, seconds: float = 60, check: bool = True) -> str:
        """What it prints; raises Refused with what it says where it fails."""
        done = subprocess.run(
            self._command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode != 0:
            raise Refused(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout if check else done.stdout + done.stderr

    def _command(self, *arguments: str) -> list[str]:
        return ["kubectl", "--kubeconfig", self.kubeconfig, "-n", self.namespace, *self._user, *arguments]

    def apply(self, manifest: str | dict[str, Any] | list[dict[str, Any]] | Path) -> None:
        """Applies a file, a text, or objects."""
        if isinstance(manifest, Path):
            self("apply", "-f", str(manifest))
        elif isinstance(manifest, str):
            self("apply", "-f", "-", stdin=manifest)
        else:
            items = manifest if isinstance(manifest, list) else [manifest]
            # Not as one List: that one kubectl checks by itself, in words that name no field.
            self("apply", "-f", "-", stdin="\n---\n".join(json.dumps(item) for item in items))

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object, None if it does not exist."""
        text = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return list(json.loads(self("get", kind, *chosen, "-o", "json"))["items"])

    def wait(self, kind: str, name: str, until: Callable[[dict[str, Any]], Any], seconds: float = 60) -> dict[str, Any]:
        """The object once ``until`` holds of it; an absent one is an empty map. ``until`` may look at other things too."""
        ends = time.monotonic() + seconds
        while True:
            found = self.get(kind, name) or {}
            if until(found) or until(found := self._watched(kind, name, until, found, ends)):
                return found
            if time.monotonic() > ends:
                shown = json.dumps(found.get("status", found), indent=1)
                raise AssertionError(f"{kind} {name} did not come so far in {seconds:g} s; it is: {shown}")

    def _watched(
        self, kind: str, name: str, until: Callable[[Any], Any], found: dict[str, Any], ends: float
    ) -> dict[str, Any]:
        """The object when ``until`` holds, or after a while: a kubectl for every look took a third of a processor."""
        ends = min(ends, time.monotonic() + _WATCH_SECONDS)
        with self._events(kind, name) as events:
            while not until(found) and time.monotonic() < ends:
                with contextlib.suppress(queue.Empty):
                    event = events.get(timeout=_LOOK_SECONDS)
                    if event is None:
                        # The API server closed the watch, or is away.
                        time.sleep(_LOOK_SECONDS)
                        break
                    found = {} if event["type"] == "DELETED" else event["object"]
        return found

    @contextmanager
    def _events(self, kind: str, name: str) -> Iterator[queue.Queue[dict[str, Any] | None]]:
        """What happens to an object inside the block, as watch events; None is the end of the watch."""
        events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        watch = ("--field-selector", f"metadata.name={name}", "--watch", "--output-watch-events")
        words = self._command("get", kind, *watch, "-o", r'jsonpath={}{"\n"}')
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout
            reader = threading.Thread(target=_read, args=(process.stdout, events))
            reader.start()
            try:
                yield events
            finally:
                process.kill()
                reader.join()


def _read(lines: Iterable[str], events: queue.Queue[dict[str, Any] | None]) -> None:
    """Puts every event into the queue, and None at the end."""
    for line in lines:
        # The last one may be cut off where kubectl was ended.
        if line.endswith("\n"):
            events.put(json.loads(line))
    events.put(None)


def marked(kubeconfig: str) -> bool:
    """Whether the cluster says of itself that tests may do as they like with it."""
    labels = (Kubectl(kubeconfig).get("namespace", "kube-system") or {}).get("metadata", {}).get("labels", {})
    return bool(labels.get(MARK[0]) == MARK[1])


def of_environment() -> Kubectl:
    """The cluster that KUBECONFIG names; AssertionError if it is not marked for tests."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    assert kubeconfig, "these tests need a cluster: type `make up`, and the line that it prints"
    assert marked(kubeconfig), f"the cluster of {kubeconfig} is not marked as one for tests ({'='.join(MARK)})"
    return Kubectl(kubeconfig)
