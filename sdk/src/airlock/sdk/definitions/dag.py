"""DAGs: named sets of tasks, written as ``with DAG("name"):`` or with ``@dag``."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from airlock.sdk._names import near
from airlock.sdk.bases.options import checked_id
from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.definitions import dag_checks
from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.graph.node import DAGNode
from airlock.sdk.definitions.graph.order import cycle, tasks_in_order
from airlock.sdk.definitions.graph.taskgroup import TaskGroup
from airlock.sdk.definitions.subset import partial_subset
from airlock.sdk.definitions.xcom_arg import RETURN_VALUE, PlainXComArg
from airlock.sdk.exceptions import AirlockDagCycleException, DuplicateTaskIdFound, NodeNotFound, TaskNotFound

if TYPE_CHECKING:
    import jinja2

    from airlock.sdk.definitions.dag_param import DagParam

Callbacks = Callable[[Any], Any] | list[Callable[[Any], Any]] | None


class DAG:
    """
    A set of tasks that run together.

    Usage: ``with DAG("hello", tags=["demo"]) as dag:`` and, inside, calls of `@task` functions and operators.
    ``default_args`` are options for all of its tasks. The arguments and their defaults are Airflow's; settings
    of the platform may replace those. ``fileloc`` and ``line`` say where it was made.
    """

    def __init__(
        self,
        dag_id: str,
        *,
        description: str | None = None,
        default_args: Mapping[str, Any] | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        schedule: Any = None,
        template_searchpath: str | Iterable[str] | None = None,
        template_undefined: "type[jinja2.StrictUndefined] | None" = None,
        user_defined_macros: dict[str, Any] | None = None,
        user_defined_filters: dict[str, Any] | None = None,
        max_active_tasks: int | None = None,
        max_active_runs: int | None = None,
        max_consecutive_failed_dag_runs: int | None = None,
        dagrun_timeout: timedelta | None = None,
        deadline: Any = None,
        sla_miss_callback: Any = None,
        catchup: bool | None = None,
        on_success_callback: Callbacks = None,
        on_failure_callback: Callbacks = None,
        doc_md: str | None = None,
        params: MutableMapping[str, Any] | None = None,
        access_control: Any = None,
        is_paused_upon_creation: bool | None = None,
        jinja_environment_kwargs: dict[str, Any] | None = None,
        render_template_as_native_obj: bool = False,
        tags: Collection[str] | None = None,
        owner_links: dict[str, str] | None = None,
        auto_register: bool = True,
        fail_fast: bool = False,
        allowed_run_types: Any = None,
        dag_display_name: str | None = None,
        task_group: TaskGroup | None = None,
        disable_bundle_versioning: bool | None = None,
        rerun_with_latest_version: bool | None = None,
        **unknown: Any,
    ) -> None:
        """Raises TypeError or ValueError, naming the argument and the fix, for an argument that a DAG cannot have."""
        for name in unknown:
            raise TypeError(f"DAG {dag_id!r} has no argument {name!r}; {near(name, _arguments())}")
        self.dag_id = checked_id(dag_id, "DAG: dag_id")
        place = f"DAG {dag_id!r}"
        self.fileloc, self.line, self.module_name = stack.maker(sys._getframe(1))  # noqa: SLF001 - `inspect` is slow
        dag_checks.types(
            place,
            description=description,
            dag_display_name=dag_display_name,
            max_active_tasks=max_active_tasks,
            max_active_runs=max_active_runs,
            max_consecutive_failed_dag_runs=max_consecutive_failed_dag_runs,
            dagrun_timeout=dagrun_timeout,
        )
        self.default_args = dag_checks.default_args(default_args, place)
        self.timezone, self.start_date, self.end_date = dag_checks.dates(start_date, end_date, self.default_args, place)
        self.description = description
        self.schedule = schedule
        #: The options that a setting decides where the author does not. None: neither of them says it.
        self.given: dict[str, Any] = dag_checks.given_or_set(
            catchup=catchup,
            max_active_tasks=max_active_tasks,
            max_active_runs=max_active_runs,
            max_consecutive_failed_dag_runs=max_consecutive_failed_dag_runs,
            disable_bundle_versioning=disable_bundle_versioning,
        )
        self.catchup = bool(self.given["catchup"])
        self.template_searchpath = dag_checks.search_path(template_searchpath)
        self.template_undefined = template_undefined
        self.user_defined_macros = user_defined_macros
        self.user_defined_filters = user_defined_filters
        tasks = self.given["max_active_tasks"]
        self.max_active_tasks: int = dag_checks.MAX_ACTIVE if tasks is None else tasks
        self.max_consecutive_failed_dag_runs: int = self.given["max_consecutive_failed_dag_runs"] or 0
        self.dagrun_timeout = dagrun_timeout
        self.deadline = deadline if deadline is None or isinstance(deadline, list) else [deadline]
        self.on_success_callback = on_success_callback
        self.on_failure_callback = on_failure_callback
        self.doc_md = dag_checks.document(doc_md)
        self.params = dag_checks.params(params, self.default_args, place)
        self.access_control = access_control
        self.is_paused_upon_creation = is_paused_upon_creation
        self.jinja_environment_kwargs = jinja_environment_kwargs
        self.render_template_as_native_obj = render_template_as_native_obj
        self.tags = dag_checks.tags(tags, place)
        self.owner_links = dag_checks.owner_links(owner_links, place)
        self.auto_register = auto_register
        self.fail_fast = fail_fast
        self.dag_display_name = dag_display_name or dag_id
        self.disable_bundle_versioning = bool(self.given["disable_bundle_versioning"])
        self.rerun_with_latest_version = rerun_with_latest_version
        self.edge_info: dict[str, dict[str, Any]] = {}
        self.task_dict: dict[str, Any] = {}
        self.timetable = dag_checks.timetable(schedule, self.timezone)
        self.max_active_runs = dag_checks.max_active_runs(self.given["max_active_runs"], self.timetable, place)
        self.allowed_run_types = dag_checks.allowed_run_types(allowed_run_types, self.timetable, place)
        dag_checks.schedule(self, place)
        if sla_miss_callback:
            dag_checks.warn("The SLA feature is removed in Airflow 3.0, and replaced with a Deadline Alerts in >=3.1")
        self.task_group = task_group if task_group is not None else TaskGroup.create_root(self)

    # --- tasks ---

    @property
    def tasks(self) -> list[Any]:
        """Its tasks, in the order they were made."""
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        """The ids of its tasks, in the order they were made."""
        return list(self.task_dict)

    @property
    def task_group_dict(self) -> dict[str | None, TaskGroup]:
        """Its groups by id, without the root."""
        return {key: group for key, group in self.task_group.get_task_group_dict().items() if key is not None}

    def get_task(self, task_id: str) -> Any:
        """Returns the task of this id; TaskNotFound naming near ones."""
        try:
            return self.task_dict[task_id]
        except KeyError:
            raise TaskNotFound(
                f"DAG {self.dag_id!r} has no task {task_id!r}; {near(task_id, self.task_dict)}"
            ) from None

    def has_task(self, task_id: str) -> bool:
        """Tells whether it has a task of this id."""
        return task_id in self.task_dict

    def has_task_group(self, task_group_id: str) -> bool:
        """Tells whether it has a group of this id."""
        return task_group_id in self.task_group_dict

    def __getitem__(self, node_id: str) -> DAGNode:
        """Returns the task or group of this id; NodeNotFound for an unknown one."""
        node: DAGNode | None = self.task_dict.get(node_id) or self.task_group_dict.get(node_id)
        if node is None:
            raise NodeNotFound(f"DAG {self.dag_id!r} has no task and no group {node_id!r}")
        return node

    def add_task(self, task: Any) -> None:
        """
        Adds a task. Its dates are narrowed to the DAG's. Raises DuplicateTaskIdFound for an id that the DAG has.
        """
        task.start_date = _later(task.start_date, self.start_date)
        task.end_date = _earlier(task.end_date, self.end_date)
        if task.task_group is None:
            group = stack.open_group(self) or self.task_group
            if group.group_id and not task.is_mapped:
                task.task_id = group.child_id(task.task_id)
            group.add(task)
        task_id = task.node_id
        taken = task_id in self.task_dict and self.task_dict[task_id] is not task
        if taken or task_id in self.task_group.used_group_ids:
            raise DuplicateTaskIdFound(
                f"Task id {task_id!r} has already been added to the DAG; give one of them another id"
            )
        self.task_dict[task_id] = task
        task.dag = self
        self.task_group.used_group_ids.add(task_id)
        dag_checks.fail_fast(self, task)

    def add_tasks(self, tasks: Iterable[Any]) -> None:
        """Adds several tasks."""
        for task in tasks:
            self.add_task(task)

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        """Puts one of its tasks before another."""
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    @property
    def roots(self) -> list[Any]:
        """The tasks with nothing before them."""
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[Any]:
        """The tasks with nothing after them."""
        return [task for task in self.tasks if not task.downstream_task_ids]

    @property
    def teardowns(self) -> list[Any]:
        """Its teardowns."""
        return [task for task in self.tasks if task.is_teardown]

    @property
    def tasks_upstream_of_teardowns(self) -> list[Any]:
        """The tasks directly before teardowns, but for other teardowns."""
        return [each for task in self.teardowns for each in task.upstream_list if not each.is_teardown]

    @property
    def owner(self) -> str:
        """The owners of its tasks, joined by commas."""
        return ", ".join(dict.fromkeys(task.owner for task in self.tasks))

    @property
    def folder(self) -> str:
        """The folder of its file."""
        return os.path.dirname(self.fileloc)

    def topological_sort(self) -> tuple[Any, ...]:
        """Returns its tasks so that each comes after what it waits for."""
        return tuple(tasks_in_order(self.task_group))

    # --- checks ---

    def cycle(self) -> list[str]:
        """Returns the ids along a cycle of dependencies, the first repeated as the last; empty if there is no cycle."""
        return cycle({task_id: task.downstream_task_ids for task_id, task in self.task_dict.items()})

    def check_cycle(self) -> None:
        """Raises AirlockDagCycleException where tasks wait for each other."""
        if ids := self.cycle():
            raise AirlockDagCycleException(f"Cycle detected in DAG: {self.dag_id}. {' >> '.join(ids)}")

    def validate(self) -> None:
        """Checks what can be checked when all is written: the timetable, setups and teardowns, links of owners."""
        validate = getattr(self.timetable, "validate", None)
        if validate is not None:
            validate()
        self.validate_setup_teardown()
        dag_checks.owner_links(self.owner_links, f"DAG {self.dag_id!r}")

    def validate_setup_teardown(self) -> None:
        """Raises ValueError where a task directly after a setup has another trigger rule than ``all_success``."""
        dag_checks.setups(self)

    # --- labels, parameters, results ---

    def get_edge_info(self, upstream_task_id: str, downstream_task_id: str) -> dict[str, Any]:
        """Returns what is known of an arrow: its label."""
        return dict(self.edge_info.get(upstream_task_id, {}).get(downstream_task_id, {}))

    def set_edge_info(self, upstream_task_id: str, downstream_task_id: str, info: dict[str, Any]) -> None:
        """Keeps the label of an arrow."""
        self.edge_info.setdefault(upstream_task_id, {})[downstream_task_id] = info

    def param(self, name: str, default: Any = NOTSET) -> "DagParam":
        """Returns what stands for a parameter's value: pass it to a task."""
        from airlock.sdk.definitions.dag_param import DagParam

        return DagParam(self, name, default)

    def add_result(self, xcom_arg: Any) -> Any:
        """Makes the return value of a task the result of the DAG."""
        if not isinstance(xcom_arg, PlainXComArg) or xcom_arg.key != RETURN_VALUE:
            raise ValueError("Only plain return value can be used as dag result")
        xcom_arg.operator.returns_dag_result = True
        return xcom_arg

    @property
    def task(self) -> Any:
        """``@dag.task``: ``@task`` whose tasks are in this DAG."""
        from functools import partial

        from airlock.sdk.definitions.decorators.task import task

        return partial(task, dag=self)

    def test(
        self,
        run_after: datetime | None = None,
        logical_date: Any = NOTSET,
        run_conf: dict[str, Any] | None = None,
        conn_file_path: str | None = None,
        variable_file_path: str | None = None,
        use_executor: bool = False,
        mark_success_pattern: Any = None,
    ) -> Any:
        """Runs this DAG once on this machine, by ``airlock dags test``, and returns how it ended."""
        from airlock.sdk.execution_time import dag_test

        files = {"CONNECTIONS": conn_file_path, "VARIABLES": variable_file_path}
        date = run_after if logical_date is NOTSET and run_after is not None else logical_date
        return dag_test.run(self, date, run_conf, files, use_executor, mark_success_pattern)

    # --- templates ---

    def get_template_env(
        self, *, force_sandboxed: bool = False, force_native: bool | None = None
    ) -> "jinja2.Environment":
        """Returns the environment of its tasks' templates."""
        from airlock.sdk.execution_time.environment import environment_of  # deferred: it imports Jinja2

        native = self.render_template_as_native_obj if force_native is None else force_native
        return environment_of(self, native=native and not force_sandboxed)

    def resolve_template_files(self) -> None:
        """Replaces the names of template files in its tasks by the files' text."""
        for task in self.tasks:
            task.resolve_template_files()

    partial_subset = partial_subset

    # --- with ---

    def __enter__(self) -> Self:
        """Makes this the DAG that tasks are added to from here on."""
        stack.push_dag(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Makes the outer DAG, if there is one, the DAG that tasks are added to again."""
        stack.pop_dag()

    def __repr__(self) -> str:
        """Returns the id."""
        return f"<DAG: {self.dag_id}>"

    def __lt__(self, other: "DAG") -> bool:
        """Sorts by id."""
        return self.dag_id < other.dag_id


@overload
def dag(function: Callable[..., Any], /) -> Callable[..., DAG]: ...
@overload
def dag(dag_id: str | None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., DAG]]: ...
def dag(dag_id: Callable[..., Any] | str | None = None, /, **options: Any) -> Any:
    """
    Makes a function that calls tasks a DAG: ``@dag`` or ``@dag("name", tags=[...])``. Call it once to make the DAG.

    The id is the function's name unless given; the function's docstring becomes ``doc_md``. Parameters of the function
    become parameters of the DAG.
    """
    if dag_id is None:
        dag_id = options.pop("dag_id", None)
    name = None if callable(dag_id) else dag_id

    def decorate(function: Callable[..., Any]) -> Callable[..., DAG]:
        def make(*args: Any, **kwargs: Any) -> DAG:
            defaults = {"dag_id": function.__name__ if name is None else name, "doc_md": function.__doc__}
            with DAG(**{**defaults, **options}) as new_dag:
                returned = function(**dag_checks.arguments(function, args, kwargs, new_dag))
                if isinstance(returned, PlainXComArg) and returned.key == RETURN_VALUE:
                    new_dag.add_result(returned)
            return new_dag

        make.__name__, make.__doc__, make.__module__ = function.__name__, function.__doc__, function.__module__
        make.__wrapped__ = function  # type: ignore[attr-defined]  # as functools.wraps does
        return make

    return decorate(dag_id) if callable(dag_id) else decorate


def _arguments() -> Sequence[str]:
    return list(DAG.__init__.__kwdefaults__ or ())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one is not None and other is not None else one or other


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other
