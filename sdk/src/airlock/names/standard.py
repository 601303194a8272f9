"""The modules of Airflow's standard provider, whose tree ``airlock.standard`` repeats."""

from typing import Final

_NAMES: Final = """
decorators.bash bash_task
decorators.branch_external_python branch_external_python_task
decorators.branch_python branch_task
decorators.branch_virtualenv branch_virtualenv_task
decorators.external_python external_python_task
decorators.python python_task
decorators.python_virtualenv virtualenv_task
decorators.sensor sensor_task DecoratedSensorOperator
decorators.short_circuit short_circuit_task
decorators.stub stub
exceptions AirflowExternalTaskSensorException ExternalDagFailedError ExternalDagNotFoundError ExternalTaskFailedError
exceptions ExternalTaskGroupFailedError ExternalTaskGroupNotFoundError ExternalTaskNotFoundError
hooks.filesystem FSHook
hooks.package_index PackageIndexHook
hooks.subprocess SubprocessHook SubprocessResult
operators.bash BashOperator
operators.branch BaseBranchOperator BranchMixIn
operators.datetime BranchDateTimeOperator target_times_as_dates
operators.empty EmptyOperator
operators.hitl ApprovalOperator HITLBranchOperator HITLEntryOperator HITLOperator
operators.latest_only LatestOnlyOperator
operators.python BranchExternalPythonOperator BranchPythonOperator BranchPythonVirtualenvOperator ExternalPythonOperator
operators.python PythonOperator PythonVirtualenvOperator ShortCircuitOperator get_current_context
operators.smooth SmoothOperator
operators.trigger_dagrun TriggerDagRunLink TriggerDagRunOperator
operators.weekday BranchDayOfWeekOperator
sensors.bash BashSensor
sensors.date_time DateTimeSensor DateTimeSensorAsync
sensors.external_task ExternalDagLink ExternalTaskMarker ExternalTaskSensor
sensors.filesystem FileSensor
sensors.python PythonSensor
sensors.time TimeSensor
sensors.time_delta TimeDeltaSensor TimeDeltaSensorAsync WaitSensor
sensors.weekday DayOfWeekSensor
triggers.external_task DagStateTrigger WorkflowTrigger
triggers.file FileDeleteTrigger FileTrigger
triggers.hitl HITLTrigger HITLTriggerEventFailurePayload HITLTriggerEventSuccessPayload
triggers.temporal DateTimeTrigger TimeDeltaTrigger
utils.python_virtualenv prepare_virtualenv write_python_script
utils.weekday WeekDay
"""


def home_of(module: str) -> str:
    """Returns our module for one of the provider, both as paths. The provider's ``utils`` have homes of their own."""
    own = {
        "operators.python": "operators.python operators.python_virtualenv",
        "utils.python_virtualenv": "virtualenv",
        "utils.weekday": "weekday",
    }.get(module, module)
    return " ".join(f"airlock.standard.{each}" for each in own.split())


def names() -> dict[str, tuple[str, ...]]:
    """Returns the names that DAG files import of each module, by the module's path below the provider."""
    modules: dict[str, tuple[str, ...]] = {}
    for line in _NAMES.split("\n"):
        if line:
            module, *of_module = line.split()
            modules[module] = (*modules.get(module, ()), *of_module)
    return modules
