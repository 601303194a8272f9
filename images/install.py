#!/usr/bin/env python3
"""
Lays out what an image adds to its base, below /install, so that the last stage only copies.

It runs in an image's build stages, with the base's own Python and nothing else: hashed packages through pip, our
members as plain folders with the metadata that `importlib.metadata` reads, and bytecode that is never checked against
its source.

    install.py packages REQUIREMENTS    changes when a lock does, and is a layer of its own
    install.py members UID MEMBER...    changes with our code
"""

import compileall
import py_compile
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.util import cache_from_source
from pathlib import Path

BUILD = Path("/build")
INSTALL = Path("/install")
#: Where the base's Python looks for installed packages.
SITE = Path(sysconfig.get_path("purelib"))
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
#: Bytecode that is taken as it is: nobody edits an image's sources, and looking costs a system call for each module.
MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH
#: Large parts of the standard library that our processes do not import.
LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "ensurepip",
    "site-packages",
    "dist-packages",
}


def below(path: Path) -> Path:
    """Tells where a path of the image is laid out."""
    return INSTALL / path.relative_to("/")


def install_packages(requirements: Path) -> None:
    """Installs hashed packages, by a pip that stays behind in the build stage."""
    venv = BUILD / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--quiet",
    ]
    flags = ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(below(SITE))]
    subprocess.run([*pip, *flags, "--requirement", str(requirements)], check=True)
    # An image runs one program of ours, so the libraries' programs are removed.
    shutil.rmtree(below(SITE) / "bin", ignore_errors=True)


def install_member(folder: Path) -> None:
    """Copies a member's packages and makes its metadata, as in a wheel, without fetching a build backend."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    site = below(SITE)
    shutil.copytree(folder / "src", site, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in project.get("dependencies", [])]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "INSTALLER").write_text("airlock images/install.py\n")
    for name, target in project.get("scripts", {}).items():
        module, _, function = target.partition(":")
        program = below(Path("/usr/local/bin") / name)
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(
            f"#!{sys.executable} -I\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
        )
        program.chmod(0o755)


def compile_installed() -> None:
    """Compiles what is laid out: a read-only image cannot write bytecode, and every start would compile anew."""
    if not compileall.compile_dir(
        below(SITE), quiet=1, invalidation_mode=MODE, stripdir=str(INSTALL), prependdir="/", workers=0
    ):
        sys.exit("a module does not compile")


def compile_standard_library() -> None:
    """
    Compiles a base's own modules: the ordinary Python image has no bytecode of them, and Debian's is checked against
    the sources' times, which a reproducible build sets to zero.
    """
    for source in STANDARD_LIBRARY.rglob("*.py"):
        cached = Path(cache_from_source(str(source)))
        if not LEFT_OUT & set(source.relative_to(STANDARD_LIBRARY).parts):
            py_compile.compile(str(source), cfile=str(below(cached)), invalidation_mode=MODE, doraise=True)


def name_user(uid: str) -> None:
    """Gives the image's user a name: much code looks up the name of its user."""
    below(Path("/etc")).mkdir(parents=True, exist_ok=True)
    for file, line in (("passwd", f"airlock:x:{uid}:{uid}::/tmp:/usr/sbin/nologin"), ("group", f"airlock:x:{uid}:")):
        below(Path("/etc") / file).write_text(Path("/etc", file).read_text() + line + "\n")


def name_python() -> None:
    """Links `python` to Debian's Python, which is only called `python3`."""
    program = below(Path("/usr/local/bin/python"))
    if not shutil.which("python"):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.symlink_to(sys.executable)


def main() -> None:
    below(SITE).mkdir(parents=True)
    match sys.argv[1:]:
        case ["packages", requirements]:
            install_packages(BUILD / requirements)
            compile_standard_library()
            name_python()
        case ["members", uid, *members]:
            for member in members:
                install_member(BUILD / member)
            name_user(uid)
        case _:
            sys.exit(__doc__)
    compile_installed()


main()
