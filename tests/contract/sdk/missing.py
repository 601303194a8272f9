"""Names of Airflow that give nothing here, by the reason. A name that is built is taken off: the test is exact."""

from typing import Final

#: Modules whose names moved in Airflow and that DAG files do not import from, or that have nothing here.
LEFT_OUT: Final = ("airflow.utils.log.", "airflow.utils.entry_points.", "airflow.lineage.")

MISSING: Final = {
    "the frames have no answer for it, and HITL operators wait without a trigger": """
        airflow.providers.standard.triggers.hitl.HITLTrigger
        airflow.providers.standard.triggers.hitl.HITLTriggerEventFailurePayload
        airflow.providers.standard.triggers.hitl.HITLTriggerEventSuccessPayload
    """,
    "it is a part of how Airflow builds its classes, and DAG files do not import it": """
        airflow.decorators.base.DecoratedMappedOperator airflow.sdk.bases.decorator.DecoratedMappedOperator
        airflow.sdk.bases.decorator.ExpandableFactory airflow.sdk.bases.decorator.Task
        airflow.sdk.definitions.mappedoperator.validate_mapping_kwargs
        airflow.sdk.definitions.xcom_arg.get_task_map_length airflow.sdk.definitions.xcom_arg.serialize_xcom_arg
        airflow.utils.weight_rule.DB_SAFE_MAXIMUM airflow.utils.weight_rule.DB_SAFE_MINIMUM
        airflow.utils.weight_rule.db_safe_priority
    """,
    "it is a table of Airflow's database, which no task and no DAG file reaches": """
        airflow.models.Base airflow.models.Callback airflow.models.DagBag airflow.models.DagModel airflow.models.DagRun
        airflow.models.DagTag airflow.models.DagWarning airflow.models.DbCallbackRequest airflow.models.Deadline
        airflow.models.DeadlineAlert airflow.models.HITLDetail airflow.models.ID_LEN airflow.models.Job
        airflow.models.Log airflow.models.Pool airflow.models.RenderedTaskInstanceFields airflow.models.TaskReschedule
        airflow.models.Team airflow.models.Trigger airflow.models.clear_task_instances
    """,
    "Airflow's server and command raise it, and a DAG file has no use for it": """
        airflow.exceptions.AirflowBadRequest airflow.exceptions.AirflowClearRunningTaskException
        airflow.exceptions.AirflowClusterPolicyError airflow.exceptions.AirflowClusterPolicySkipDag
        airflow.exceptions.AirflowClusterPolicyViolation airflow.exceptions.AirflowDagDuplicatedIdException
        airflow.exceptions.AirflowFileParseException airflow.exceptions.AirflowInternalRuntimeError
        airflow.exceptions.AirflowUnsupportedFileTypeException airflow.exceptions.ConnectionNotUnique
        airflow.exceptions.DagCodeNotFound airflow.exceptions.DagNotFound airflow.exceptions.DagNotPartitionedError
        airflow.exceptions.DagRunAlreadyExists airflow.exceptions.DagRunNotFound airflow.exceptions.DagRunTypeNotAllowed
        airflow.exceptions.DeserializationError airflow.exceptions.DeserializingResultError
        airflow.exceptions.FileSyntaxError airflow.exceptions.InvalidPartitionKeyError
        airflow.exceptions.InvalidStatsNameException airflow.exceptions.NotMapped
        airflow.exceptions.PoolNotFound airflow.exceptions.SerializationError airflow.exceptions.TaskInstanceNotFound
        airflow.exceptions.UnknownExecutorException airflow.exceptions.VariableNotUnique
    """,
    "it is a part of Airflow's own machinery, or of a provider, and not a name for DAG files": """
        airflow.io.Properties airflow.io._BUILTIN_SCHEME_TO_FS airflow.io.typedef.Properties
        airflow.operators.email.EmailOperator airflow.operators.generic_transfer.GenericTransfer
        airflow.partition_mappers.base.is_rollup airflow.partition_mappers.wait_policy.PartitionSatisfaction
        airflow.plugins_manager.ensure_plugins_loaded airflow.plugins_manager.get_deadline_references_plugins
        airflow.plugins_manager.get_fastapi_plugins airflow.plugins_manager.get_flask_plugins
        airflow.plugins_manager.get_global_operator_extra_links airflow.plugins_manager.get_import_errors
        airflow.plugins_manager.get_operator_extra_links airflow.plugins_manager.get_partition_mapper_plugins
        airflow.plugins_manager.get_plugin_info airflow.plugins_manager.get_priority_weight_strategy_plugins
        airflow.plugins_manager.get_timetables_plugins airflow.plugins_manager.get_windows_plugins
        airflow.plugins_manager.integrate_listener_plugins airflow.plugins_manager.integrate_macros_plugins
        airflow.sdk.lineage airflow.sdk.definitions.deadline.DeadlineReferenceType
        airflow.sdk.exceptions.AirflowSecretsBackendAccessDenied airflow.sdk.exceptions.ErrorType
        airflow.sdk.execution_time.context.AssetStateStoreAccessor
        airflow.sdk.execution_time.context.AssetStateStoreAccessors
        airflow.sdk.execution_time.context.ConnectionAccessor airflow.sdk.execution_time.context.InletEventsAccessor
        airflow.sdk.execution_time.context.InletEventsAccessors airflow.sdk.execution_time.context.MacrosAccessor
        airflow.sdk.execution_time.context.OutletEventAccessor airflow.sdk.execution_time.context.OutletEventAccessors
        airflow.sdk.execution_time.context.TaskStateStoreAccessor
        airflow.sdk.execution_time.context.TriggeringAssetEventsAccessor
        airflow.sdk.execution_time.context.VariableAccessor airflow.sdk.execution_time.context.context_get_outlet_events
        airflow.sdk.execution_time.context.context_to_airflow_vars
        airflow.sdk.execution_time.context.context_update_for_unmapped
        airflow.sdk.execution_time.context.get_previous_dagrun_success
        airflow.sdk.execution_time.context.set_current_context
        airflow.sdk.execution_time.secrets_masker.DEFAULT_SENSITIVE_FIELDS
        airflow.sdk.execution_time.secrets_masker.Redactable airflow.sdk.execution_time.secrets_masker.Redacted
        airflow.sdk.execution_time.secrets_masker.RedactedIO airflow.sdk.execution_time.secrets_masker.SecretsMasker
        airflow.sdk.execution_time.secrets_masker.merge airflow.sdk.execution_time.secrets_masker.redact
        airflow.sdk.execution_time.secrets_masker.reset_secrets_masker
        airflow.sdk.execution_time.secrets_masker.should_hide_value_for_key airflow.sdk.io.Properties
        airflow.sdk.serde.iter_pydantic_models airflow.secrets.cache.SecretCache
        airflow.task.priority_strategy.get_airflow_priority_weight_strategies
        airflow.task.priority_strategy.get_weight_rule_from_priority_weight_strategy
        airflow.task.priority_strategy.validate_and_load_priority_weight_strategy
        airflow.timetables.base.PartitionMapperInfo airflow.timetables.base.compute_rollup_fingerprint
        airflow.triggers.base.trigger_event_discriminator airflow.utils.decorators.fixup_decorator_warning_stack
        airflow.utils.decorators.remove_task_decorator airflow.utils.deprecation_tools.add_deprecated_classes
        airflow.utils.deprecation_tools.getattr_with_deprecation airflow.utils.setup_teardown.BaseSetupTeardownContext
        airflow.utils.setup_teardown.SetupTeardownContext
    """,
}
