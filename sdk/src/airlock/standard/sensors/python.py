"""A sensor that calls a function of the author."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airlock.sdk._signature import signature_of, with_context
from airlock.sdk.bases.sensor import BaseSensorOperator, PokeReturnValue
from airlock.sdk.execution_time import log

_LOGGER = "airlock.task.sensors.python"


class PythonSensor(BaseSensorOperator):
    """Calls ``python_callable(*op_args, **op_kwargs)`` until it returns something true, or a done PokeReturnValue."""

    template_fields: Collection[str] = ("templates_dict", "op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: list[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        self.python_callable = python_callable
        self.op_args: Any = op_args or []
        self.op_kwargs: Any = op_kwargs or {}
        self.templates_dict = templates_dict

    def poke(self, context: Any) -> PokeReturnValue:
        """Calls the function once."""
        context["templates_dict"] = self.templates_dict
        arguments = with_context(signature_of(self.python_callable), self.op_args, self.op_kwargs, context)
        log.line("info", f"Poking callable: {self.python_callable}", _LOGGER)
        value = self.python_callable(*self.op_args, **arguments)
        return value if isinstance(value, PokeReturnValue) else PokeReturnValue(bool(value))
