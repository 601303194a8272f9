"""Templates in task arguments, rendered with Jinja2. Jinja2 is imported when the first template is rendered."""

from collections.abc import Mapping
from typing import Any

from airlock.sdk.exceptions import AirlockException, TemplateError

_MARKS = ("{{", "{%", "{#")


def is_template(text: str) -> bool:
    """Tells whether rendering could change the text."""
    return any(mark in text for mark in _MARKS)


def render(text: str, context: Mapping[str, Any], field: str) -> str:
    """
    Returns the text with its template rendered. Raises TemplateError for a fault in it or a name that is not defined.

    ``field`` is what the message calls the place. An AirlockException that a lookup in the template raises (a missing
    variable, say) passes through. The environment is not a sandbox: the template is as much the author's as the code.
    """
    if not is_template(text):
        return text
    import jinja2  # deferred: most tasks have no template

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - no HTML here
    try:
        return environment.from_string(text).render(context)
    except AirlockException:
        raise
    except jinja2.TemplateSyntaxError as e:
        raise TemplateError(f"{field}: line {e.lineno} of the template: {e.message}") from None
    except jinja2.UndefinedError as e:
        raise TemplateError(
            f"{field}: {e.message}; correct the name, or give it a default: {{{{ x | default('') }}}}"
        ) from None
    except Exception as e:  # an expression in a template can raise anything
        raise TemplateError(f"{field}: {type(e).__name__}: {e}") from e
