"""What builds images: a Docker daemon, or buildah, which needs root and Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from cluster import places
from cluster.commands import CommandError, run, run_slowly
from cluster.memory import Remembered
from cluster.node.bare import snapshotter
from cluster.programs import debian, golang

#: Where a machine's authorities may be, in one file.
_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_BUILD_SECONDS = 900.0


class Recipe(NamedTuple):
    """A Containerfile's path in its context, and the stage of it that is the image; the last one if empty."""

    file: str
    target: str = ""

    def arguments(self, context: Path) -> list[str]:
        """Returns the arguments that both builders take."""
        return [f"--file={context / self.file}", *([f"--target={self.target}"] if self.target else [])]


class Builder(Protocol):
    """Both raise CommandError with what their tool said."""

    def pull(self, reference: str, name: str, archive: Path) -> None:
        """Writes an image of a registry's into an archive, under another name."""
        ...

    def build(self, recipe: Recipe, context: Path, bases: Mapping[str, Path], reference: str, archive: Path) -> None:
        """Builds what a recipe in a folder says; ``bases`` are archives by the arguments that name what is FROM."""
        ...


def chosen(remembered: str, *, root: bool, docker: bool) -> Literal["docker", "buildah"]:
    """
    Tells which builds. ``remembered`` is the kind of the cluster that is up, empty for none: what a kind node runs
    comes from the daemon that the node runs in, as a machine that has one need not have the other.
    """
    if remembered:
        return "docker" if remembered == "kind" else "buildah"
    return "docker" if docker and not root else "buildah"


def present() -> Builder:
    """Returns the builder of this machine and cluster."""
    remembered = Remembered.load()
    kind = remembered.kind if remembered else ""
    docker = not kind and shutil.which("docker") is not None
    return Docker() if chosen(kind, root=os.geteuid() == 0, docker=docker) == "docker" else Buildah()


def lent() -> dict[str, Path]:
    """Returns the machine's pip configuration and certificates, by the names that recipes have for them."""
    folder = places.cache() / "lent"
    folder.mkdir(parents=True, exist_ok=True)
    candidates = (os.environ.get("SSL_CERT_FILE"), *_AUTHORITIES)
    certificates = next((Path(each) for each in candidates if each and os.path.isfile(each)), None)
    pip = folder / "pip.conf"
    pip.write_text(lent_pip_configuration(_pip_says(), certificates=certificates is not None))
    return {"pip": pip} | ({"certificates": certificates} if certificates else {})


def _pip_says() -> str:
    """`pip config list`, by a pip that is there: PATH need not have one."""
    own_python = places.ROOT / ".venvs" / "uv" / "bin" / "python"
    pip = [str(own_python if own_python.exists() else sys.executable), "-m", "pip"]
    return subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False, timeout=60).stdout


def lent_pip_configuration(listing: str, *, certificates: bool = True) -> str:
    """
    Returns the pip.conf for a build, from the output of `pip config list`: where to fetch from, and our certificates'
    place.

    Paths of the machine (its own certificate file, local folders of wheels) mean nothing inside and are left out.
    """
    lines = ["[global]", *(["cert = /etc/build-ca.pem"] if certificates else [])]
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        if option in ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries"):
            lines.append(f"{option.removeprefix('default-')} = {value.strip().strip(chr(39))}")
    return "\n".join(lines) + "\n"


# --- Docker


def docker_build(
    recipe: Recipe, context: Path, bases: Mapping[str, str], lent: Mapping[str, Path], reference: str
) -> list[str]:
    """Returns the command that builds an image; ``bases`` are names that the daemon knows."""
    arguments = [f"--build-arg={name}={base}" for name, base in bases.items()]
    secrets = [f"--secret=id={name},src={path}" for name, path in lent.items()]
    return [
        "docker", "build", *recipe.arguments(context), *arguments, *secrets, f"--tag={reference}", str(context)
    ]  # fmt: skip


def docker_save(reference: str, archive: Path) -> list[str]:
    """Returns the command that writes an image into an archive."""
    return ["docker", "save", f"--output={archive}", reference]


def loaded(output: str) -> str:
    """Returns the name of the image that `docker load` says it loaded; raises CommandError."""
    match = re.search(r"^Loaded image: (\S+)$", output, re.MULTILINE)
    if not match:
        raise CommandError(f"docker load named no image: {output.strip()[-300:]}")
    return match[1]


class Docker:
    """An ordinary user's way: everything is done by the daemon."""

    #: The builder that knows the secrets of a step; and no second manifest, which `kind load` would not find.
    ENVIRONMENT = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}  # noqa: RUF012 - never changed

    def pull(self, reference: str, name: str, archive: Path) -> None:
        run_slowly(
            ["docker", "pull", reference], f"pulling {reference}", timeout=_BUILD_SECONDS, log=golang.log("images")
        )
        run(["docker", "tag", reference, name])
        run(docker_save(name, archive), timeout=_BUILD_SECONDS)

    def build(self, recipe: Recipe, context: Path, bases: Mapping[str, Path], reference: str, archive: Path) -> None:
        # An archive may be of an earlier build, or of another daemon: its image need not be there.
        references = {
            name: loaded(run(["docker", "load", f"--input={base}"], timeout=300).stdout) for name, base in bases.items()
        }
        run_slowly(
            docker_build(recipe, context, references, lent(), reference),
            f"building the image {reference}",
            timeout=_BUILD_SECONDS,
            log=golang.log("images"),
            env=self.ENVIRONMENT,
        )
        run(docker_save(reference, archive), timeout=300)


# --- buildah


class Buildah:
    """
    buildah, with its storage in our cache so that a step whose inputs are the same is not run again.

    Its mounts are in a namespace of their own and end with it: it keeps its storage mounted on itself otherwise.
    """

    def __init__(self) -> None:
        debian.install(debian.IMAGE_PACKAGES)
        folder = places.cache() / "buildah"
        folder.mkdir(parents=True, exist_ok=True)
        driver = "vfs" if snapshotter(folder) == "native" else "overlay"
        self._buildah = [
            "unshare", "--mount", "--propagation=private",
            "buildah", f"--root={folder / 'root'}", f"--runroot={folder / 'run'}", f"--storage-driver={driver}",
        ]  # fmt: skip

    def pull(self, reference: str, name: str, archive: Path) -> None:
        self._run("pull", "--quiet", reference, timeout=300)
        self._run("push", "--quiet", reference, f"docker-archive:{archive}:{name}")

    def build(self, recipe: Recipe, context: Path, bases: Mapping[str, Path], reference: str, archive: Path) -> None:
        arguments = [f"--build-arg={name}=docker-archive:{path}" for name, path in bases.items()]
        secrets = [f"--secret=id={name},src={path}" for name, path in lent().items()]
        self._run(
            "build", "--isolation=chroot", "--network=host", "--format=docker", "--timestamp=0", "--layers",
            *recipe.arguments(context), *arguments, *secrets, f"--tag={reference}", str(context),
            what=f"building the image {reference}",
        )  # fmt: skip
        self._run("push", "--quiet", reference, f"docker-archive:{archive}:{reference}")

    def _run(self, *words: str, what: str = "", timeout: float = _BUILD_SECONDS) -> None:
        """Runs buildah; with a line of progress when ``what`` says what takes long."""
        if what:
            run_slowly([*self._buildah, *words], what, timeout=timeout, log=golang.log("images"))
        else:
            run([*self._buildah, *words], timeout=timeout)
