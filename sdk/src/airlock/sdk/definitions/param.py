"""Params: values that a run is given, with defaults and a JSON schema that says which values may be."""

import contextlib
import copy
from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, ClassVar, Literal, Self

from airlock.sdk.basis.notset import NOTSET, is_arg_set
from airlock.sdk.basis.settings import switch
from airlock.sdk.exceptions import ParamValidationError

_Source = Literal["dag", "task"]


class Param:
    """
    A value with a default, a description for people, and a JSON schema.

    Keyword arguments are the schema, unless ``schema`` is one of them: then that is it. ``source`` is where the param
    was declared, at a DAG or at a task.
    """

    __version__: ClassVar[int] = 1
    CLASS_IDENTIFIER: ClassVar[str] = "__class"

    def __init__(
        self, default: Any = NOTSET, description: str | None = None, source: _Source | None = None, **kwargs: Any
    ) -> None:
        """Raises ParamValidationError for a default that JSON cannot carry."""
        if is_arg_set(default):
            _check_json(default)
        self.value = default
        self.description = description
        self.schema: dict[str, Any] = kwargs.pop("schema") if "schema" in kwargs else kwargs
        self.source = source

    def __copy__(self) -> "Param":
        """Returns a param of the same value and schema."""
        return Param(self.value, self.description, self.source, schema=self.schema)

    def resolve(self, value: Any = NOTSET, suppress_exception: bool = False) -> Any:
        """
        Returns the value, or keeps and returns a new one, if the schema allows it.

        Raises ParamValidationError if it does not, or if there is no value; with ``suppress_exception`` returns None.
        """
        if is_arg_set(value):
            _check_json(value)
        final = value if is_arg_set(value) else self.value
        problem = _problem(final, self.schema) if is_arg_set(final) else "it has no value and no default; give it one"
        if problem and suppress_exception:
            return None
        if problem:
            raise ParamValidationError(problem)
        self.value = final
        return final

    def dump(self) -> dict[str, Any]:
        """Returns the param's class and fields; the value is None if there is no value."""
        kind = f"{type(self).__module__}.{type(self).__name__}"
        return {self.CLASS_IDENTIFIER: kind, **vars(self), "value": self.value if is_arg_set(self.value) else None}

    @property
    def has_value(self) -> bool:
        """Whether there is a value that is not None."""
        return is_arg_set(self.value) and self.value is not None

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {"value": self.value, "description": self.description, "schema": self.schema, "source": self.source}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> "Param":
        """Returns the param of these fields; raises TypeError for those of a newer version."""
        if version > Param.__version__:
            raise TypeError(f"a param of version {version} is newer than version {Param.__version__}, known here")
        return Param(data["value"], data["description"], data.get("source"), schema=data["schema"])


class ParamsDict(MutableMapping[str, Any]):
    """
    The params of a DAG or task by name. Reading one gives its value; a value that is written must fit its schema.

    With ``suppress_exception`` a value that does not fit is None instead of an error.
    """

    __version__: ClassVar[int] = 1
    __slots__ = ("_params", "suppress_exception")

    def __init__(self, dict_obj: Mapping[str, Any] | None = None, suppress_exception: bool = False) -> None:
        """Makes a value that is not a Param a Param without a schema."""
        items: Mapping[str, Any] = dict(dict_obj.items()) if dict_obj else {}
        self._params: dict[str, Param] = {
            key: each if isinstance(each, Param) else Param(each) for key, each in items.items()
        }
        self.suppress_exception = suppress_exception

    def __getitem__(self, key: str) -> Any:
        """Returns the value of a param."""
        return self._params[key].resolve(suppress_exception=self.suppress_exception)

    def __setitem__(self, key: str, value: Any) -> None:
        """Gives a param a value, or adds a param; raises ParamValidationError for a value that its schema refuses."""
        if isinstance(value, Param):
            self._params[key] = value
        elif key in self._params:
            with _named(key):
                self._params[key].resolve(value, suppress_exception=self.suppress_exception)
        else:
            self._params[key] = Param(value)

    def __delitem__(self, key: str) -> None:
        """Removes a param."""
        del self._params[key]

    def __iter__(self) -> Iterator[str]:
        """Returns the names."""
        return iter(self._params)

    def __len__(self) -> int:
        """Returns how many there are."""
        return len(self._params)

    def __contains__(self, key: object) -> bool:
        """Tells whether there is a param of this name, whatever its value."""
        return key in self._params

    def __eq__(self, other: object) -> bool:
        """Compares the values with those of other params, or with a dict."""
        if isinstance(other, ParamsDict):
            return self.dump() == other.dump()
        return self.dump() == other if isinstance(other, dict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Returns the values."""
        return repr(self.dump())

    def __copy__(self) -> "ParamsDict":
        """Returns a dict of the same params."""
        return ParamsDict(self._params, self.suppress_exception)

    def __deepcopy__(self, memo: dict[int, Any] | None) -> "ParamsDict":
        """Returns a dict of copies of the params."""
        return ParamsDict(copy.deepcopy(self._params, memo), self.suppress_exception)

    def get_param(self, key: str) -> Param:
        """Returns a param itself, not its value."""
        return self._params[key]

    def items(self) -> ItemsView[str, Param]:
        """Returns the params by name, not their values."""
        return ItemsView(self._params)

    def values(self) -> ValuesView[Param]:
        """Returns the params, not their values."""
        return ValuesView(self._params)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Gives params values, or replaces them by other params."""
        if len(args) == 1 and not kwargs and isinstance(args[0], ParamsDict):
            args = (dict(args[0].items()),)
        super().update(*args, **kwargs)

    def dump(self) -> dict[str, Any]:
        """Returns the values; None for one that its schema refuses."""
        return {key: param.resolve(suppress_exception=True) for key, param in self._params.items()}

    def validate(self) -> dict[str, Any]:
        """Returns the values; raises ParamValidationError, naming the param, for one that its schema refuses."""
        values = {}
        for key, param in self._params.items():
            with _named(key):
                values[key] = param.resolve(suppress_exception=self.suppress_exception)
        return values

    def deep_merge(self, conf: Mapping[str, Any] | None) -> Self:
        """Returns a copy in which a run's conf has replaced values, unchecked, and added those that nobody declared."""
        merged = copy.deepcopy(self)
        for key, value in (conf or {}).items():
            if key in merged and not isinstance(value, Param):
                merged.get_param(key).value = value
            else:
                merged[key] = value
        return merged

    def serialize(self) -> dict[str, Any]:
        """Returns the values."""
        return self.dump()

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> "ParamsDict":
        """Returns params of these values; raises TypeError for those of a newer version."""
        if version > ParamsDict.__version__:
            raise TypeError(f"params of version {version} are newer than version {ParamsDict.__version__}, known here")
        return ParamsDict(data)

    def _fill_missing_param_source(self, source: _Source | None = None) -> None:
        for param in self._params.values():
            if param.source is None:
                param.source = source

    @staticmethod
    def filter_params_by_source(params: "ParamsDict", source: _Source) -> "ParamsDict":
        """Returns the params that were declared at a DAG, or at a task."""
        return ParamsDict({key: param for key, param in params.items() if param.source == source})


def process_params(
    dag: Any, task: Any, dagrun_conf: Mapping[str, Any] | None, *, suppress_exception: bool
) -> dict[str, Any]:
    """
    Returns what a task finds in ``params``: those of its DAG, over them the task's, and over them the run's conf.

    Conf goes over the others unless ``[core] dag_run_conf_overrides_params`` is off. Keys of it that nobody declared
    are there too. Raises ParamValidationError, naming the param, for a value that a schema refuses.
    """
    params = ParamsDict(suppress_exception=suppress_exception)
    for declared in (getattr(dag, "params", None), getattr(task, "params", None)):
        # Copies: what is resolved for one run must not stay in the DAG.
        params.update(copy.deepcopy(declared or {}))
    if switch("core", "dag_run_conf_overrides_params", default=True) and dagrun_conf:
        params.update(dagrun_conf)
    return params.validate()


@contextlib.contextmanager
def _named(key: str) -> Iterator[None]:
    """Puts the param's name before the text of an error."""
    try:
        yield
    except ParamValidationError as error:
        raise ParamValidationError(f"Invalid input for param {key}: {error}") from None


def _check_json(value: Any) -> None:
    """Raises ParamValidationError for a value that JSON cannot carry."""
    if _is_plain(value):
        return
    import json  # deferred: costs milliseconds, and a usual default is known to be JSON without it

    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamValidationError(f"a param must be JSON, and {value!r:.200} is not: {error}") from None


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return True
    if kind is list:
        return all(map(_is_plain, value))
    return kind is dict and all(type(key) is str for key in value) and all(map(_is_plain, value.values()))


def _problem(value: Any, schema: Mapping[str, Any]) -> str:
    """Returns why a schema refuses a value; empty if it does not."""
    if not schema:
        return ""
    import jsonschema  # deferred: costs a tenth of a second, and most params have no schema

    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(dict(schema))
    errors = validator(dict(schema), format_checker=jsonschema.FormatChecker()).iter_errors(value)
    error = jsonschema.exceptions.best_match(errors)
    if error is None:
        return ""
    place = f" at {error.json_path}" if error.json_path != "$" else ""
    return f"{error.message}{place}; its schema is {dict(schema)!r:.300}"
