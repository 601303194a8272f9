"""
The environments of Jinja2: Airflow's sandbox, its filters for dates, and native types. Importing this imports Jinja2.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import jinja2
import jinja2.ext
import jinja2.nativetypes
import jinja2.sandbox

from airlock.sdk.definitions.context import Context


class _Sandbox(jinja2.sandbox.SandboxedEnvironment):
    """As Airflow's: an attribute with one leading underscore may be read, what Python keeps to itself may not."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        del value
        return not jinja2.sandbox.is_internal_attribute(obj, attr)


class SandboxedEnvironment(_Sandbox):
    """Templates that become text."""


class NativeEnvironment(jinja2.nativetypes.NativeEnvironment, _Sandbox):
    """Templates that become Python's own types: ``{{ [1, 2] }}`` is a list."""


def _ds(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d")


def _ds_nodash(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%d")


def _ts(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _ts_nodash(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%dT%H%M%S")


def _ts_nodash_with_tz(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("-", "").replace(":", "")


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "ds": _ds,
    "ds_nodash": _ds_nodash,
    "ts": _ts,
    "ts_nodash": _ts_nodash,
    "ts_nodash_with_tz": _ts_nodash_with_tz,
}


def environment(
    *,
    native: bool,
    searchpath: Sequence[str] = (),
    undefined: type[jinja2.Undefined] | None = None,
    options: Mapping[str, Any] | None = None,
    macros: Mapping[str, Any] | None = None,
    filters: Mapping[str, Any] | None = None,
) -> jinja2.Environment:
    """
    Returns an environment. ``options`` are Jinja2's own; ``macros`` are names, and ``filters`` are filters, of the
    DAG's author.
    """
    given: dict[str, Any] = {
        "loader": jinja2.FileSystemLoader(list(searchpath)),
        "undefined": undefined or jinja2.StrictUndefined,
        "extensions": ["jinja2.ext.do"],
        "cache_size": 0,
        **(options or {}),
    }
    env = (NativeEnvironment if native else SandboxedEnvironment)(**given)
    env.filters.update(FILTERS)
    if macros:
        env.globals.update(macros)
    if filters:
        env.filters.update(filters)
    return env


def environment_of(dag: Any, *, native: bool) -> jinja2.Environment:
    """Returns the environment of a DAG's templates."""
    return environment(
        native=native,
        searchpath=[dag.folder, *dag.template_searchpath],
        undefined=dag.template_undefined,
        options=dag.jinja_environment_kwargs,
        macros=dag.user_defined_macros,
        filters=dag.user_defined_filters,
    )


def render(template: jinja2.Template, context: Mapping[str, Any]) -> Any:
    """
    Returns the rendered template: text, or with a NativeEnvironment any value.

    The context stays lazy: an entry that fetches something is read only where the template names it.
    """
    env = template.environment
    entries = Context({**env.globals, **template.globals})
    # The entries as they are: a date is made when the template names it.
    entries.update(dict.items(context) if isinstance(context, dict) else context)
    root = env.context_class(env, entries, template.name, template.blocks)
    try:
        pieces = list(template.root_render_func(root))
        if isinstance(env, jinja2.nativetypes.NativeEnvironment):
            return env.concat(pieces)
        return "".join(pieces)
    except Exception:  # noqa: BLE001 - it is raised again
        # It rewrites the traceback to the template's own lines, and raises again.
        env.handle_exception()
