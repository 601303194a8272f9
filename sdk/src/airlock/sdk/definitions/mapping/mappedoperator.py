"""A mapped task: one node of the DAG that runs once for each item of what it is mapped over."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airlock.sdk.bases.abstract_operator import AbstractOperator
from airlock.sdk.bases.arguments import params_of
from airlock.sdk.bases.defaults import params_as_written
from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.definitions.graph import setup_teardown
from airlock.sdk.definitions.mapping.expansion import ExpandInput, prevent_duplicates
from airlock.sdk.definitions.xcom_arg import XComArg

if TYPE_CHECKING:
    from airlock.sdk.definitions.context import Context
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup

_DEFAULTS: dict[str, Any] = {
    **(getattr(BaseOperator.__init__, "__wrapped__", BaseOperator.__init__).__kwdefaults__ or {}),
    "pool": "default_pool",
    "executor_config": {},
    "inlets": [],
    "outlets": [],
    "is_setup": False,
    "is_teardown": False,
    "on_failure_fail_dagrun": False,
    **{f"on_{name}_callback": [] for name in ("execute", "failure", "success", "retry", "skipped")},
}
#: What is the mapped task's own, and not an option that its instances get.
_OWN = frozenset(
    {
        "operator_class", "expand_input", "partial_kwargs", "task_id", "params", "task_group", "upstream_task_ids",
        "downstream_task_ids", "refuses_overlap", "template_fields", "returns_dag_result", "expands_op_kwargs", "_dag",
    }
)  # fmt: skip

#: What the mapped task has from the class of its instances.
_OF_CLASS = (
    "template_fields", "template_ext", "template_fields_renderers", "operator_extra_links", "ui_color", "ui_fgcolor",
)  # fmt: skip


class MappedOperator(AbstractOperator):
    """
    A mapped task. Every option of its instances can be read and set as an attribute; ``unmap`` makes one instance.
    """

    is_mapped = True

    def __init__(
        self,
        *,
        operator_class: type[BaseOperator],
        expand_input: ExpandInput,
        task_id: str,
        partial_kwargs: dict[str, Any],
        params: dict[str, Any],
        dag: "DAG | None",
        task_group: "TaskGroup | None",
        refuses_overlap: bool,
        expands_op_kwargs: bool = False,
    ) -> None:
        """
        ``refuses_overlap``: an argument that is fixed may not be mapped, too. ``expands_op_kwargs``: the mapped
        arguments are those of a task's function. Raises NotImplementedError in a mapped group.
        """
        self.operator_class = operator_class
        self.expand_input = expand_input
        self.partial_kwargs = partial_kwargs
        self.task_id = task_id
        self.params = params_of(params)
        self.refuses_overlap = refuses_overlap
        self.expands_op_kwargs = expands_op_kwargs
        for name in _OF_CLASS:
            setattr(self, name, getattr(operator_class, name))
        self.returns_dag_result = False
        self.upstream_task_ids = set()
        self.downstream_task_ids = set()
        self.task_group = task_group
        self._dag: DAG | None = None
        if self.get_closest_mapped_task_group() is not None:
            raise NotImplementedError("operator expansion in an expanded task group is not yet supported")
        if task_group is not None:
            self.task_group = None
            task_group.add(self)
        if dag is not None:
            dag.add_task(self)
        setup_teardown.note(self)
        XComArg.apply_upstream_relationship(self, expand_input.value)
        for name, value in partial_kwargs.items():
            if name in self.template_fields:
                XComArg.apply_upstream_relationship(self, value)

    def __getattr__(self, name: str) -> Any:
        """Returns what the class of its instances has."""
        if name.startswith("__") or name in _OWN:
            raise AttributeError(name)
        return getattr(self.operator_class, name)

    @property
    def dag(self) -> "DAG":
        """The DAG that it is in. Raises RuntimeError outside one."""
        if self._dag is None:
            raise RuntimeError(f"Operator {self} has not been assigned to a DAG yet")
        return self._dag

    @dag.setter
    def dag(self, dag: "DAG | None") -> None:
        self._dag = dag

    def get_dag(self) -> "DAG | None":
        """Returns the DAG that it is in, if any."""
        return self._dag

    @property
    def task_display_name(self) -> str:
        """What people read instead of its task_id."""
        return str(self.partial_kwargs.get("task_display_name") or self.task_id)

    def unmap(self, context: "Context | Mapping[str, Any] | None" = None) -> tuple[BaseOperator, set[int]]:
        """
        Returns the instance for the running index, and the ids of the arguments that came out of XComs: those are not
        rendered.
        """
        mapped, resolved = self.expand_input.resolve(context or {})
        return self._instance(mapped), resolved

    def _instance(self, mapped: Mapping[str, Any]) -> BaseOperator:
        fixed = {**self.partial_kwargs}
        if self.refuses_overlap:
            against = fixed.get("op_kwargs") or {} if self.expands_op_kwargs else fixed
            prevent_duplicates(against, mapped, fail_reason="unmappable or already specified")
        params = params_as_written(self.params)
        if self.expands_op_kwargs:
            mapped = {"op_kwargs": {**(fixed.get("op_kwargs") or {}), **mapped}}
        elif "params" in mapped:
            params.update(mapped["params"])
        arguments = {**fixed, **mapped, "params": params}
        flags = {name: arguments.pop(name, False) for name in ("is_setup", "is_teardown", "on_failure_fail_dagrun")}
        operator: BaseOperator = self.operator_class(
            task_id=self.task_id,
            dag=self._dag,
            task_group=self.task_group,
            _airlock_from_mapped=True,
            **arguments,
        )
        for name, value in flags.items():
            setattr(operator, name, value)
        operator.returns_dag_result = self.returns_dag_result
        operator.upstream_task_ids = self.upstream_task_ids
        operator.downstream_task_ids = self.downstream_task_ids
        operator.lock_for_execution()
        return operator

    def __repr__(self) -> str:
        """Returns its kind and id."""
        return f"<Mapped({self.task_type}): {self.task_id}>"


def _option(name: str) -> property:
    """Returns the attribute for an option: what is fixed, else the default."""

    def read(task: MappedOperator) -> Any:
        return task.partial_kwargs.get(name, _DEFAULTS[name])

    def write(task: MappedOperator, value: Any) -> None:
        task.partial_kwargs[name] = value

    return property(read, write, doc=f"The option ``{name}`` of its instances.")


for _name in _DEFAULTS.keys() - _OWN - {"dag", "task_display_name", "default_args"}:
    setattr(MappedOperator, _name, _option(_name))
