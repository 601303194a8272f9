"""What a task and a mapped task have in common."""

from collections.abc import Collection
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.definitions.graph import setup_teardown
from airlock.sdk.definitions.graph.edges import DependencyMixin, Others
from airlock.sdk.definitions.graph.node import DAGNode
from airlock.sdk.definitions.template import Templater

if TYPE_CHECKING:
    from logging import Logger

    import jinja2

    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.xcom_arg import XComArg


class AbstractOperator(Templater, DAGNode):
    """A task of a DAG, mapped or not."""

    task_id: str
    operator_class: Any
    is_mapped: bool = False
    trigger_rule: Any
    on_failure_fail_dagrun: bool = False
    returns_dag_result: bool = False
    multiple_outputs: bool = False
    operator_extra_links: Collection[Any] = ()
    render_template_as_native_obj: bool | None = None
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"

    @property
    def node_id(self) -> str:
        """Its task_id."""
        return self.task_id

    @property
    def roots(self) -> "list[AbstractOperator]":
        """Itself."""
        return [self]

    @property
    def leaves(self) -> "list[AbstractOperator]":
        """Itself."""
        return [self]

    @property
    def task_type(self) -> str:
        """The name of its class."""
        return str(self.operator_class.__name__)

    @property
    def operator_name(self) -> str:
        """The name of its kind for people: ``@task``, or the name of its class."""
        return str(getattr(self.operator_class, "custom_operator_name", self.task_type))

    @property
    def output(self) -> "XComArg":
        """What stands for its return value."""
        from airlock.sdk.definitions.xcom_arg import XComArg

        return XComArg(self)

    @property
    def inherits_from_skipmixin(self) -> bool:
        """Tells whether it can skip tasks after it."""
        from airlock.sdk.bases.skipmixin import SkipMixin

        return issubclass(self.operator_class, SkipMixin)

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Tells whether it does nothing."""
        return any(each.__name__ == "EmptyOperator" for each in self.operator_class.__mro__)

    @property
    def log(self) -> "Logger":
        """Its logger."""
        import logging  # deferred: a task that does not log does not pay for it

        name = getattr(self, "logger_name", None)
        place = f"{self.operator_class.__module__}.{self.operator_class.__name__}"
        return logging.getLogger(f"airlock.task.operators.{name or place}")

    # --- setups and teardowns ---

    def as_setup(self) -> "AbstractOperator":
        """Makes this a setup: tasks after it run only if it succeeded. Raises ValueError for a teardown."""
        if self.is_teardown:
            raise ValueError(f"task {self.task_id!r} is a teardown, so it cannot be a setup too")
        self.is_setup = True
        return self

    def as_teardown(self, *, setups: Others = None, on_failure_fail_dagrun: bool | None = None) -> "AbstractOperator":
        """
        Makes this a teardown: it runs when the work of its setups is over, however that ended. ``setups`` become its
        setups. Its own failure fails the DAG run only with ``on_failure_fail_dagrun``. Raises ValueError for a setup.
        """
        if self.is_setup:
            raise ValueError(f"task {self.task_id!r} is a setup, so it cannot be a teardown too")
        self.is_teardown = True
        self.trigger_rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
        if on_failure_fail_dagrun is not None:
            self.on_failure_fail_dagrun = on_failure_fail_dagrun
        if setups is not None:
            for each in [setups] if isinstance(setups, DependencyMixin) else setups:
                each.as_setup()
                each.set_downstream(self)
        return self

    def __enter__(self) -> Any:
        """Opens the scope of a setup or teardown: tasks that are made inside are its work."""
        return setup_teardown.enter(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the scope."""
        setup_teardown.leave()

    # --- templates ---

    def get_template_env(self, dag: "DAG | None" = None) -> "jinja2.Environment":
        """Returns the environment of its templates: its DAG's, native if it or its DAG says so."""
        from airlock.sdk.execution_time.environment import environment  # deferred: it imports Jinja2

        dag = dag if dag is not None else self.get_dag()
        native = self.render_template_as_native_obj
        if dag is None:
            return environment(native=bool(native))
        return dag.get_template_env(force_native=native)

    def renders_plain_text(self) -> bool:
        """Tells whether a text without template marks renders to itself: not where the author changed the marks."""
        dag = self.get_dag()
        native = self.render_template_as_native_obj
        if dag is None:
            return not native
        return not dag.jinja_environment_kwargs and not (
            dag.render_template_as_native_obj if native is None else native
        )
