"""Why a DAG file is being imported: for all of its DAGs, or for one task."""

from typing import NamedTuple


class AirlockParsingContext(NamedTuple):
    """The DAG and the task that a file is imported for; None where it is parsed as a whole."""

    dag_id: str | None
    task_id: str | None


class _Current:
    value = AirlockParsingContext(None, None)


def set_parsing_context(dag_id: str | None, task_id: str | None) -> None:
    """Says what the file that is imported next is imported for."""
    _Current.value = AirlockParsingContext(dag_id, task_id)


def get_parsing_context() -> AirlockParsingContext:
    """Returns what this file is imported for: a file of many DAGs can make only the one that is needed."""
    return _Current.value
