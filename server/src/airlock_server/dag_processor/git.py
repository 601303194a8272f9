"""
Fetches bundles that are git repositories.

The git program does it, and logs in by its own means: credential helpers, SSH keys and agents of whoever runs this.

A bundle has a bare repository and a folder for each version, which is a commit. A version's folder never changes, so a
parse that is under way sees one version.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

_SECONDS = 300.0
#: How many versions of a bundle stay on the disk.
_KEPT_VERSIONS = 10
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
#: What a repository may not bring about here: programs of its own, and transports that start some.
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never")
_PASSED_ON = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSL_CERT_FILE", "https_proxy")


class CannotFetch(Exception):
    """A bundle could not be fetched. The text says why."""


class GitSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bundle's files are: a branch, tag or commit of a repository, and a folder in it, empty for its root."""

    repo_url: str
    tracking_ref: str
    subdir: str = ""


def fetch(source: GitSource, storage: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Returns the folder of the version that the source has now, and the version. Raises CannotFetch."""
    try:
        return _fetch(source, storage, _Git(storage / "bare", environ))
    except OSError as e:
        raise CannotFetch(f"{storage} cannot be used: {e}") from e


def _fetch(source: GitSource, storage: Path, git: "_Git") -> tuple[Path, str]:
    storage.mkdir(parents=True, exist_ok=True)
    if not (storage / "bare" / "HEAD").exists():
        git.run("init", "--quiet", "--bare", str(storage / "bare"))
    # A branch that was made anew replaces what it was.
    refspecs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    git.run("fetch", "--quiet", "--prune", "--force", "--no-write-fetch-head", source.repo_url, *refspecs)
    version = git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{source.tracking_ref}^{{commit}}"
    ).strip()
    if not _COMMIT.fullmatch(version):
        raise CannotFetch(f"{source.repo_url} has no branch, tag or commit {source.tracking_ref!r}")
    folder = storage / "versions" / version
    if not folder.exists():
        _check_out(git, storage / "versions", folder, version)
    folder.touch()
    _remove_old(storage / "versions", folder)
    root = folder / source.subdir
    if not root.resolve().is_relative_to(folder.resolve()) or not root.is_dir():
        raise CannotFetch(f"version {version[:12]} of {source.repo_url} has no folder {source.subdir!r}")
    return root, version


def _check_out(git: "_Git", versions: Path, folder: Path, version: str) -> None:
    """Writes a version's files beside its folder and then moves them there: what is there is whole."""
    versions.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".fresh-", dir=versions))
    try:
        tree = fresh / "tree"
        tree.mkdir()
        git.run("read-tree", version, index=fresh / "index")
        git.run(f"--work-tree={tree}", "checkout-index", "--all", "--quiet", index=fresh / "index")
        tree.chmod(0o755)
        tree.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _remove_old(versions: Path, current: Path) -> None:
    folders = [path for path in versions.iterdir() if not path.name.startswith(".") and path != current]
    for path in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_VERSIONS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


class _Git:
    """The git program, on one bare repository."""

    def __init__(self, repository: Path, environ: Mapping[str, str]) -> None:
        self._repository = repository
        self._environ = {name: environ[name] for name in _PASSED_ON if name in environ} | {"GIT_TERMINAL_PROMPT": "0"}

    def run(self, *words: str, index: Path | None = None) -> str:
        """Returns what it prints; raises CannotFetch."""
        environ = self._environ | ({"GIT_INDEX_FILE": str(index)} if index is not None else {})
        place = () if words[0] == "init" else (f"--git-dir={self._repository}",)
        try:
            done = subprocess.run(
                ["git", *_SAFE, *place, *words],
                env=environ,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                umask=0o022,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as e:
            raise CannotFetch("there is no program git on the PATH: install it") from e
        except subprocess.TimeoutExpired as e:
            raise CannotFetch(f"git {words[0]} did not end within {_SECONDS:g} s") from e
        if done.returncode and words[0] != "rev-parse":
            raise CannotFetch(f"git {words[0]}: {_without_login(done.stderr.strip()) or done.returncode}")
        return done.stdout


def _without_login(text: str) -> str:
    """Returns a message without the user and password of a URL in it."""
    return re.sub(r"(\w+://)[^/\s@]+@", r"\1", text)
