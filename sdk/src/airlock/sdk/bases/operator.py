"""BaseOperator: the class that every kind of task derives from."""

from collections.abc import Callable, Collection, Iterable, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airlock.sdk.bases import arguments, options
from airlock.sdk.bases.abstract_operator import AbstractOperator
from airlock.sdk.bases.defaults import OperatorMeta
from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.definitions.graph import setup_teardown
from airlock.sdk.definitions.xcom_arg import XComArg
from airlock.sdk.exceptions import TaskDeferralError, TaskDeferralTimeout, TaskDeferred

if TYPE_CHECKING:
    import jinja2

    from airlock.sdk.definitions.context import Context
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup
    from airlock.sdk.definitions.mapping.partial import OperatorPartial

#: The method that a trigger's failure or timeout resumes in.
TRIGGER_FAIL_REPR = "__fail__"

Callback = Callable[[Any], Any]
Callbacks = Callback | Collection[Callback] | None
#: Airflow's name of a callback of a task.
TaskStateChangeCallback = Callback


class BaseOperator(AbstractOperator, metaclass=OperatorMeta):
    """
    One task. A subclass has an ``__init__`` with keyword arguments, which passes ``**kwargs`` on to this one, and an
    ``execute(context)``, whose return value becomes the task's XCom.

    The arguments are Airflow's, with its defaults, which settings of the platform may replace. ``retry_delay`` and
    ``max_retry_delay`` may be seconds.
    """

    partial: "ClassVar[Callable[..., OperatorPartial]]"
    shallow_copy_attrs: Sequence[str] = ()
    overwrite_rtif_after_execution = False
    start_from_trigger = False
    start_trigger_args: Any = None
    _instantiated = False
    _from_mapped = False
    _dag: "DAG | None" = None

    def __init__(  # noqa: PLR0915 - one line for each option
        self,
        *,
        task_id: str,
        owner: str = options.DEFAULT_OWNER,
        email: str | Sequence[str] | None = None,
        email_on_retry: bool = options.DEFAULT_EMAIL_ON_RETRY,
        email_on_failure: bool = options.DEFAULT_EMAIL_ON_FAILURE,
        retries: int | None = options.DEFAULT_RETRIES,
        retry_delay: timedelta | float = options.DEFAULT_RETRY_DELAY,
        retry_exponential_backoff: float = 0,
        max_retry_delay: timedelta | float | None = None,
        retry_policy: Any = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        depends_on_past: bool = False,
        ignore_first_depends_on_past: bool = False,
        wait_for_past_depends_before_skipping: bool = False,
        wait_for_downstream: bool = False,
        dag: "DAG | None" = None,
        params: MutableMapping[str, Any] | None = None,
        default_args: dict[str, Any] | None = None,
        priority_weight: int = 1,
        weight_rule: Any = options.DEFAULT_WEIGHT_RULE,
        queue: str = options.DEFAULT_QUEUE,
        pool: str | None = None,
        pool_slots: int = 1,
        sla: timedelta | None = None,
        execution_timeout: timedelta | None = options.DEFAULT_TASK_EXECUTION_TIMEOUT,
        on_execute_callback: Callbacks = None,
        on_failure_callback: Callbacks = None,
        on_success_callback: Callbacks = None,
        on_retry_callback: Callbacks = None,
        on_skipped_callback: Callbacks = None,
        pre_execute: Callback | None = None,
        post_execute: Callable[[Any, Any], Any] | None = None,
        trigger_rule: str = TriggerRule.ALL_SUCCESS,
        resources: dict[str, Any] | None = None,
        run_as_user: str | None = None,
        map_index_template: str | None = None,
        max_active_tis_per_dag: int | None = None,
        max_active_tis_per_dagrun: int | None = None,
        executor: str | None = None,
        executor_config: dict[str, Any] | None = None,
        do_xcom_push: bool = True,
        multiple_outputs: bool = False,
        inlets: Any | None = None,
        outlets: Any | None = None,
        task_group: "TaskGroup | None" = None,
        doc: str | None = None,
        doc_md: str | None = None,
        doc_json: str | None = None,
        doc_yaml: str | None = None,
        doc_rst: str | None = None,
        task_display_name: str | None = None,
        logger_name: str | None = None,
        allow_nested_operators: bool = True,
        render_template_as_native_obj: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises TypeError or ValueError, naming the argument and the fix, for an argument that it cannot have."""
        kwargs.pop("_airlock_mapped_validation_only", None)
        if kwargs:
            raise TypeError(arguments.unknown_arguments(type(self), kwargs, task_id))
        options.checked_id(task_id, f"{type(self).__name__}: task_id")
        self.upstream_task_ids = set()
        self.downstream_task_ids = set()
        self.task_id = task_id
        if task_group is not None and not self._from_mapped:
            self.task_id = options.checked_id(task_group.child_id(task_id), f"{type(self).__name__}: task_id")
            task_group.add(self)
        self.task_group = task_group
        options.check_types(locals(), f"task {self.task_id!r}")
        self.owner = owner
        self.email = email
        self.email_on_retry = email_on_retry
        self.email_on_failure = email_on_failure
        self.retries = retries
        self.retry_delay = retry_delay
        self.retry_exponential_backoff = retry_exponential_backoff
        self.max_retry_delay = max_retry_delay
        self.retry_policy = retry_policy
        self.start_date = options.utc(start_date)
        self.end_date = options.utc(end_date)
        self.depends_on_past = depends_on_past or wait_for_downstream
        self.ignore_first_depends_on_past = ignore_first_depends_on_past
        self.wait_for_past_depends_before_skipping = wait_for_past_depends_before_skipping
        self.wait_for_downstream = wait_for_downstream
        self.params = arguments.params_of(params)
        self.default_args = default_args
        self.priority_weight = options.db_safe_priority(priority_weight)
        self.weight_rule = weight_rule
        self.queue = queue
        self.pool = options.DEFAULT_POOL if pool is None else pool
        if pool_slots < 1:
            raise ValueError(
                f"pool slots for {self.task_id}{f' in dag {dag.dag_id}' if dag else ''} cannot be less than 1"
            )
        self.pool_slots = pool_slots
        if sla is not None:
            arguments.warn("The SLA feature is removed in Airflow 3.0, replaced with Deadline Alerts in >=3.1")
        self.execution_timeout = execution_timeout
        self.on_execute_callback = options.several(on_execute_callback)
        self.on_failure_callback = options.several(on_failure_callback)
        self.on_success_callback = options.several(on_success_callback)
        self.on_retry_callback = options.several(on_retry_callback)
        self.on_skipped_callback = options.several(on_skipped_callback)
        self._pre_execute_hook = pre_execute
        self._post_execute_hook = post_execute
        self.trigger_rule = trigger_rule
        self.resources = options.resources_of(resources)
        self.run_as_user = run_as_user
        self.map_index_template = map_index_template
        self.max_active_tis_per_dag = max_active_tis_per_dag
        self.max_active_tis_per_dagrun = max_active_tis_per_dagrun
        self.executor = executor
        self.executor_config = executor_config or {}
        self.do_xcom_push = do_xcom_push
        self.multiple_outputs = multiple_outputs
        self.inlets = options.assets(inlets, f"task {self.task_id!r}: inlets")
        self.outlets = options.assets(outlets, f"task {self.task_id!r}: outlets")
        self.doc = doc
        self.doc_md = doc_md
        self.doc_json = doc_json
        self.doc_yaml = doc_yaml
        self.doc_rst = doc_rst
        self._task_display_name = task_display_name
        self.logger_name = logger_name
        self.allow_nested_operators = allow_nested_operators
        self.render_template_as_native_obj = render_template_as_native_obj
        if isinstance(self.template_fields, str):
            arguments.warn(
                f"template_fields of {type(self).__name__} is a text, not a list; write [{self.template_fields!r}]"
            )
            self.template_fields = [self.template_fields]
        if not self._from_mapped:
            setup_teardown.note(self)
        if dag is not None:
            self.dag = dag

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute: an option is converted; an XComArg in a template field puts its task before this."""
        convert = options.CONVERTERS.get(name)
        if convert is not None:
            value = convert(value, f"task {self.__dict__.get('task_id', '')!r}: {name}")
        super().__setattr__(name, value)
        if self._instantiated and name in self.template_fields:
            XComArg.apply_upstream_relationship(self, value)

    def note_xcom_arguments(self) -> None:
        """Puts the tasks that the template fields need before this one, now and whenever a field is set anew."""
        for field in self.template_fields:
            value = getattr(self, field, NOTSET)
            if value is not NOTSET:
                XComArg.apply_upstream_relationship(self, value)
        self.__dict__["_instantiated"] = True

    def lock_for_execution(self) -> None:
        """Lets fields be set without any arrow: the DAG is written, and the task runs."""
        self.__dict__["_instantiated"] = False

    # --- what it is in ---

    @property
    def operator_class(self) -> Any:
        """Its class."""
        return type(self)

    @operator_class.setter
    def operator_class(self, value: Any) -> None:
        raise AttributeError(f"the class of an operator cannot be set to {value!r}")

    @property
    def dag(self) -> "DAG":
        """The DAG that it is in. Raises RuntimeError outside one."""
        if self._dag is None:
            raise RuntimeError(f"Operator {self} has not been assigned to a DAG yet")
        return self._dag

    @dag.setter
    def dag(self, dag: "DAG | None") -> None:
        from airlock.sdk.definitions.dag import DAG

        if dag is not None and not isinstance(dag, DAG):
            raise TypeError(f"Expected dag; received {type(dag).__name__}")
        if self._dag is not None and self._dag is not dag:
            raise ValueError(f"The dag assigned to {self} can not be changed.")
        self.__dict__["_dag"] = dag
        # A mapped task's instance is not added: the mapped task has its place.
        if dag is not None and not self._from_mapped and dag.task_dict.get(self.task_id) is not self:
            dag.add_task(self)

    def get_dag(self) -> "DAG | None":
        """Returns the DAG that it is in, if any."""
        return self._dag

    @property
    def task_display_name(self) -> str:
        """What people read instead of its task_id."""
        return self._task_display_name or self.task_id

    @property
    def is_async(self) -> bool:
        """Tells whether it runs in an event loop."""
        return False

    def add_inlets(self, inlets: Iterable[Any]) -> None:
        """Adds assets that it reads."""
        self.inlets.extend(inlets)

    def add_outlets(self, outlets: Iterable[Any]) -> None:
        """Adds assets that it writes."""
        self.outlets.extend(outlets)

    def __repr__(self) -> str:
        """Returns its kind and id."""
        return f"<Task({self.task_type}): {self.task_id}>"

    # --- running ---

    def execute(self, context: "Context") -> Any:
        """Does the work; the return value becomes the task's XCom. A subclass overrides it."""
        raise NotImplementedError

    def pre_execute(self, context: Any) -> None:
        """Runs before ``execute``."""
        if self._pre_execute_hook is not None:
            self._pre_execute_hook(context)

    def post_execute(self, context: Any, result: Any = None) -> None:
        """Runs after ``execute``, with what it returned."""
        if self._post_execute_hook is not None:
            self._post_execute_hook(context, result)

    def on_kill(self) -> None:
        """Cleans up when the task is told to stop. A subclass overrides it."""

    def defer(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """
        Ends this process; ``trigger`` waits elsewhere, and its event resumes in ``method_name(context, event)``.

        ``kwargs`` are further arguments of that method; after ``timeout`` the task fails. Raises TaskDeferred.
        """
        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Goes on after a deferral. Raises TaskDeferralError or TaskDeferralTimeout if the trigger failed."""
        kwargs = dict(next_kwargs or {})
        if next_method == TRIGGER_FAIL_REPR:
            error = kwargs.get("error", "Unknown")
            traceback = kwargs.get("traceback")
            if traceback is not None:
                self.log.error("Trigger failed:\n%s", "\n".join(traceback))
            if error in ("Trigger timeout", "TriggerFailureReason.TRIGGER_TIMEOUT"):
                raise TaskDeferralTimeout(error)
            raise TaskDeferralError(error)
        return getattr(self, next_method)(context, **kwargs)

    def dry_run(self) -> None:
        """Logs the template fields."""
        self.log.info("Dry run")
        for field in self.template_fields:
            if (content := getattr(self, field, None)) and isinstance(content, str):
                self.log.info("Rendering template for %s\n%s", field, content)

    def prepare_for_execution(self) -> "BaseOperator":
        """Returns a copy that execution may change."""
        import copy

        other = copy.copy(self)
        other.lock_for_execution()
        return other

    def render_template_fields(self, context: "Context", jinja_env: "jinja2.Environment | None" = None) -> None:
        """Renders the template fields in place."""
        from airlock.sdk.definitions.template import Rendering

        Rendering(self, context, jinja_env, plain_text=self.renders_plain_text()).fields_of(self, self.template_fields)

    def unmap(self, resolve: Any = None) -> "BaseOperator":
        """Returns itself: it is not mapped."""
        del resolve
        return self


class _Partial:
    """``partial`` of a class of operators; a task has none."""

    def __get__(self, instance: Any, owner: type[BaseOperator]) -> Any:
        if instance is not None:
            raise TypeError("partial can only be called on Operator classes, not Tasks themselves")
        from airlock.sdk.definitions.mapping.partial import partial

        return lambda **kwargs: partial(owner, **kwargs)


BaseOperator.partial = _Partial()  # type: ignore[assignment]  # a descriptor that gives the function


class BaseAsyncOperator(BaseOperator):
    """One task whose work is a coroutine: override ``aexecute``."""

    @property
    def is_async(self) -> bool:
        """True: ``execute`` runs an event loop."""
        return True

    async def aexecute(self, context: "Context") -> Any:
        """Does the work."""
        raise NotImplementedError

    def execute(self, context: "Context") -> Any:
        """Runs ``aexecute`` in an event loop of its own, within the execution timeout."""
        import asyncio  # deferred: most tasks are not coroutines

        return asyncio.run(self.aexecute(context))
