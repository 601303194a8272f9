"""
A task as plain data.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from airlock_wire.dags.mapping import Expansion
from airlock_wire.dags.moments import Moment
from airlock_wire.dags.params import SerializedParam
from airlock_wire.dags.triggers import StartTrigger
from airlock_wire.dags.words import TriggerRule, WeightRule

if TYPE_CHECKING:
    from airlock_wire.assets import DeclaredAsset


class SerializedTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One task: when it runs, how it is launched and what people see of it. The defaults are those of Airflow.

    For a mapped task each field has the value of its ``partial``.
    """

    task_id: str
    #: The class of the operator and its module, as the author's file names them.
    task_type: str = "PythonOperator"
    task_module: str = ""
    #: The name for people; None: the id.
    display_name: str | None = None
    owner: str = "airflow"

    retries: int = 0
    retry_delay_seconds: float = 300.0
    #: What the delay is multiplied with after each try; 0 for a delay that stays.
    retry_exponential_backoff: float = 0.0
    max_retry_delay_seconds: float | None = None
    execution_timeout_seconds: float | None = None

    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    depends_on_past: bool = False
    wait_for_downstream: bool = False
    ignore_first_depends_on_past: bool = False
    wait_for_past_depends_before_skipping: bool = False

    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    priority_weight: int = 1
    #: One of the words, or the path of a class of the author's.
    weight_rule: str = WeightRule.DOWNSTREAM.value
    executor: str | None = None
    executor_config: dict[str, Any] = {}
    start_date: Moment | None = None
    end_date: Moment | None = None
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None

    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False

    #: Sorted.
    downstream_task_ids: list[str] = []
    #: The innermost group of the task; None outside all groups.
    group_id: str | None = None
    #: What the task itself is expanded over. A task may also be mapped because a group around it is.
    expansion: Expansion | None = None
    map_index_template: str | None = None

    #: Declarations of assets (``airlock_wire.assets``), as plain maps: a launch without assets need not import those.
    inlets: list[dict[str, Any]] = []
    outlets: list[dict[str, Any]] = []
    params: dict[str, SerializedParam] = {}
    #: The templated fields, and their values as text for people.
    templates: dict[str, str] = {}
    templates_ext: list[str] = []
    templates_renderers: dict[str, str] = {}
    #: The names of the callbacks that the author gave, as ``on_failure``; sorted.
    has_callbacks: list[str] = []
    has_retry_policy: bool = False
    #: The task may skip tasks after it: a branch or a short circuit.
    can_skip: bool = False
    #: The task does nothing, so that the scheduler may complete it without a runner.
    is_empty: bool = False
    is_sensor: bool = False
    start_trigger: StartTrigger | None = None
    multiple_outputs: bool = False
    do_xcom_push: bool = True

    email: list[str] = []
    email_on_failure: bool = True
    email_on_retry: bool = True

    doc: str | None = None
    doc_md: str | None = None
    doc_json: str | None = None
    doc_yaml: str | None = None
    doc_rst: str | None = None
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    #: The names of links for people, and the XCom key under which each link's URL is pushed.
    extra_links: dict[str, str] = {}
    #: Where the task is defined, 0 where unknown.
    line: int = 0

    @property
    def mapped(self) -> bool:
        """Whether the task itself is expanded; a task is also mapped if a group around it is."""
        return self.expansion is not None


def declared(assets: list[dict[str, Any]]) -> "list[DeclaredAsset]":
    """Returns a task's inlets or outlets; raises msgspec.ValidationError for a map that declares no asset."""
    from airlock_wire.assets import DeclaredAsset  # deferred: for a task with assets

    return msgspec.convert(assets, list[DeclaredAsset])
