"""
Declarations of assets: what a task says that it reads (inlets) and writes (outlets), in a DAG file or a TaskRun. Plain
data.
"""

from typing import Any, Final, Literal

import msgspec

#: Bytes of a name or URI in UTF-8. Airflow counts 1500 characters; an index of PostgreSQL has room for so many bytes.
MAX_BYTES: Final = 1500

#: ``Asset`` is one asset by name and URI. The two refs are whichever asset has the name or URI. ``AssetAlias`` is what
#: tasks give assets to while they run. The words are those of Airflow's asset profiles.
Kind = Literal["Asset", "AssetNameRef", "AssetUriRef", "AssetAlias"]


class DeclaredAsset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One inlet or outlet. ``name`` and ``uri`` are empty where the kind has none."""

    type: Kind = "Asset"
    name: str = ""
    uri: str = ""
    group: str = "asset"
    extra: dict[str, Any] = {}


def filled(declared: DeclaredAsset) -> DeclaredAsset:
    """Returns the declaration of an asset with both name and URI: each fills in for the other."""
    if declared.type != "Asset" or (declared.name and declared.uri):
        return declared
    either = declared.name or declared.uri
    return msgspec.structs.replace(declared, name=either, uri=either)


def problem(declared: DeclaredAsset) -> str:
    """Returns what is wrong with a declaration, to follow its place; empty if nothing is wrong."""
    needed = {"Asset": ("name", "uri"), "AssetUriRef": ("uri",)}.get(declared.type, ("name",))
    for field in needed:
        if wrong := text_problem(getattr(declared, field)):
            return f"the {field} of {declared.type} {wrong}"
    return ""


def text_problem(text: str) -> str:
    """Returns the rule that a name or URI breaks; empty if it breaks none."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "must be text that UTF-8 can encode"
    if not text.strip() or "\0" in text:
        return "must not be empty or blank, and has no NUL"
    if size > MAX_BYTES:
        return f"may have {MAX_BYTES} bytes; it has {size}"
    return ""
