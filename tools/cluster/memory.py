"""What is remembered about the running cluster: one JSON file, and a lock so that one command at a time changes it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cluster import places
from cluster.commands import CommandError
from cluster.processes import Recorded


@dataclass
class RememberedNode:
    """A bare node: the process that holds its namespaces, and its components by name."""

    number: int
    holder: Recorded
    components: dict[str, Recorded] = field(default_factory=dict)


@dataclass
class Remembered:
    """
    The running cluster. ``kind`` is "bare" or "kind" (one that is not ours is not remembered).

    ``images`` maps an image's name to the key of the archive that was loaded last; ``folders`` are mount points that
    were made on the machine and go with the cluster; ``complete`` is set once the cluster was up.
    """

    kind: str
    nodes: dict[str, RememberedNode] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    complete: bool = False

    @staticmethod
    def path() -> Path:
        return places.state() / "state.json"

    @classmethod
    def load(cls) -> Remembered | None:
        """
        Reads what is remembered; None if no cluster was brought up since the last `down` or the machine's start.
        """
        try:
            raw: dict[str, Any] = json.loads(cls.path().read_text())
        except FileNotFoundError:
            return None
        nodes = {
            name: RememberedNode(
                node["number"],
                Recorded(**node["holder"]),
                {part: Recorded(**process) for part, process in node["components"].items()},
            )
            for name, node in raw.pop("nodes").items()
        }
        return cls(nodes=nodes, **raw)

    def save(self) -> None:
        """Replaces the file whole."""
        path = self.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".new")
        half.write_text(json.dumps(asdict(self), indent=1))
        os.replace(half, path)


@contextlib.contextmanager
def lock(patience: float = 1800.0) -> Iterator[None]:
    """Held by every command that changes the cluster. Waits for another one's end, ``patience`` seconds at most."""
    places.cache().mkdir(parents=True, exist_ok=True)
    with (places.cache() / "cluster.lock").open("w") as file:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise CommandError(f"another command has held {file.name} for {patience:g} s") from None
                time.sleep(0.1)
        yield
