"""`up` and `down`, whatever the cluster is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from cluster import choice, places
from cluster.commands import CommandError, run, say
from cluster.hooks import Machinery
from cluster.kind import Kind
from cluster.memory import Remembered, lock
from cluster.node.bare import Bare
from cluster.programs import debian, golang, images


def up(nodes: int = 1) -> str:
    """
    Makes sure that a cluster is up with today's images and so many nodes, and returns the line that exports it.

    A cluster that is up is found again. Raises CommandError and ChoiceError.
    """
    with lock():
        remembered = Remembered.load()
        # A KUBECONFIG that is ours, from an earlier export line, is not a foreign cluster.
        kubeconfig = os.environ.get("KUBECONFIG", "")
        if (
            remembered
            and (not kubeconfig or _same(kubeconfig, places.kubeconfig()))
            and machinery(remembered.kind).healthy()
        ):
            say(f"a {remembered.kind} cluster is up already")
        else:
            facts = gather()
            way = choice.choose(facts)
            if way == "foreign":
                say(f"using the test cluster of {kubeconfig}; the tests that need a hook are not run on it")
                return export(Path(kubeconfig))
            if facts.no_kind and way == "bare":
                say(f"a bare node, as kind cannot be had: {facts.no_kind}")
            if way == "bare":
                prefetch()
            machinery(way).up()
        load_images()
        add_nodes(nodes)
        return export(places.kubeconfig())


def down() -> None:
    """Ends the cluster that `up` made. Harmless without one; never touches one that it did not make."""
    with lock():
        remembered = Remembered.load()
        if remembered is not None:
            machinery(remembered.kind).down()
            return
        say("no cluster is up")
        # What a killed `up` or a lost state file has left, of this user's.
        for kind in ("kind", "bare"):
            machinery(kind).down()


def machinery(kind: str) -> Bare | Kind:
    """Returns the machinery for clusters of a kind."""
    return Kind() if kind == "kind" else Bare()


def load_images() -> None:
    """Builds the images whose content changed, and loads those that the cluster does not have."""
    archives = images.build_all()
    remembered = Remembered.load()
    if remembered is None:
        raise CommandError("no cluster is up to load images into")
    hooks: Machinery = machinery(remembered.kind)
    for archive in archives:
        if remembered.images.get(archive.reference) != archive.key:
            say(f"loading {archive.reference}")
            hooks.load_image(archive.path)
            remembered.images[archive.reference] = archive.key
            remembered.save()


def gather() -> choice.Facts:
    """Finds out what the choice depends on."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if kubeconfig and _same(kubeconfig, places.kubeconfig()) and not Path(kubeconfig).exists():
        # Left over from a cluster of ours that is gone.
        kubeconfig = ""
    forced = os.environ.get("AIRLOCK_CLUSTER", "")
    return choice.Facts(
        kubeconfig=kubeconfig,
        marked=bool(kubeconfig) and marked(kubeconfig),
        forced=forced,
        no_kind="" if kubeconfig or forced == "bare" else Kind().unavailable(),
        no_bare="" if os.geteuid() == 0 else "only root can make one",
    )


def marked(kubeconfig: str) -> bool:
    """Tells whether a kubeconfig's current context is a cluster that answers and carries the mark."""
    command = ["kubectl", f"--kubeconfig={kubeconfig}", "get", "namespace", "kube-system", "--request-timeout=10s"]
    template = f"--output=jsonpath={{.metadata.labels.{choice.MARK.replace('.', chr(92) + '.')}}}"
    try:
        return run([*command, template], timeout=20).stdout.strip() == "true"
    except CommandError as error:
        say(str(error))
        return False


def export(kubeconfig: Path) -> str:
    """Returns the one line for a shell to evaluate: it gives the cluster, kubectl and helm."""
    line = f"export KUBECONFIG={shlex.quote(str(kubeconfig))}"
    return f'{line} PATH={shlex.quote(str(places.tools()))}:"$PATH"' if places.tools().exists() else line


def status() -> str:
    """Says in words what is up."""
    remembered = Remembered.load()
    if remembered is None:
        return "no cluster is up"
    whole = "healthy" if machinery(remembered.kind).healthy() else "broken; `up` makes it anew"
    lines = [f"{remembered.kind} cluster, {whole}", export(places.kubeconfig())]
    lines += [f"logs: {places.state() / 'logs'}"] if remembered.kind == "bare" else []
    for name, node in remembered.nodes.items():
        parts = ", ".join(f"{part} {process.pid}" for part, process in node.components.items())
        lines.append(f"{name}: process ids: {parts}")
    return "\n".join(lines)


def add_nodes(count: int) -> None:
    """Adds nodes until there are ``count``."""
    remembered = Remembered.load()
    hooks: Machinery = machinery(remembered.kind if remembered else "bare")
    while len(hooks.nodes()) < count:
        say(f"node {hooks.add_node()} was added")


def _same(one: str, other: Path) -> bool:
    return Path(one).resolve() == other.resolve()


def prefetch() -> None:
    """
    Builds everything that a bare node needs into the cache, and brings nothing up.

    Two at a time, the longest first: a build fetches before it compiles and links on one core after it, and an image
    mostly waits for what goes in. One after the other they leave a quarter of two cores idle.
    """
    # Here, and not by each that needs some: apt lets in one at a time.
    debian.install(debian.NODE_PACKAGES | debian.IMAGE_PACKAGES)
    longest, *others = golang.NODE
    works: list[Callable[[], object]] = [partial(golang.built, longest), images.build_all]
    works += [partial(golang.built, build) for build in others]
    works.append(golang.helm)
    with ThreadPoolExecutor(max_workers=2) as lanes:
        try:
            for future in as_completed([lanes.submit(work) for work in works]):
                future.result()
        except BaseException:
            lanes.shutdown(wait=False, cancel_futures=True)
            raise
