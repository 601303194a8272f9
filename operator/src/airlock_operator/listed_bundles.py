"""The bundles that an administrator lists, as a setting of the operator has them. Pure."""

import re
from functools import lru_cache
from typing import Any

import msgspec

from airlock_wire.process.settings import require

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,249}")
_CLASSPATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_IMAGE = re.compile(r"\S+")
_SECRET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SIZE = re.compile(r"[1-9][0-9]*(Mi|Gi|Ti)")


class ListedBundle(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A bundle as the chart's values list it."""

    name: str
    #: Airflow's class of it, ``airflow.providers.git.bundles.git.GitDagBundle``, and its arguments.
    classpath: str
    kwargs: dict[str, Any] = {}
    #: What fetches it: an image that has Airflow and what the class needs.
    image: str
    #: A Secret of the TaskRun's namespace whose keys are variables of what fetches; none where empty.
    secret: str = ""
    #: How much the clone may be, and how much the copy of its files.
    size_limit: str = "1Gi"


def decode(text: str) -> dict[str, ListedBundle]:
    """Reads the bundles of a setting, a JSON list, by name; raises ValueError that names the field and the fix."""
    if not text.strip():
        return {}
    try:
        bundles = msgspec.json.decode(text, type=list[ListedBundle])
    except msgspec.MsgspecError as e:
        raise ValueError(f"it must be a JSON list of bundles, each with name, classpath and image: {e}") from e
    for place, each in enumerate(bundles):
        require(
            f"[{place}].",
            (
                "name",
                each.name,
                _NAME.fullmatch(each.name),
                "begin with a letter, a digit or _, and have only these and . and -",
            ),
            ("name", each.name, ".." not in each.name, "not have '..' in it"),
            ("classpath", each.classpath, _CLASSPATH.fullmatch(each.classpath), "be the dotted name of a class"),
            (
                "image",
                each.image,
                _IMAGE.fullmatch(each.image),
                "be an image that has Airflow and what the class needs",
            ),
            (
                "secret",
                each.secret,
                not each.secret or _SECRET.fullmatch(each.secret),
                "be the name of a Secret, or be left out",
            ),
            (
                "secret",
                each.secret,
                not each.secret.startswith("airlock-"),
                "not begin with airlock-, which is Airlock's own",
            ),
            ("sizeLimit", each.size_limit, _SIZE.fullmatch(each.size_limit), "be a number of Mi, Gi or Ti: 1Gi"),
        )
        if each.name in (other.name for other in bundles[:place]):
            raise ValueError(f"[{place}].name is {each.name!r}, as another's is; give each its own")
    return {each.name: each for each in bundles}


@lru_cache(maxsize=4)
def known(text: str) -> dict[str, ListedBundle]:
    """Does the same for a checked setting, once: it stays for the life of the process, and each pod asks for it."""
    return decode(text)
