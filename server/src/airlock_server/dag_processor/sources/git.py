"""
Fetches bundles that are git repositories.

The git program does it, and logs in by its own means: credential helpers, SSH keys and agents of whoever runs this.

A bundle has a bare repository beside its versions, which are commits.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from airlock_server.dag_processor.sources import folders
from airlock_server.dag_processor.sources.folders import CannotFetch

_SECONDS = 300.0
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
#: What a repository may not bring about here: programs of its own, and transports that start some.
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never")
_PASSED_ON = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSL_CERT_FILE", "https_proxy")


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

    def check_out(tree: Path, beside: Path) -> None:
        git.run("read-tree", version, index=beside / "index")
        git.run(f"--work-tree={tree}", "checkout-index", "--all", "--quiet", index=beside / "index")

    folder = folders.folder_of(storage, version, check_out)
    return folders.inside(folder, source.subdir, f"version {version[:12]} of {source.repo_url}"), version


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
