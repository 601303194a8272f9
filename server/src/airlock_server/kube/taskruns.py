"""Reads TaskRuns from Kubernetes, and reviews the tokens of their pods."""

from collections.abc import Iterator

import msgspec

from airlock_server.kube.client import Client, path
from airlock_server.kube.errors import NotFound, Unreachable
from airlock_wire.taskrun import GROUP, PLURAL, VERSION, Spec, Status

_GROUP = ("apis", GROUP, VERSION)
_PAGE = 500


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """A TaskRun's name and life."""

    name: str
    namespace: str
    uid: str
    deletion_timestamp: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """Of a TaskRun in a list, whether it is over, and how."""

    metadata: Metadata
    status: Status = Status()

    @property
    def over(self) -> bool:
        """Nothing runs for it any more."""
        return bool(self.status.finished_at or self.metadata.deletion_timestamp)


class TaskRun(Listed, frozen=True, kw_only=True):
    """A TaskRun as the server reads it by name."""

    spec: Spec


class User(msgspec.Struct, frozen=True):
    """The owner of a token."""

    username: str = ""
    extra: dict[str, list[str]] = {}


class _ReviewStatus(msgspec.Struct, frozen=True):
    authenticated: bool = False
    user: User = User()
    audiences: list[str] = []
    error: str = ""


class _Review(msgspec.Struct, frozen=True):
    status: _ReviewStatus


def review(client: Client, token: str, audience: str) -> User | str:
    """Returns the owner of a token for this audience, or why Kubernetes does not confirm it. Raises ClusterError."""
    token_review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [audience]},
    }
    status = client.post(path("apis", "authentication.k8s.io", "v1", "tokenreviews"), token_review, _Review).status
    # An API server that does not support audiences answers without them, and would accept any token of the cluster.
    if not status.authenticated or audience not in status.audiences:
        return status.error or "Kubernetes does not vouch for it: its pod is gone, or it was not signed by this cluster"
    return status.user


def get(client: Client, namespace: str, name: str) -> TaskRun | None:
    """Returns a TaskRun, None if it does not exist."""
    try:
        return client.get(path(*_GROUP, "namespaces", namespace, PLURAL, name), TaskRun)
    except NotFound:
        return None


class _ListMeta(msgspec.Struct, frozen=True, rename={"continue_": "continue"}):
    continue_: str = ""


class _Page(msgspec.Struct, frozen=True):
    metadata: _ListMeta
    items: list[Listed]


def walk(client: Client, namespaces: tuple[str, ...]) -> Iterator[Listed]:
    """Lists the TaskRuns of these namespaces (empty: of all) in bounded pages. Raises ClusterError."""
    folders: list[tuple[str, ...]] = [("namespaces", namespace) for namespace in namespaces] or [()]
    for where in folders:
        query = {"limit": str(_PAGE)}
        for _ in range(10_000):
            page = client.get(path(*_GROUP, *where, PLURAL), _Page, query)
            yield from page.items
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        else:
            raise Unreachable("the list of TaskRuns does not end")
