"""
Renders a task's template fields: XComArgs become the values of the tasks before it, and templates are rendered.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.basis.settings import whole
from airlock.sdk.definitions.template import Rendering
from airlock.sdk.exceptions import NotJson
from airlock_runner.json_values import plain

#: How much of one field is kept for people to look at, unless [core] max_templated_field_length says otherwise.
MAX_FIELD_CHARS: Final = 4096


def render(operator: BaseOperator, context: Any, seen_oids: Collection[int] = ()) -> None:
    """
    Renders the fields in place. ``seen_oids`` are ids of values that came out of XComs: those are not templates. Raises
    TemplateError.
    """
    if type(operator).render_template_fields is not BaseOperator.render_template_fields:
        # A class that renders in its own way, as some of providers do.
        operator.render_template_fields(context)
        return
    Rendering(operator, context, seen_oids=seen_oids, plain_text=operator.renders_plain_text()).fields_of(
        operator, operator.template_fields
    )


def shown(operator: BaseOperator) -> dict[str, Any]:
    """
    Returns the fields as people see them: JSON, each field bounded. A value that is not JSON is shown as its repr.
    """
    limit = whole("core", "max_templated_field_length", MAX_FIELD_CHARS)
    return {field: _bounded(getattr(operator, field, None), limit) for field in operator.template_fields}


def _bounded(value: Any, limit: int) -> Any:
    if isinstance(value, tuple):
        value = list(value)
    try:
        value = plain(value, "field")
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except NotJson:
        value = text = repr(value).encode(errors="backslashreplace").decode()
    if len(text) <= limit:
        return value
    return f"{text[: max(0, limit)]}… [cut: {len(text)} characters]"
