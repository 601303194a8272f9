"""
Fetches bundles that are images of a registry, or artifacts there: what ``docker build`` or ``oras push`` made.

The version is the digest of the image's manifest, so a task can be pinned to exactly these files.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from airlock_server.dag_processor.sources import folders, layers
from airlock_server.dag_processor.sources.folders import CannotFetch
from airlock_server.dag_processor.sources.layers import BadLayer
from airlock_server.dag_processor.sources.registry import Blob, Registry, RegistryError

#: ``registry.example:5000/team/dags:main`` or ``...@sha256:...``. Without a host it would be somebody's guess.
_REFERENCE: Final = re.compile(
    r"(?P<host>localhost(?::\d+)?|[\w.-]+\.[\w.-]+(?::\d+)?|[\w.-]+:\d+|\[[0-9a-fA-F:]+\](?::\d+)?)"
    r"/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_SECONDS: Final = 300.0
#: What a bundle may hold, unpacked, and its blobs before that.
MAX_BYTES: Final = 2 * 1024**3
#: The name of a file that ``oras push`` has as a layer of its own.
_TITLE: Final = "org.opencontainers.image.title"


class ImageSource(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where a bundle's files are: an image with its registry and tag or digest, and a folder in it. ``insecure``: the
    registry speaks plain HTTP.
    """

    image: str
    subdir: str = ""
    insecure: bool = False


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an image, or an index of images, consists of."""

    layers: list[Blob] = []
    manifests: list[Blob] = []


def is_reference(image: str) -> bool:
    """Tells whether a text names an image with its registry."""
    return _REFERENCE.fullmatch(image) is not None


def fetch(source: ImageSource, storage: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Returns the folder of the version that the image has now, and the version. Raises CannotFetch."""
    named = _REFERENCE.fullmatch(source.image)
    if named is None:
        raise CannotFetch(f"{source.image!r} does not name an image with its registry")
    registry = Registry(named["host"], named["repository"], environ, seconds=_SECONDS, insecure=source.insecure)
    try:
        digest, manifest = _manifest(registry, named["digest"] or named["tag"] or "latest")

        def unpack(tree: Path, beside: Path) -> None:
            _unpack(registry, manifest, source.subdir, tree, beside)

        # The same image has another folder for each part of it.
        part = re.sub(r"[^\w.-]+", "-", source.subdir.strip("/"))
        folder = folders.folder_of(storage, "-".join(filter(None, (digest.partition(":")[2], part))), unpack)
    except (RegistryError, BadLayer) as e:
        raise CannotFetch(f"{source.image}: {e}") from e
    except OSError as e:
        raise CannotFetch(f"{storage} cannot be used: {e}") from e
    finally:
        registry.close()
    return folder, digest


def _manifest(registry: Registry, reference: str) -> tuple[str, _Manifest]:
    """Returns the digest that the reference has, and the manifest of the image: of an index its first for Linux."""
    digest, data = registry.manifest(reference)
    manifest = _decoded(data)
    if not manifest.manifests:
        return digest, manifest
    # DAG files are the same for every processor.
    fitting = [each for each in manifest.manifests if (each.platform or {}).get("os", "linux") == "linux"]
    if not fitting:
        raise RegistryError("it has no image for Linux")
    _, data = registry.manifest(fitting[0].digest)
    return digest, _decoded(data)


def _decoded(data: bytes) -> _Manifest:
    try:
        return msgspec.json.decode(data, type=_Manifest)
    except msgspec.MsgspecError as e:
        raise RegistryError(f"its manifest cannot be read: {e}") from e


def _unpack(registry: Registry, manifest: _Manifest, subdir: str, tree: Path, beside: Path) -> None:
    budget, seen = layers.Budget(MAX_BYTES), False
    for number, layer in enumerate(manifest.layers):
        blob = beside / f"layer-{number}"
        registry.download(layer, blob, budget.bytes_left)
        title: Any = (layer.annotations or {}).get(_TITLE)
        if layers.is_archive(layer.media_type):
            seen |= layers.unpack(blob, layer.media_type, subdir, tree, budget)
        elif isinstance(title, str) and title:
            seen |= layers.place(blob, title, subdir, tree, budget)
        else:
            raise BadLayer(f"a layer of kind {layer.media_type!r} is not known here; build it with gzip, or without")
        blob.unlink()
    if not seen:
        raise BadLayer(f"it has no folder {subdir!r}" if subdir.strip("/") else "it has no files")
