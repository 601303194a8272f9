"""Airlock's images: built by their Containerfiles, kept as archives under the content of everything that goes in."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cluster import places
from cluster.commands import CommandError, run_slowly, say
from cluster.node.configuration import PAUSE_IMAGE
from cluster.programs import builders, golang
from cluster.programs.builders import Docker, Recipe
from cluster.programs.kept import content_key, kept

#: The Containerfile of the images that the chart names.
CONTAINERFILE = "images/Containerfile"
#: The base that it names, python:3.13-slim; taken where it can be pulled.
ORDINARY_BASE = "docker.io/library/python@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b"
#: What it is called in its archive, and the base that is made here.
ORDINARY_NAME, OWN_NAME = "docker.io/airlock/base:ordinary", "docker.io/airlock/base:local"
#: What the base that is made here carries beside Debian's minimum.
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates", "usr-is-merged")
#: The suite's Python is what `requires-python` allows at least.
BASE_SUITE = "bookworm"
#: Documentation has no reader in an image, and Python's own tests no runner.
BASE_LEAVES_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


@dataclass(frozen=True)
class Image:
    """An image of ours: the members it installs, and whether a lock of its name says what else."""

    name: str
    members: tuple[str, ...] = ()
    #: Folders and files of the repository that go in beside the members.
    others: tuple[str, ...] = ()
    #: The build argument that names what it starts FROM.
    base: str = "BASE"
    #: Its own Containerfile; empty: it is the target of its name in the one of all images.
    own: str = ""

    @property
    def recipe(self) -> Recipe:
        """Its Containerfile in the repository, and the target there."""
        return Recipe(self.own) if self.own else Recipe(CONTAINERFILE, self.name)


def _ours(name: str, *members: str, others: tuple[str, ...] = ()) -> Image:
    return Image(name, members, ("images/install.py", f"requirements/{name}.txt", *others))


#: The runner comes before the example, which starts from it.
IMAGES = (
    # Of the runner the launcher's files are in the sidecar's image, which no Python there has in its path.
    _ours("sidecar", "wire", "sidecar", others=("runner/src",)),
    _ours("runner", "wire", "sdk", "runner"),
    _ours("operator", "wire", "operator"),
    _ours("server", "wire", "server"),
    Image("example", (), ("examples",), base="RUNNER", own="images/example/Containerfile"),
)


@dataclass(frozen=True)
class Archive:
    """A built image: its full name, the archive that `load-image` takes, and the key of its content."""

    reference: str
    path: Path
    key: str


def version() -> str:
    """Returns every member's version, which is every image's tag."""
    return str(tomllib.loads((places.ROOT / "wire" / "pyproject.toml").read_text())["project"]["version"])


def ingredients(image: Image, root: Path = places.ROOT) -> list[tuple[str, bytes]]:
    """Returns every file that goes into an image, by its path in the repository; the build sees these and no others."""
    names = [image.recipe.file, *image.others]
    for member in image.members:
        names += [f"{member}/pyproject.toml", f"{member}/src"]
    files: list[Path] = []
    for name in names:
        path = root / name
        files += sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        (str(file.relative_to(root)), file.read_bytes())
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    ]


def build_all() -> list[Archive]:
    """
    Returns all images, a bare node's pause image first; what is already built from the same content is not built again.
    """
    archives = {} if isinstance(builders.present(), Docker) else {"": _pause()}
    for image in IMAGES:
        before = archives["runner"].path if image.base == "RUNNER" else None
        archives[image.name] = built(image, before)
    return list(archives.values())


def built(image: Image, base: Path | None = None, **programs: Path) -> Archive:
    """
    Returns one image, which starts from an archive, the ordinary base if none is given. ``programs`` are files of this
    machine that go in beside the repository's, by their names.
    """
    base = base or _base()
    files = ingredients(image) + [(name, path.read_bytes()) for name, path in sorted(programs.items())]
    reference = f"docker.io/airlock/{image.name}:{version()}"
    # The base's folder carries the key of its own content in its name.
    key = content_key(files, reference, str(base.parent.name), str(base.name))

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as context:
            for name, content in files:
                target = Path(context, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            for name in programs:
                Path(context, name).chmod(0o755)
            bases = {image.base: base}
            builders.present().build(image.recipe, Path(context), bases, reference, folder / "image.tar")

    return Archive(reference, kept(f"image-{image.name}", key, make) / "image.tar", key)


def _pause() -> Archive:
    program = golang.built(golang.PAUSE) / "pause"
    recipe = places.ROOT / "images" / "pause" / "Containerfile"
    key = content_key([("recipe", recipe.read_bytes())], program.parent.name, PAUSE_IMAGE)

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(recipe, context)
            shutil.copy(program, context)
            builders.present().build(Recipe("Containerfile"), Path(context), {}, PAUSE_IMAGE, folder / "image.tar")

    return Archive(PAUSE_IMAGE, kept("image-pause", key, make) / "image.tar", key)


def _base() -> Path:
    """
    Returns the archive of what the images start from: the ordinary Python image, or one made here where no registry
    answers.

    Which of the two is decided once and kept; `AIRLOCK_IMAGE_BASE` (a path of an archive) decides otherwise.
    """
    if path := os.environ.get("AIRLOCK_IMAGE_BASE"):
        return Path(path)
    recipe = places.ROOT / "images" / "base" / "Containerfile"
    key = content_key([("recipe", recipe.read_bytes())], ORDINARY_BASE, BASE_SUITE, *BASE_PACKAGES, *BASE_LEAVES_OUT)

    def make(folder: Path) -> None:
        builder = builders.present()
        try:
            builder.pull(ORDINARY_BASE, ORDINARY_NAME, folder / "image.tar")
            say(f"images start from {ORDINARY_BASE}")
        except CommandError as error:
            if isinstance(builder, Docker):
                raise
            why = str(error).splitlines()[-1][-160:]
            say(f"{ORDINARY_BASE} cannot be had ({why}); making a base from Debian packages")
            (folder / "image.tar").unlink(missing_ok=True)
            with tempfile.TemporaryDirectory() as context:
                _debootstrap(Path(context, "base.tar"))
                shutil.copy(recipe, context)
                builder.build(Recipe("Containerfile"), Path(context), {}, OWN_NAME, folder / "image.tar")

    return kept("image-base", key, make) / "image.tar"


def _debootstrap(target: Path) -> None:
    # The machine's own sources say where packages come from; no address is written here.
    sources = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    scripts = [path for path in sources if path.exists()]
    if not scripts:
        raise CommandError(
            "this machine has no Debian package sources to make a base image from; set AIRLOCK_IMAGE_BASE"
        )
    excludes = [f"--dpkgopt=path-exclude={pattern}" for pattern in BASE_LEAVES_OUT]
    # Merged from the start: the package that merges afterwards brings all of Perl along.
    merged = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
    command = ["mmdebstrap", "--variant=minbase", merged, f"--include={','.join(BASE_PACKAGES)}", *excludes]
    command += [BASE_SUITE, str(target), str(scripts[0])]
    run_slowly(command, "making a base image", timeout=900, log=golang.log("mmdebstrap"))


def main() -> None:
    """Builds all images and prints their names and archives."""
    for archive in build_all():
        print(f"{archive.reference}\t{archive.path}")
        sys.stdout.flush()
