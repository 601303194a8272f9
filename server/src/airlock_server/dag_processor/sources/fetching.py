"""Fetches a bundle by the kind of its source."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from airlock_server.dag_processor.sources import git, image

Source: TypeAlias = git.GitSource | image.ImageSource


def fetch(source: Source, storage: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Returns the folder of the version that the source has now, and the version. Raises CannotFetch."""
    if isinstance(source, git.GitSource):
        return git.fetch(source, storage, environ)
    return image.fetch(source, storage, environ)
