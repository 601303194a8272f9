"""
A bundle as Airflow fetches it, and a copy of its files without what it was fetched with. Standard library of Python
3.10 only, but for Airflow itself.

The runner sees only the copy. A clone's ``.git`` can hold a credential, and a link can lead out of the bundle: neither
is copied. Nobody else writes to the tree while it is copied.
"""

import errno
import os
import re
import shutil
import stat
from importlib import import_module, metadata
from typing import Any, NamedTuple

_GIT = ".git"
#: Where the git bundle is from, and its oldest version: those before may leave the credential in what they clone.
_GIT_PROVIDER, _GIT_CLASSES, _OLDEST_GIT = "apache-airflow-providers-git", "airflow.providers.git.", (1, 0, 1)


class Unfetched(Exception):
    """The bundle could not be fetched; the text says why and what to do."""


class Copied(NamedTuple):
    """A copied tree: regular files, their bytes, and the links and special files that were left out, by their path."""

    files: int
    bytes: int
    left_out: list[str]


def fetch(name: str, version: str, into: str) -> tuple[str, Copied]:
    """
    Fetches the bundle of Airflow's configuration, at ``version`` or, where that is empty, its newest, and copies its
    files to ``into``, which must not exist. Returns the version that it has, empty if it has no version. Raises
    Unfetched.
    """
    bundle = _configured(name, version)
    try:
        bundle.initialize()
        current = bundle.get_current_version()
        root = folder_of(bundle)
    except Exception as e:
        fix = "check its kwargs, the Secret that it is fetched with, and that it has this version"
        raise Unfetched(f"{said(e)}; {fix}") from e
    # Airflow 3.3 answers with an object, bundles of before with a text.
    current_version = str(getattr(current, "version", current) or "")
    if version and current_version != version:
        if not current_version:
            raise Unfetched("bundles of its class have no versions; leave spec.bundle.version out")
        raise Unfetched(
            f"what came is version {current_version}; name that in spec.bundle.version, if it is what you mean"
        )
    try:
        return current_version, copy(root, into)
    except OSError as e:
        fix = "an administrator raises its sizeLimit" if e.errno == errno.ENOSPC else "see the container's log"
        raise Unfetched(f"its files could not be copied: {e}; {fix}") from e


def folder_of(bundle: Any) -> str:
    """
    Returns the folder with a bundle's files. What was fetched lies below the bundle's own folder, so no part of the way
    down from there is a link or leads up: a repository's owner would choose with it what of this container the runner
    gets. Raises Unfetched.
    """
    path, base = str(bundle.path), str(getattr(bundle, "base_dir", ""))
    way, base = os.path.abspath(path), os.path.abspath(base) if base else ""
    if not base or not _is_in(way, base):
        # An administrator's own folder, which may be reached by a link.
        return os.path.realpath(path)
    if os.pardir in path.split(os.sep):
        raise Unfetched(f"its folder {path} has .. in it; correct subdir in its kwargs")
    each = base
    for part in os.path.relpath(way, base).split(os.sep):
        each = os.path.join(each, part)
        if os.path.islink(each):
            link = os.path.relpath(each, base)
            raise Unfetched(f"{link} is a link; its files must be in a folder that no link leads to, so correct subdir")
    return os.path.realpath(way)


def copy(root: str, into: str) -> Copied:
    """
    Copies the files below ``root`` to ``into``, readable for all, without any ``.git``. A link that stays in the tree
    is copied as a link; nothing is followed. Raises OSError, and Unfetched where there is nothing to copy from.
    """
    if not os.path.isdir(root):
        raise Unfetched(f"it has no folder {root}; check its kwargs")
    if _is_in(os.path.realpath(into), root):
        raise Unfetched(f"its folder {root} is the one to copy to; check its kwargs")
    files, size, left_out = 0, 0, []
    os.mkdir(into)
    os.chmod(into, 0o755)  # noqa: S103 - the runner is another user
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each != _GIT)
        below = os.path.relpath(folder, root)
        for name in [*folders, *sorted(each for each in names if each != _GIT)]:
            path, relative = os.path.join(folder, name), os.path.normpath(os.path.join(below, name))
            target, kind = os.path.join(into, relative), os.lstat(path)
            if stat.S_ISLNK(kind.st_mode) and _stays(root, path, relative):
                os.symlink(os.readlink(path), target)
            elif stat.S_ISDIR(kind.st_mode):
                os.mkdir(target)
                os.chmod(target, 0o755)  # noqa: S103 - the same
            elif stat.S_ISREG(kind.st_mode):
                shutil.copyfile(path, target, follow_symlinks=False)
                os.chmod(target, 0o755 if kind.st_mode & stat.S_IXUSR else 0o644)
                files, size = files + 1, size + kind.st_size
            else:
                left_out.append(relative)
    return Copied(files, size, left_out)


def said(error: BaseException) -> str:
    """Returns what an error and those that caused it say, in one line: of a command that failed, why it says it did."""
    words: list[str] = []
    each: BaseException | None = error
    while each is not None and len(words) < 4:
        text = str(getattr(each, "stderr", None) or each).strip()
        # As GitPython quotes what git said.
        text = text.removeprefix("stderr: '").removesuffix("'") if text.startswith("stderr: '") else text
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
        word = (fatal or lines or [type(each).__name__])[-1]
        if word not in words:
            words.append(word)
        each = each.__cause__
    return ": ".join(words)


def _configured(name: str, version: str) -> Any:
    try:
        manager = import_module("airflow.dag_processing.bundles.manager").DagBundlesManager()
        names = list(manager.get_all_bundle_names())
    except Exception as e:
        fix = "the bundle's image must have Airflow 3 and what its classpath and kwargs name"
        raise Unfetched(f"{said(e)}; {fix}") from e
    if name not in names:
        raise Unfetched("it is not configured here; an administrator lists it in the chart's bundles")
    try:
        bundle = manager.get_bundle(name=name, version=version or None)
    except Exception as e:
        raise Unfetched(f"{said(e)}; check its kwargs, and the connection in the Secret that it is fetched with") from e
    if any(kind.__module__.startswith(_GIT_CLASSES) for kind in type(bundle).__mro__):
        check_git_provider(metadata.version(_GIT_PROVIDER))
    return bundle


def check_git_provider(version: str) -> None:
    """Raises Unfetched for a git provider that is older than what is supported."""
    numbers = [int(digits[0]) for part in version.split(".")[:3] if (digits := re.match(r"\d+", part))]
    if tuple(numbers) < _OLDEST_GIT:
        oldest = ".".join(str(number) for number in _OLDEST_GIT)
        raise Unfetched(f"its image has {_GIT_PROVIDER} {version}; use an image with {oldest} or newer")


def _stays(root: str, path: str, relative: str) -> bool:
    """Tells whether a link leads to something that is copied too, by its words and in fact."""
    words = os.readlink(path)
    target = os.path.normpath(os.path.join(os.path.dirname(relative), words))
    if os.path.isabs(words) or target.split(os.sep)[0] == os.pardir:
        return False
    real = os.path.realpath(path)
    return _is_in(real, root) and _GIT not in os.path.relpath(real, root).split(os.sep)


def _is_in(path: str, root: str) -> bool:
    return os.path.commonpath((path, root)) == root
