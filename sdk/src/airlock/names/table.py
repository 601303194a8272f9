"""
Airflow's modules and ours: where each name is looked for.

A module of Airflow has a list of ours, in order. A name that has another home is listed by itself, and so is a name
that is spelt otherwise. Otherwise ``AirflowX`` is ``AirlockX``.
"""

from typing import Final

from airlock.names import standard
from airlock.names.moved import MOVED

_SDK: Final = "airlock.sdk"
_DEFINITIONS: Final = "airlock.sdk.definitions"
_PARTITIONS: Final = "airlock.sdk.definitions.partitions"
_TIMETABLES: Final = "airlock.sdk.timetables"
_DECORATORS: Final = "airlock.sdk.definitions.decorators"


def _below(airflows: str, ours: str, modules: str) -> dict[str, str]:
    return {f"{airflows}.{module}": f"{ours}.{module}" for module in modules.split()}


_PARTITION_MODULES: Final = {
    "base": f"{_PARTITIONS}.mapper",
    "allowed_key": f"{_PARTITIONS}.keys",
    "chain": f"{_PARTITIONS}.keys",
    "fixed_key": f"{_PARTITIONS}.keys",
    "identity": f"{_PARTITIONS}.keys",
    "product": f"{_PARTITIONS}.keys",
    "temporal": f"{_PARTITIONS}.temporal",
    "wait_policy": f"{_PARTITIONS}.wait_policy",
    "window": f"{_PARTITIONS}.window",
}
_TIMETABLE_MODULES: Final = {
    "assets": f"{_TIMETABLES}.assets",
    "events": f"{_TIMETABLES}.events",
    "interval": f"{_TIMETABLES}.interval",
    "simple": f"{_TIMETABLES}.simple {_TIMETABLES}.assets",
    "trigger": f"{_TIMETABLES}.trigger",
}

#: Our modules in which the names of a module of Airflow are looked for, with blanks between.
MODULES: Final[dict[str, str]] = {
    "airflow": "",
    "airflow.sdk": _SDK,
    "airflow.sdk.api": "",
    "airflow.sdk.api.datamodels": "",
    "airflow.sdk.api.datamodels._generated": "airlock.sdk.basis.states airlock.sdk.basis.rules",
    "airflow.sdk.bases": "",
    **_below("airflow.sdk.bases", "airlock.sdk.bases", "branch hook notifier operator operatorlink sensor"),
    **_below("airflow.sdk.bases", "airlock.sdk.bases", "resumablejobmixin skipmixin xcom"),
    "airflow.sdk.bases.decorator": "airlock.sdk.bases.decorator airlock.sdk.definitions.decorators.calling",
    "airflow.sdk.bases.timetable": f"{_TIMETABLES}.definition",
    "airflow.sdk.configuration": "airlock.sdk.configuration",
    "airflow.configuration": "airlock.sdk.configuration",
    "airflow.sdk.definitions": "",
    **_below("airflow.sdk.definitions", _DEFINITIONS, "callback connection dag deadline param retry_policy"),
    **_below("airflow.sdk.definitions", _DEFINITIONS, "template variable"),
    "airflow.sdk.definitions.context": f"{_DEFINITIONS}.context {_DEFINITIONS}.parsing_context",
    "airflow.sdk.definitions.decorators": f"{_DECORATORS}.task {_DECORATORS}.task_group {_DECORATORS}.setup_teardown",
    "airflow.sdk.definitions.edges": f"{_DEFINITIONS}.graph.edges",
    "airflow.sdk.definitions.mappedoperator": " ".join(
        f"{_DEFINITIONS}.mapping.{module}" for module in ("mappedoperator", "partial", "expansion")
    ),
    "airflow.sdk.definitions.taskgroup": f"{_DEFINITIONS}.graph.taskgroup",
    **_below("airflow.sdk.definitions", _DEFINITIONS, "xcom_arg asset operator_resources"),
    **_below("airflow.sdk.definitions.asset", f"{_DEFINITIONS}.asset", "access_control decorators metadata"),
    "airflow.sdk.definitions.decorators.task_group": f"{_DECORATORS}.task_group",
    "airflow.sdk.definitions.partition_mappers": "",
    **{f"airflow.sdk.definitions.partition_mappers.{name}": ours for name, ours in _PARTITION_MODULES.items()},
    "airflow.sdk.definitions.timetables": "",
    **{f"airflow.sdk.definitions.timetables.{name}": ours for name, ours in _TIMETABLE_MODULES.items()},
    "airflow.sdk.definitions._internal": "",
    "airflow.sdk.definitions._internal.abstractoperator": (
        "airlock.sdk.bases.abstract_operator airlock.sdk.bases.options airlock.sdk.bases.operator"
    ),
    "airflow.sdk.definitions._internal.decorators": "airlock.sdk.bases.decorator",
    "airflow.sdk.definitions._internal.setup_teardown": f"{_DEFINITIONS}.graph.setup_teardown",
    "airflow.sdk.definitions._internal.types": "airlock.sdk.basis.notset",
    "airflow.sdk.exceptions": "airlock.sdk.exceptions",
    "airflow.sdk.execution_time": "",
    "airflow.sdk.execution_time.context": "airlock.sdk.execution_time.context airlock.sdk._retention",
    "airflow.sdk.execution_time.macros": "airlock.sdk.execution_time.macros",
    "airflow.sdk.execution_time.secrets_masker": _SDK,
    "airflow.sdk.execution_time.timeout": "airlock.sdk.execution_time.timeout",
    "airflow.sdk.execution_time.xcom": "airlock.sdk.execution_time.xcom airlock.sdk.bases.xcom",
    "airflow.sdk.io": "airlock.sdk.io",
    **_below("airflow.sdk.io", "airlock.sdk.io", "path stat"),
    "airflow.sdk.io.fs": "airlock.sdk.io.filesystems",
    "airflow.sdk.io.store": "airlock.sdk.io.filesystems",
    "airflow.sdk.io.typedef": "airlock.sdk.io.filesystems",
    "airflow.sdk.log": _SDK,
    "airflow.sdk.serde": "airlock.sdk.serde",
    "airflow.sdk.state": "airlock.sdk.basis.states",
    "airflow.sdk.timezone": "airlock.sdk.timezone",
    "airflow.sdk.types": f"{_SDK} airlock.sdk.bases.operator",
    "airflow.exceptions": "airlock.sdk.exceptions airlock.names.deprecation",
    "airflow.models": "",
    "airflow.models.connection": f"airlock.names.models {_DEFINITIONS}.connection",
    "airflow.models.dag": f"{_DEFINITIONS}.dag",
    "airflow.models.mappedoperator": f"{_DEFINITIONS}.mapping.mappedoperator",
    "airflow.models.taskinstance": "",
    "airflow.models.variable": f"airlock.names.models {_DEFINITIONS}.variable",
    "airflow.models.xcom": "airlock.sdk.bases.xcom",
    "airflow.models.xcom_arg": f"{_DEFINITIONS}.xcom_arg",
    "airflow.listeners": "airlock.names.plugins",
    "airflow.partition_mappers": "",
    "airflow.plugins_manager": "airlock.names.plugins",
    **{f"airflow.partition_mappers.{name}": ours for name, ours in _PARTITION_MODULES.items()},
    "airflow.task": "",
    "airflow.task.priority_strategy": "airlock.sdk.basis.priority",
    "airflow.task.trigger_rule": "airlock.names.state",
    "airflow.task.weight_rule": "airlock.names.state",
    "airflow.timetables": "",
    "airflow.timetables.base": f"{_TIMETABLES}.timetable",
    **{f"airflow.timetables.{name}": f"airlock.names.timetables {ours}" for name, ours in _TIMETABLE_MODULES.items()},
    "airflow.triggers.base": "airlock.sdk.bases.trigger",
    "airflow.utils.context": f"{_DEFINITIONS}.context",
    "airflow.utils.deprecation_tools": "airlock.names.deprecation",
    "airflow.utils.edgemodifier": f"{_DEFINITIONS}.graph.edges",
    "airflow.utils.log": "",
    "airflow.utils.log.logging_mixin": "airlock.names.logging_mixin",
    "airflow.utils.state": "airlock.names.state",
    "airflow.utils.types": "airlock.names.state",
    "airflow.sdk.execution_time.task_runner": "",
    "airflow.typing_compat": "typing",
    "airflow.version": "",
    "airflow.providers.common": "",
    "airflow.providers.common.compat": "",
    # A provider of names alone, which the standard one imports: the SDK's, for each release of Airflow.
    "airflow.providers.common.compat.sdk": f"{_SDK} airlock.sdk.exceptions",
    "airflow.providers.standard": "",
    **{f"airflow.providers.standard.{module}": standard.home_of(module) for module in standard.names()},
    "airflow.providers.standard.utils.skipmixin": "airlock.sdk.bases.skipmixin",
    **{module: "" for module in MOVED if module not in ("airflow", "airflow.exceptions", "airflow.utils.types")},
}


def _each(names: str, module: str) -> dict[str, str]:
    return {name: f"{module}.{name}" for name in names.split()}


#: Where names of a module are that none of its modules above has: a path, or that of a module itself.
ELSEWHERE: Final[dict[str, dict[str, str]]] = {
    "airflow": _each("DAG Asset XComArg", "airflow.sdk"),
    "airflow.sdk": {
        **_each("AllowedKeyMapper ChainMapper FixedKeyMapper IdentityMapper ProductMapper", f"{_PARTITIONS}.keys"),
        **_each("PartitionMapper RollupMapper", f"{_PARTITIONS}.mapper"),
        **_each("FanOutMapper StartOfHourMapper StartOfDayMapper StartOfWeekMapper", f"{_PARTITIONS}.temporal"),
        **_each("StartOfMonthMapper StartOfQuarterMapper StartOfYearMapper", f"{_PARTITIONS}.temporal"),
        **_each("MinimumCount WaitForAll", f"{_PARTITIONS}.wait_policy"),
        **_each("DayWindow HourWindow MonthWindow QuarterWindow SegmentWindow WeekWindow", f"{_PARTITIONS}.window"),
        **_each("Window YearWindow", f"{_PARTITIONS}.window"),
        **_each("Asset AssetAccessControl AssetAlias AssetAll AssetAny AssetWatcher", f"{_DEFINITIONS}.asset"),
        **_each("Metadata", f"{_DEFINITIONS}.asset.metadata"),
        **_each("asset", f"{_DEFINITIONS}.asset.decorators"),
        **_each("AssetOrTimeSchedule PartitionedAssetTimetable PartitionedAtRuntime", f"{_TIMETABLES}.assets"),
        **_each("CronDataIntervalTimetable DeltaDataIntervalTimetable", f"{_TIMETABLES}.interval"),
        **_each("CronTriggerTimetable DeltaTriggerTimetable", f"{_TIMETABLES}.trigger"),
        **_each("CronPartitionTimetable MultipleCronTriggerTimetable", f"{_TIMETABLES}.trigger"),
        **_each("EventsTimetable", f"{_TIMETABLES}.events"),
        **_each("AsyncCallback SyncCallback", f"{_DEFINITIONS}.callback"),
        **_each("BaseDeadlineReference DeadlineAlert DeadlineReference", f"{_DEFINITIONS}.deadline"),
        **_each("deadline_reference", f"{_DEFINITIONS}.deadline"),
        **_each("ExceptionRetryPolicy RetryAction RetryDecision RetryPolicy RetryRule", f"{_DEFINITIONS}.retry_policy"),
        **_each("Param ParamsDict", f"{_DEFINITIONS}.param"),
        **_each("TriggerRule WeightRule", "airlock.sdk.basis.rules"),
        **_each("TaskInstanceState DagRunState", "airlock.sdk.basis.states"),
        **_each("BaseOperator BaseAsyncOperator", "airlock.sdk.bases.operator"),
        **_each("chain chain_linear cross_downstream", f"{_DEFINITIONS}.graph.edges"),
        **_each("BaseSensorOperator PokeReturnValue", "airlock.sdk.bases.sensor"),
        **_each("BaseBranchOperator BranchMixIn", "airlock.sdk.bases.branch"),
        **_each("BaseHook", "airlock.sdk.bases.hook"),
        **_each("BaseNotifier", "airlock.sdk.bases.notifier"),
        **_each("BaseOperatorLink", "airlock.sdk.bases.operatorlink"),
        **_each("BaseXCom", "airlock.sdk.bases.xcom"),
        **_each("SkipMixin", "airlock.sdk.bases.skipmixin"),
        **_each("DAG dag", f"{_DEFINITIONS}.dag"),
        **_each("TaskGroup", f"{_DEFINITIONS}.graph.taskgroup"),
        **_each("EdgeModifier Label", f"{_DEFINITIONS}.graph.edges"),
        **_each("XComArg", f"{_DEFINITIONS}.xcom_arg"),
        **_each("literal", f"{_DEFINITIONS}.template"),
        **_each("Context get_current_context", f"{_DEFINITIONS}.context"),
        **_each("get_parsing_context", f"{_DEFINITIONS}.parsing_context"),
        **_each("result setup task task_group teardown", "airlock.sdk"),
        **_each("Variable", f"{_DEFINITIONS}.variable"),
        **_each("Connection", f"{_DEFINITIONS}.connection"),
        "macros": "airlock.sdk.execution_time.macros",
    },
    "airflow.sdk.exceptions": {
        "AirflowTaskTerminated": "airlock.sdk.exceptions.TaskTerminated",
        "AirflowInactiveAssetInInletOrOutletException": f"{_DEFINITIONS}.asset.declared.InactiveAsset",
        "RemovedInAirflow4Warning": "airlock.names.deprecation.RemovedInAirflow4Warning",
    },
    "airflow.exceptions": {
        **_each(
            "AirflowTimetableInvalid AirflowRescheduleException AirflowNotFoundException", "airflow.sdk.exceptions"
        ),
        **_each("NodeNotFound TaskNotFound ParamValidationError", "airflow.sdk.exceptions"),
        **_each("AirflowOptionalProviderFeatureException", "airflow.sdk.exceptions"),
        "AirflowConfigException": "airlock.sdk.exceptions.AirlockConfigException",
    },
    "airflow.providers.common.compat.sdk": {
        "timezone": "airlock.sdk.timezone",
        **_each("DateTimeTrigger", "airflow.providers.standard.triggers.temporal"),
        **_each("BaseTrigger TriggerEvent StartTriggerArgs", "airlock.sdk.bases.trigger"),
    },
    "airflow.sdk.definitions.param": _each("DagParam", "airlock.sdk.definitions.dag_param"),
    "airflow.sdk.definitions.decorators": {
        **_each("dag", "airlock.sdk"),
        **_each("TaskDecorator", "airlock.sdk.bases.decorator"),
    },
    "airflow.sdk.types": {
        **_each("ArgNotSet NOTSET", "airlock.sdk.basis.notset"),
        **_each("TaskInstance TaskInstanceKey", "airlock.sdk.execution_time.task_instance"),
        "WeightRule": "airlock.sdk.basis.rules.WeightRule",
        # What annotations name.
        "RuntimeTaskInstanceProtocol": "airlock.sdk.execution_time.task_instance.TaskInstance",
        "DagRunProtocol": "airlock_wire.protocol.messages.DagRun",
    },
    "airflow.sdk.execution_time.task_runner": {
        "RuntimeTaskInstance": "airlock.sdk.execution_time.task_instance.TaskInstance"
    },
    "airflow.version": {"version": "airlock.names.finder.VERSION"},
    "airflow.models": {
        **_each("DAG BaseOperator BaseOperatorLink", "airflow.sdk"),
        "Param": "airflow.sdk.definitions.param.Param",
        "SkipMixin": "airflow.sdk.bases.skipmixin.SkipMixin",
        "MappedOperator": "airflow.sdk.definitions.mappedoperator.MappedOperator",
        "BaseXCom": "airflow.sdk.bases.xcom.BaseXCom",
        "XCom": "airflow.sdk.execution_time.xcom.XCom",
        **_each("Variable Connection", "airlock.names.models"),
        **_each("TaskInstance", "airlock.names.plugins"),
    },
    "airflow.models.dag": _each("DAG", "airflow.sdk"),
    "airflow.models.taskinstance": _each("TaskInstance", "airlock.names.plugins"),
    "airflow.models.xcom": {"XCOM_RETURN_KEY": "airflow.sdk.bases.xcom.BaseXCom.XCOM_RETURN_KEY"},
    "airflow.models.xcom_arg": _each("XComArg", "airflow.sdk"),
    "airflow.sdk.definitions.dag": _each("DAG dag", "airlock.sdk"),
    "airflow.sdk.definitions.edges": _each("EdgeModifier Label", "airlock.sdk"),
    "airflow.sdk.definitions.variable": _each("Variable", "airlock.sdk"),
    "airflow.sdk.definitions.connection": _each("Connection", "airlock.sdk"),
    "airflow.sdk.definitions.context": _each("Context get_current_context", "airlock.sdk"),
    "airflow.sdk.definitions.xcom_arg": _each("XComArg", "airlock.sdk"),
    "airflow.sdk.bases.operator": _each("BaseOperator chain chain_linear cross_downstream", "airlock.sdk"),
    "airflow.sdk.execution_time": {"macros": "airlock.sdk.execution_time.macros"},
    "airflow.utils.context": _each("Context", "airlock.sdk"),
    "airflow.utils.edgemodifier": _each("Label", "airlock.sdk"),
    "airflow.utils.types": {"NOTSET": "airlock.sdk.basis.notset.NOTSET"},
}

ELSEWHERE["airflow.providers.common.compat.sdk"] = {
    **{name: f"airflow.sdk.{name}" for name in ELSEWHERE["airflow.sdk"]},
    **{name: f"airflow.sdk.exceptions.{name}" for name in ELSEWHERE["airflow.sdk.exceptions"]},
    "timezone": "airlock.sdk.timezone",
    "poke_mode_only": "airflow.sdk.bases.sensor.poke_mode_only",
}
