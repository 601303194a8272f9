"""
Old paths of Airflow that still work with a warning: the new path of each name, as Airflow has them.

``*`` is every name of a module.
"""

from typing import Final

_STANDARD: Final = "airflow.providers.standard"


def _standard(folder: str, module: str, names: str) -> dict[str, str]:
    return {name: f"{_STANDARD}.{folder}.{module}.{name}" for name in names.split()}


def _sdk(module: str, names: str) -> dict[str, str]:
    return {name: f"airflow.sdk.{module + '.' if module else ''}{name}" for name in names.split()}


#: The new path of each name, by old module.
MOVED: Final[dict[str, dict[str, str]]] = {
    "airflow.decorators": _sdk("", "dag setup task task_group teardown"),
    "airflow.decorators.base": {
        **_sdk("bases.decorator", "DecoratedMappedOperator DecoratedOperator TaskDecorator get_unique_task_id"),
        **_sdk("bases.decorator", "task_decorator_factory"),
        **_sdk("definitions.decorators", "TaskDecoratorCollection"),
    },
    "airflow.hooks.base": _sdk("bases.hook", "BaseHook"),
    "airflow.hooks.filesystem": _standard("hooks", "filesystem", "FSHook"),
    "airflow.hooks.package_index": _standard("hooks", "package_index", "PackageIndexHook"),
    "airflow.hooks.subprocess": _standard("hooks", "subprocess", "SubprocessHook"),
    "airflow.io": {
        **_sdk("io", "get_fs has_fs attach Properties"),
        **_sdk("io.fs", "_BUILTIN_SCHEME_TO_FS"),
    },
    "airflow.io.path": _sdk("", "ObjectStoragePath"),
    "airflow.io.storage": _sdk("io", "attach"),
    "airflow.io.typedef": _sdk("io.typedef", "Properties"),
    "airflow.macros": {"*": "airflow.sdk.execution_time.macros"},
    "airflow.models.abstractoperator": _sdk(
        "definitions._internal.abstractoperator",
        "AbstractOperator NotMapped TaskStateChangeCallback DEFAULT_OWNER DEFAULT_QUEUE DEFAULT_TASK_EXECUTION_TIMEOUT",
    ),
    "airflow.models.baseoperator": _sdk("bases.operator", "BaseOperator chain chain_linear cross_downstream"),
    "airflow.models.baseoperatorlink": _sdk("", "BaseOperatorLink"),
    "airflow.models.operator": {**_sdk("", "BaseOperator"), **_sdk("types", "Operator")},
    "airflow.models.param": {**_sdk("", "Param"), **_sdk("definitions.param", "ParamsDict")},
    "airflow.models.skipmixin": _sdk("bases.skipmixin", "SkipMixin"),
    "airflow.notifications.basenotifier": _sdk("bases.notifier", "BaseNotifier"),
    "airflow.operators.bash": _standard("operators", "bash", "BashOperator"),
    "airflow.operators.branch": _sdk("bases.branch", "BranchMixIn BaseBranchOperator"),
    "airflow.operators.datetime": _standard("operators", "datetime", "BranchDateTimeOperator"),
    "airflow.operators.email": {"EmailOperator": "airflow.providers.smtp.operators.smtp.EmailOperator"},
    "airflow.operators.empty": _standard("operators", "empty", "EmptyOperator"),
    "airflow.operators.generic_transfer": {
        "GenericTransfer": "airflow.providers.common.sql.operators.generic_transfer.GenericTransfer"
    },
    "airflow.operators.latest_only": _standard("operators", "latest_only", "LatestOnlyOperator"),
    "airflow.operators.python": {
        **_standard("operators", "python", "PythonOperator BranchPythonOperator ShortCircuitOperator"),
        **_standard("operators", "python", "PythonVirtualenvOperator ExternalPythonOperator"),
        **_standard("operators", "python", "BranchExternalPythonOperator BranchPythonVirtualenvOperator"),
        **_sdk("", "get_current_context"),
    },
    "airflow.operators.smooth": _standard("operators", "smooth", "SmoothOperator"),
    "airflow.operators.trigger_dagrun": _standard("operators", "trigger_dagrun", "TriggerDagRunOperator"),
    "airflow.operators.weekday": _standard("operators", "weekday", "BranchDayOfWeekOperator"),
    "airflow.secrets.cache": _sdk("execution_time.cache", "SecretCache"),
    "airflow.sensors.base": _sdk("bases.sensor", "BaseSensorOperator PokeReturnValue poke_mode_only"),
    "airflow.sensors.bash": _standard("sensors", "bash", "BashSensor"),
    "airflow.sensors.date_time": _standard("sensors", "date_time", "DateTimeSensor DateTimeSensorAsync"),
    "airflow.sensors.external_task": _standard(
        "sensors", "external_task", "ExternalTaskSensor ExternalTaskMarker ExternalDagLink"
    ),
    "airflow.sensors.filesystem": _standard("sensors", "filesystem", "FileSensor"),
    "airflow.sensors.python": _standard("sensors", "python", "PythonSensor"),
    "airflow.sensors.time_delta": _standard("sensors", "time_delta", "TimeDeltaSensor TimeDeltaSensorAsync"),
    "airflow.sensors.time_sensor": _standard("sensors", "time", "TimeSensor TimeSensorAsync"),
    "airflow.sensors.weekday": _standard("sensors", "weekday", "DayOfWeekSensor"),
    "airflow.serialization.serde": {"*": "airflow.sdk.serde"},
    "airflow.triggers.external_task": _standard("triggers", "external_task", "WorkflowTrigger DagStateTrigger"),
    "airflow.triggers.file": _standard("triggers", "file", "FileTrigger"),
    "airflow.triggers.temporal": _standard("triggers", "temporal", "DateTimeTrigger TimeDeltaTrigger"),
    "airflow.utils.decorators": _sdk(
        "definitions._internal.decorators", "remove_task_decorator fixup_decorator_warning_stack"
    ),
    "airflow.utils.operator_resources": {"*": "airflow.sdk.definitions.operator_resources"},
    "airflow.utils.setup_teardown": _sdk(
        "definitions._internal.setup_teardown", "BaseSetupTeardownContext SetupTeardownContext"
    ),
    "airflow.utils.task_group": _sdk("", "TaskGroup"),
    "airflow.utils.timeout": _sdk("execution_time.timeout", "timeout"),
    "airflow.utils.timezone": {"*": "airflow.sdk.timezone"},
    "airflow.utils.trigger_rule": {"*": "airflow.task.trigger_rule"},
    "airflow.utils.weight_rule": {
        "WeightRule": "airflow.task.weight_rule.WeightRule",
        **_sdk("bases.operator", "DB_SAFE_MINIMUM DB_SAFE_MAXIMUM db_safe_priority"),
    },
    "airflow.utils.xcom": {"XCOM_RETURN_KEY": "airflow.models.xcom.XCOM_RETURN_KEY"},
    # What a module has beside names that did not move.
    "airflow": {"AirflowException": "airflow.exceptions.AirflowException", "Dataset": "airflow.sdk.Asset"},
    "airflow.exceptions": _sdk(
        "exceptions",
        "AirflowDagCycleException AirflowFailException AirflowInactiveAssetInInletOrOutletException "
        "AirflowSensorTimeout AirflowSkipException AirflowTaskTerminated AirflowTaskTimeout DagRunTriggerException "
        "DownstreamTasksSkipped DuplicateTaskIdFound FailFastDagInvalidTriggerRule TaskAlreadyInTaskGroup "
        "TaskDeferralError TaskDeferralTimeout TaskDeferred XComNotFound",
    ),
    "airflow.utils.types": {"ArgNotSet": "airflow.sdk.definitions._internal.types.ArgNotSet"},
}

#: Modules of which the import alone warns, and what to import instead.
WARNS_ON_IMPORT: Final = {"airflow.models.xcom_arg": "airflow.sdk", "airflow.utils.context": "airflow.sdk"}
