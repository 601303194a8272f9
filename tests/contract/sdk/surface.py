"""
What of our SDK's surface is not Airflow's, by the reason: the calls of public names, and the public methods of classes.

The test is exact both ways: what is built is taken off, and a new difference needs its row.
"""

from typing import Final

DIFFERENT: Final = {
    "it belongs to how Airflow's scheduler, server and command work with a DAG": """
        BaseOperator.expand_start_trigger_args BaseOperator.get_needs_expansion BaseOperator.get_serialized_fields
        BaseOperator.iter_mapped_dependants BaseOperator.serialize_for_task_group DAG.cli DAG.get_serialized_fields
        TaskGroup.serialize_for_task_group TaskGroup.topological_sort
    """,
    "the logger of a class is its property `log`, as Airflow's documents say": """
        BaseHook.logger BaseNotifier.logger SkipMixin.logger
    """,
    "it takes more than Airflow's does, so that every call of a DAG file works": """
        BaseOperator.unmap BaseXCom.aget_all BaseXCom.aget_one BaseXCom.aset BranchMixIn DAG.get_template_env SkipMixin
    """,
    "an argument that Airflow does not know is an error with the name that was meant": "DAG",
    "the argument has another name for our type checkers' sake, and is given by position": """
        EdgeModifier.set_downstream EdgeModifier.set_upstream dag task
    """,
    "ti in a running task has it; this class is its annotation, which lists what most tasks use": """
        TaskInstance.get_dag TaskInstance.get_dagrun_state TaskInstance.get_dr_count
        TaskInstance.get_first_reschedule_date TaskInstance.get_previous_dagrun TaskInstance.get_previous_ti
        TaskInstance.get_task_states TaskInstance.get_ti_count TaskInstance.xcom_pull
    """,
}
