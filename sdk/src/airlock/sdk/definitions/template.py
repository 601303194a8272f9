"""
Templates in what a task is given, rendered with Jinja2 in Airflow's sandbox.

Jinja2 is imported when the first template is rendered. A text without a template is not handed to it: the result is the
same, and most tasks have none.
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airlock.sdk.definitions.xcom_arg import ResolveMixin
from airlock.sdk.exceptions import AirlockException, TemplateError

if TYPE_CHECKING:
    import jinja2

    from airlock.sdk.definitions.context import Context
    from airlock.sdk.definitions.dag import DAG

_MARKS = ("{{", "{%", "{#", "\r")


class LiteralValue(ResolveMixin):
    """A value that is not rendered: what ``literal(...)`` gives."""

    def __init__(self, value: Any) -> None:
        """Wraps the value."""
        self.value = value

    def iter_references(self) -> Any:
        """Yields nothing: it needs no task."""
        return iter(())

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the value as it is."""
        del context
        return self.value

    def __repr__(self) -> str:
        """Returns the call."""
        return f"literal({self.value!r})"


def literal(value: Any) -> LiteralValue:
    """Returns a stand-in for a value that must not be rendered as a template, at any depth."""
    return LiteralValue(value)


class Templater:
    """
    Something with fields that are templates. ``template_fields`` names them; a text in them that ends with one of
    ``template_ext`` names a file with the template.
    """

    template_fields: Collection[str] = ()
    template_ext: Sequence[str] = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {}

    def get_template_env(self, dag: "DAG | None" = None) -> "jinja2.Environment":
        """Returns the environment in which the templates are rendered."""
        from airlock.sdk.execution_time.environment import environment  # deferred: it imports Jinja2

        return dag.get_template_env() if dag is not None else environment(native=False)

    def prepare_template(self) -> None:
        """Changes what the fields hold before they are rendered. Override it."""

    def render_template_fields(self, context: "Context", jinja_env: "jinja2.Environment | None" = None) -> None:
        """Renders the fields in place."""
        Rendering(self, context, jinja_env).fields_of(self, self.template_fields)

    def render_template(
        self,
        content: Any,
        context: "Context",
        jinja_env: "jinja2.Environment | None" = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Returns a value with the templates in it rendered, at any depth of lists, tuples, sets and dict values."""
        return Rendering(self, context, jinja_env, seen_oids).value(content, "value")

    def resolve_template_files(self) -> None:
        """Replaces the names of template files in the fields by the files' text, and calls prepare_template()."""
        if self.template_ext:
            for field in self.template_fields:
                content = getattr(self, field, None)
                if isinstance(content, str) and self._names_a_file(content):
                    setattr(self, field, self._source(content))
                elif isinstance(content, list):
                    for index, each in enumerate(content):
                        if isinstance(each, str) and self._names_a_file(each):
                            content[index] = self._source(each)
        self.prepare_template()

    def _names_a_file(self, content: str) -> bool:
        return any(content.endswith(ending) for ending in self.template_ext)

    def _source(self, name: str) -> str:
        env = self.get_template_env()
        assert env.loader is not None  # noqa: S101 - environment() gives it one
        return env.loader.get_source(env, name)[0]


class Rendering:
    """One rendering of the fields of a task or notifier, for one context."""

    def __init__(
        self,
        owner: Templater,
        context: Mapping[str, Any],
        jinja_env: "jinja2.Environment | None" = None,
        seen_oids: Iterable[int] | None = None,
        *,
        plain_text: bool = False,
    ) -> None:
        """
        ``seen_oids`` are ids of values that are not rendered: those that came out of XComs. ``plain_text``: a text
        without template marks renders to itself, because the environment is an ordinary one.
        """
        self._owner = owner
        self._context = context
        self._env = jinja_env
        self._seen: set[int] = set(seen_oids or ())
        self._plain_text = plain_text

    def fields_of(self, parent: Any, fields: Iterable[str]) -> None:
        """Renders fields in place; raises AttributeError for one that the object lacks."""
        for field in fields:
            try:
                content = getattr(parent, field)
            except AttributeError:
                raise AttributeError(
                    f"{field!r} is configured as a template field but {type(parent).__name__} does not have this "
                    "attribute."
                ) from None
            if not content:
                continue
            if callable(content) and not isinstance(content, ResolveMixin):
                setattr(parent, field, content(context=self._context, jinja_env=self._environment()))
            else:
                setattr(parent, field, self.value(content, field))

    def value(self, content: Any, field: str) -> Any:
        """Returns a value rendered. ``field`` is what a message calls the place."""
        if isinstance(content, ResolveMixin):
            return content.resolve(self._context)
        if id(content) in self._seen:
            return content
        if isinstance(content, str):
            return self._text(content, field)
        if type(content) is tuple:
            return tuple(self.value(each, field) for each in content)
        if isinstance(content, tuple):
            return type(content)(*(self.value(each, field) for each in content))
        if isinstance(content, list):
            return [self.value(each, f"{field}[{i}]") for i, each in enumerate(content)]
        if isinstance(content, dict):
            return {key: self.value(each, f"{field}[{key!r}]") for key, each in content.items()}
        if isinstance(content, set):
            return {self.value(each, field) for each in content}
        fields = getattr(content, "template_fields", None)
        if fields and not isinstance(content, type):
            self._seen.add(id(content))
            self.fields_of(content, fields)
        return content

    def _text(self, text: str, field: str) -> Any:
        endings = self._owner.template_ext
        is_file = bool(endings) and text.endswith(tuple(endings))
        if not is_file and self._renders_to_itself(text):
            # As Jinja2 does: one newline at the end goes.
            return text.removesuffix("\n")
        return _rendered(self._environment(), text, self._context, self._place(field), is_file=is_file)

    def _renders_to_itself(self, text: str) -> bool:
        return self._plain_text and not any(mark in text for mark in _MARKS)

    def _place(self, field: str) -> str:
        task_id = getattr(self._owner, "task_id", None)
        return f"task {task_id!r}: {field}" if task_id is not None else field

    def _environment(self) -> "jinja2.Environment":
        if self._env is None:
            self._env = self._owner.get_template_env()
        return self._env


def _rendered(env: "jinja2.Environment", text: str, context: Mapping[str, Any], place: str, *, is_file: bool) -> Any:
    import jinja2  # deferred: most tasks have no template

    from airlock.sdk.execution_time.environment import render

    try:
        template = env.get_template(text) if is_file else env.from_string(text)
        return render(template, context)
    except AirlockException:
        raise
    except jinja2.TemplateNotFound as e:
        folders = getattr(env.loader, "searchpath", [])
        raise TemplateError(
            f"{place}: there is no template file {e.name!r} in {', '.join(map(os.fspath, folders)) or 'any folder'}; "
            "correct its name, or add its folder to the DAG's template_searchpath"
        ) from e
    except jinja2.TemplateSyntaxError as e:
        raise TemplateError(f"{place}: line {e.lineno} of the template: {e.message}") from e
    except jinja2.UndefinedError as e:
        raise TemplateError(
            f"{place}: {e.message}; correct the name, or give it a default: {{{{ x | default('') }}}}"
        ) from e
    except Exception as e:  # an expression in a template can raise anything
        raise TemplateError(f"{place}: {type(e).__name__}: {e}") from e
