"""
Puts a parsed DAG into the envelope in which it travels, and takes it out.

A DAG (``airlock_wire.dags``) travels inside ``DagFileParsingResult`` as a plain map under ``data``, as Airflow's own
form does. So the message is valid by Airflow's schema, and ``format`` tells the two forms apart.

User code wrote it, so a reader checks every field first: ``disclose`` does. A launch that runs a task imports none of
this.
"""

import msgspec

from airlock_wire.dags import checks
from airlock_wire.dags.dag import FORMAT, SerializedDag
from airlock_wire.dags.version import plain
from airlock_wire.protocol.messages import LazySerializedDag


def enclose(dag: SerializedDag) -> LazySerializedDag:
    """Puts a DAG into the envelope in which it travels. ``format`` is always there, for whoever reads it first."""
    return LazySerializedDag(data={"format": dag.format, **plain(dag)})


def disclose(envelope: LazySerializedDag) -> SerializedDag:
    """
    Returns the DAG inside an envelope. Raises msgspec.ValidationError for a DAG that is not ours or not whole, or that
    has a value that the SDK would have refused. The error names the field.
    """
    form = envelope.data.get("format")
    if form != FORMAT:
        # Before the rest: another form has other fields.
        raise msgspec.ValidationError(f"serialized DAG of format {form!r}, expected {FORMAT!r}")
    dag = msgspec.convert(envelope.data, SerializedDag)
    if wrong := checks.problem(dag):
        raise msgspec.ValidationError(wrong)
    return dag
