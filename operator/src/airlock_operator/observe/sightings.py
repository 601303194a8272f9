"""
Keeps what the operator has last seen of TaskRuns and their pods: from events, lists and its own writes.

It may be old, and no decision relies on its being new. A status is written only over the version that it was decided
on. A pod is made under a name that only one pod can have. Before a pod is taken for gone, the API server is asked.

It is small, because an operator may have ten thousand TaskRuns. Of a TaskRun it keeps the JSON of what is read, and of
a pod its facts. Of a TaskRun that has come to its end it keeps the version alone.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from airlock_operator.observe.complaints import Complaint, heard
from airlock_operator.observe.podfacts import ATTEMPT_LABEL, RUN_LABEL, PodFacts, observe
from airlock_operator.observe.taskrun import TRACE_ANNOTATIONS

Json = dict[str, Any]

#: What is read of a TaskRun's metadata. The rest can be larger than its spec and status together.
_METADATA = ("namespace", "name", "uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp")
#: How many complaints about pods that were not seen yet are kept.
_MOST_EARLY = 2048


class Key(NamedTuple):
    """A TaskRun's namespace and name."""

    namespace: str
    name: str


class SeenRun(NamedTuple):
    """
    A TaskRun: its UID, its version, and the JSON of what is read of it; None for one that has come to its end.
    ``state``, ``reason`` and ``attempt`` are its status's, for counts and for the log.
    """

    uid: str
    version: str
    data: bytes | None
    state: str = ""
    reason: str = ""
    attempt: int = 0


class Sightings:
    """TaskRuns and the facts of their pods. ``gone`` is told of each TaskRun that is not there any more."""

    def __init__(self) -> None:
        self.gone: Callable[[Key, SeenRun], None] = lambda _key, _seen: None
        self.runs: dict[Key, SeenRun] = {}
        self._pods: dict[Key, dict[str, PodFacts]] = {}
        self._complaints: dict[str, Complaint] = {}
        self._early: OrderedDict[str, Complaint] = OrderedDict()
        self._keys: dict[str, Key] = {}

    # --- TaskRuns ---

    def saw_run(self, body: Json, *, gone: bool = False) -> Key:
        """Notes a TaskRun as it is now, or that it is gone; returns its key."""
        meta = body["metadata"]
        key = Key(meta["namespace"], meta["name"])
        before = self.runs.get(key)
        if gone:
            if before is None or before.uid == meta["uid"]:
                self.forget(key)
        elif before is None or before.uid != meta["uid"] or not _older(meta["resourceVersion"], before.version):
            small = {name: meta[name] for name in _METADATA if name in meta}
            given = meta.get("annotations") or {}
            if TRACE_ANNOTATIONS[0] in given:
                small["annotations"] = {name: given[name] for name in TRACE_ANNOTATIONS if name in given}
            taskrun = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": small}
            taskrun |= {name: body[name] for name in ("spec", "status") if name in body}
            status = body.get("status") or {}
            # Interned: ten thousand TaskRuns have a dozen reasons.
            state, reason = (sys.intern(str(status.get(name) or "")) for name in ("state", "reason"))
            data, attempt = msgspec.json.encode(taskrun), int(status.get("attempt") or 0)
            self.runs[key] = SeenRun(meta["uid"], meta["resourceVersion"], data, state, reason, attempt)
            if before is not None and before.uid != meta["uid"]:
                self.gone(key, before)
        return key

    def knows_run(self, key: Key, uid: str, version: str) -> bool:
        """Tells whether this very version of a TaskRun, or a newer one, was seen."""
        sighting = self.runs.get(key)
        return sighting is not None and sighting.uid == uid and not _older(sighting.version, version)

    def run(self, key: Key) -> Json | None:
        """Returns what is read of a TaskRun; None if it was not seen, is gone, or has come to its end."""
        sighting = self.runs.get(key)
        return None if sighting is None or sighting.data is None else msgspec.json.decode(sighting.data)

    def settle(self, key: Key) -> None:
        """Keeps nothing but the version of a TaskRun that has come to its end, and nothing of its pods."""
        sighting = self.runs.get(key)
        if sighting is not None and sighting.data is not None:
            self.runs[key] = sighting._replace(data=None)
        self._forget_pods(key)

    def forget(self, key: Key) -> None:
        """Forgets a deleted TaskRun."""
        seen = self.runs.pop(key, None)
        self._forget_pods(key)
        if seen is not None:
            self.gone(key, seen)

    def forget_before(self, keys: set[Key], namespace: str, version: int) -> list[Key]:
        """
        Forgets the TaskRuns that a list of this version lacks; returns their keys. One that was made after the list is
        newer than it. ``namespace`` is the list's, "" for all.
        """
        old_keys = [
            key
            for key, sighting in self.runs.items()
            if key not in keys and namespace in ("", key.namespace) and not _older(str(version), sighting.version)
        ]
        for key in old_keys:
            self.forget(key)
        return old_keys

    # --- pods ---

    def saw_pod(self, body: Json, *, gone: bool = False) -> Key | None:
        """Notes a pod as it is now, or as it was when it was deleted; returns its TaskRun's key, None without one."""
        key = key_of(body["metadata"])
        if key is None:
            return None
        facts = observe(body, gone=gone)
        pods = self._pods.setdefault(key, {})
        before = pods.get(facts.name)
        if before is None or before.uid != facts.uid or (not before.gone and before.version <= facts.version):
            pods[facts.name] = facts
            self._keys[facts.uid] = key
            if facts.uid in self._early:
                self._complaints[facts.uid] = self._early.pop(facts.uid)
        return key

    def knows_pod(self, key: Key, name: str, uid: str, version: str) -> bool:
        """
        Tells whether this very version of a pod, or a newer one, was seen; or its TaskRun has come to its end, so that
        its pods do not matter.
        """
        sighting = self.runs.get(key)
        if sighting is not None and sighting.data is None:
            return True
        pod = self.pod(key, name, uid)
        return pod is not None and (pod.gone or (version.isdigit() and pod.version >= int(version)))

    def pod(self, key: Key, name: str, uid: str = "") -> PodFacts | None:
        """Returns a pod by its name, and by its UID where one is given."""
        pod = self._pods.get(key, {}).get(name)
        return None if pod is None or uid not in ("", pod.uid) else pod

    def pods(self, key: Key) -> list[PodFacts]:
        """Returns all pods seen of a TaskRun."""
        return list(self._pods.get(key, {}).values())

    @property
    def pod_count(self) -> int:
        """How many pods are kept."""
        return len(self._keys)

    def lost_pod(self, key: Key, name: str) -> None:
        """Notes that the API server no longer has the pod: its last facts stay."""
        pod = self._pods.get(key, {}).get(name)
        if pod is not None and not pod.gone:
            self._pods[key][name] = msgspec.structs.replace(pod, gone=True)

    def lost_before(self, uids: set[str], namespace: str, version: int) -> list[Key]:
        """
        Notes the pods that a list of this version lacks, by their UIDs; returns their TaskRuns' keys. ``namespace`` is
        the list's, "" for all.
        """
        lost_pods = [
            (key, pod.name)
            for key, pods in self._pods.items()
            for pod in pods.values()
            if not pod.gone and pod.uid not in uids and pod.version <= version and namespace in ("", key.namespace)
        ]
        for key, name in lost_pods:
            self.lost_pod(key, name)
        return [key for key, _ in lost_pods]

    def _forget_pods(self, key: Key) -> None:
        for facts in self._pods.pop(key, {}).values():
            self._complaints.pop(facts.uid, None)
            self._keys.pop(facts.uid, None)

    # --- complaints ---

    def saw_event(self, event: Json) -> Key | None:
        """Notes an Event about a pod; returns its TaskRun's key if there is a new complaint about one that is known."""
        uid = str((event.get("involvedObject") or {}).get("uid") or "")
        key = self._keys.get(uid)
        complaints = self._early if key is None else self._complaints
        before = complaints.get(uid)
        after = heard(before, event)
        if after is None or after == before:
            return None
        complaints[uid] = after
        if len(self._early) > _MOST_EARLY:
            self._early.popitem(last=False)
        return key

    def complaint(self, uid: str) -> Complaint | None:
        """Returns the last complaint about a pod."""
        return self._complaints.get(uid)


def key_of(metadata: Json) -> Key | None:
    """Returns the key of the TaskRun that a pod belongs to by its labels, None without one."""
    labels = metadata.get("labels") or {}
    if RUN_LABEL not in labels or not str(labels.get(ATTEMPT_LABEL) or "").isdigit():
        return None
    return Key(metadata["namespace"], labels[RUN_LABEL])


def _older(new: str, old: str) -> bool:
    """
    Tells whether a version is older than the known one. Versions of one object are compared as numbers: Kubernetes
    allows that since 1.35, and every API server on etcd has always made them so.
    """
    return new.isdigit() and old.isdigit() and int(new) < int(old)
