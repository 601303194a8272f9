"""
Keeps what the operator has last seen of TaskRuns and their pods: from events, lists and its own writes.

It may be old, and no decision relies on its being new. A status is written only over the version that it was decided
on. A pod is made under a name that only one pod can have. Before a pod is taken for gone, the API server is asked.
"""

from typing import Any, NamedTuple

import msgspec

from airlock_operator.observe.complaints import Complaint
from airlock_operator.observe.podfacts import ATTEMPT_LABEL, RUN_LABEL, PodFacts, observe

Json = dict[str, Any]


class Key(NamedTuple):
    """A TaskRun's namespace and name."""

    namespace: str
    name: str


class Sightings:
    """Bodies of TaskRuns and facts of pods, by TaskRun."""

    def __init__(self) -> None:
        self.runs: dict[Key, Json] = {}
        self._pods: dict[Key, dict[str, PodFacts]] = {}
        self._complaints: dict[str, Complaint] = {}

    def saw_run(self, body: Json, *, gone: bool = False) -> Key:
        """Notes a TaskRun as it is now, or that it is gone; returns its key."""
        key = Key(body["metadata"]["namespace"], body["metadata"]["name"])
        if gone:
            self.forget(key)
        elif not _older(body, self.runs.get(key)):
            self.runs[key] = body
        return key

    def saw_pod(self, body: Json, *, gone: bool = False) -> Key | None:
        """Notes a pod as it is now, or as it was when it was deleted; returns its TaskRun's key, None without one."""
        labels = body["metadata"].get("labels") or {}
        if RUN_LABEL not in labels or not str(labels.get(ATTEMPT_LABEL) or "").isdigit():
            return None
        key = Key(body["metadata"]["namespace"], labels[RUN_LABEL])
        facts = observe(body, gone=gone)
        known = self._pods.setdefault(key, {})
        before = known.get(facts.name)
        if before is None or before.uid != facts.uid or (not before.gone and before.version <= facts.version):
            known[facts.name] = facts
        return key

    def pod(self, key: Key, name: str, uid: str = "") -> PodFacts | None:
        """Returns a pod by its name, and by its UID where one is given."""
        found = self._pods.get(key, {}).get(name)
        if found is None or uid not in ("", found.uid):
            return None
        complaint = self._complaints.get(found.uid)
        return found if complaint is None else msgspec.structs.replace(found, complaint=complaint)

    def complain(self, uid: str, complaint: Complaint) -> None:
        """Remembers what a kubelet complained of about a pod."""
        self._complaints[uid] = complaint

    def pods(self, key: Key) -> list[PodFacts]:
        """Returns all pods seen of a TaskRun."""
        return list(self._pods.get(key, {}).values())

    def lost_pod(self, key: Key, name: str) -> None:
        """Notes that the API server no longer has the pod: its last facts stay."""
        found = self._pods.get(key, {}).get(name)
        if found is not None and not found.gone:
            self._pods[key][name] = msgspec.structs.replace(found, gone=True)

    def forget(self, key: Key) -> None:
        """Forgets a deleted TaskRun."""
        self.runs.pop(key, None)
        for facts in self._pods.pop(key, {}).values():
            self._complaints.pop(facts.uid, None)


def _older(body: Json, than: Json | None) -> bool:
    """
    Tells whether this version is older than the known one. Versions of one object are compared as numbers: Kubernetes
    allows that since 1.35, and every API server on etcd has always made them so.
    """
    if than is None or body["metadata"]["uid"] != than["metadata"]["uid"]:
        return False
    new, old = body["metadata"]["resourceVersion"], than["metadata"]["resourceVersion"]
    return new.isdigit() and old.isdigit() and int(new) < int(old)
