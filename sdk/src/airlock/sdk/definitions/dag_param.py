"""``dag.param("name")``: what stands for a parameter's value while the DAG is written."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.definitions import dag_checks
from airlock.sdk.definitions.xcom_arg import ResolveMixin
from airlock.sdk.exceptions import AirlockException

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG


class DagParam(ResolveMixin):
    """What stands for a parameter of the DAG run: its configuration's value, else the DAG's, else the default."""

    def __init__(self, current_dag: "DAG", name: str, default: Any = NOTSET) -> None:
        """Makes a default a parameter of the DAG."""
        if default is not NOTSET:
            current_dag.params = dag_checks.params({**current_dag.params, name: default}, {}, "DAG")
        self.current_dag = current_dag
        self._name = name
        self._default = default

    def iter_references(self) -> Any:
        """Yields nothing: it needs no task."""
        return iter(())

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the value; raises AirlockException for a parameter without one."""
        conf = context["dag_run"].conf or {}
        if self._name in conf:
            return conf[self._name]
        if self._default is not NOTSET:
            return self._default
        if self._name in context["params"]:
            return context["params"][self._name]
        raise AirlockException(f"No value could be resolved for parameter {self._name}")
