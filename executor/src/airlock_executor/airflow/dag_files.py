"""Looks whether tasks have the DAG files of local bundles: in their image, or on a volume of the pod template."""

import os
from pathlib import Path
from typing import Any

import msgspec

from airlock_executor.airflow import configuration
from airlock_executor.settings import Settings


def absent(settings: Settings) -> tuple[str, ...]:
    """
    Returns a clause for each local bundle whose files tasks will hardly have, as far as this container shows: mostly
    it has the image of the tasks. A folder that ``[airlock] bundles`` names is taken at its word.
    """
    template = _mount_paths(settings.pod_template_file)
    clauses = []
    for name, folder in sorted(configuration.bundle_folders(settings).items()):
        if name in settings.bundles or any(Path(folder).is_relative_to(path) for path in template):
            continue
        if (volume := _volume(folder)) is not None:
            clauses.append(f"bundle {name!r} is in {folder}, on the volume that this container has at {volume}")
        elif not _has_files(folder):
            clauses.append(f"bundle {name!r} is in {folder}, which holds no DAG file in this container")
    return tuple(clauses)


def _volume(folder: str) -> str | None:
    """Returns where the volume of a folder is mounted; None for a folder of the container's own root."""
    path = Path(os.path.realpath(folder))
    return next((str(each) for each in (path, *path.parents) if str(each) != "/" and os.path.ismount(each)), None)


def _has_files(folder: str) -> bool:
    return any(next(Path(folder).rglob(pattern), None) is not None for pattern in ("*.py", "*.zip"))


def _mount_paths(template: str) -> list[str]:
    """Returns the paths of the template's mounts; none for one that cannot be read, a finding itself."""
    if not template:
        return []
    try:
        pod: dict[str, Any] = msgspec.yaml.decode(Path(template).read_bytes(), type=dict[str, Any])
        container = pod["spec"]["containers"][0]
        return [str(each["mountPath"]) for each in container.get("volumeMounts") or []]
    except (OSError, msgspec.MsgspecError, LookupError, TypeError):
        return []
