"""
Says what a DAG file gets under settings of the platform: the same program for Airflow's SDK and for ours.

Arguments: the package. Standard input: {"imported": cases, "used": cases}, where a case is by its name environment
variables. Standard output: by name of the case what the file gets, by name, or the error of each part of it. Each case
has a process of its own. It imports the package for itself, or, for "used", has it from before it gets its variables.
"""

import json
import os
import sys

PACKAGE = sys.argv[1]


def file():
    """A DAG file, and what is looked at of it: functions by name."""
    from datetime import UTC, datetime, timedelta
    from types import SimpleNamespace
    from zoneinfo import ZoneInfo

    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task
    from airflow.sdk.definitions.param import process_params

    class Plain(BaseOperator):
        def execute(self, context): ...

    class Sensor(BaseSensorOperator):
        def poke(self, context): ...

    @task
    def function(): ...

    def tasks():
        with DAG("tasks"):
            return {
                "plain": Plain(task_id="plain"),
                "own": Plain(
                    task_id="own", owner="me", queue="q", retries=1, retry_delay=timedelta(seconds=1), weight_rule="upstream",
                    execution_timeout=timedelta(seconds=1), email_on_failure=True, email_on_retry=True,
                ),
                "sensor": Sensor(task_id="sensor"),
                "function": function().operator,
                "mapped": Plain.partial(task_id="mapped").expand(doc=["a"]),
                "mapped_sensor": Sensor.partial(task_id="mapped_sensor").expand(doc=["a"]),
            }  # fmt: skip

    names = (
        "owner",
        "queue",
        "retries",
        "retry_delay",
        "execution_timeout",
        "weight_rule",
        "email_on_failure",
        "email_on_retry",
    )

    def option(name):
        return lambda: {each: shown(getattr(made, name)) for each, made in tasks().items()}

    def dag_option(name):
        return lambda: [shown(getattr(DAG("d"), name)), shown(getattr(DAG("d", **OWN), name))]

    def dates():
        with DAG("d", start_date=datetime(2026, 7, 1), schedule="0 0 * * *") as dag:  # noqa: DTZ001
            made = Plain(task_id="t", start_date=datetime(2026, 8, 1))  # noqa: DTZ001
        without = DAG("d")
        shown_dates = [
            str(each) for each in (utc(dag.start_date), dag.timezone, utc(made.start_date), without.timezone)
        ]
        # In a DAG with a zone of its own, only texts are in it.
        berlin, plain = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 7, 9)  # noqa: DTZ001
        for defaults in (
            {"start_date": plain, "end_date": plain},
            {"start_date": "2026-07-09", "end_date": "2026-07-10"},
        ):
            with DAG("d", start_date=berlin, end_date=plain, schedule="0 0 * * *", default_args=defaults) as zoned:
                each = [Plain(task_id="t"), Plain(task_id="u", start_date=plain, end_date=plain)]
                mapped = Plain.partial(task_id="m", start_date=plain, end_date=plain).expand(doc=["a"])
            shown_dates += [utc(one.end_date) for one in (zoned, *each, mapped)]
            shown_dates += [utc(one.start_date) for one in (zoned, *each, mapped)]
        return shown_dates

    def params():
        task = SimpleNamespace(params={"b": 3})
        return [
            process_params(DAG("d", params={"a": 1}), task, conf, suppress_exception=False) for conf in ({"a": 2}, None)
        ]

    def utc(date):
        return date.astimezone(UTC).isoformat()

    def resources():
        made = Plain(task_id="t", resources={})
        own = Plain(task_id="u", resources={"cpus": 3, "ram": 4, "disk": 5, "gpus": 6})
        return [[getattr(each.resources, name).qty for name in ("cpus", "ram", "disk", "gpus")] for each in (made, own)]

    return {
        **{name: option(name) for name in names},
        **{
            name: dag_option(name)
            for name in ("max_active_tasks", "max_active_runs", "max_consecutive_failed_dag_runs", "catchup", "disable_bundle_versioning")
        },
        "sensor": lambda: [Sensor(task_id="s").timeout, Sensor(task_id="s", timeout=7).timeout],
        "deferrable": lambda: [FileSensor(task_id="f", filepath="f", **own).deferrable for own in ({}, {"deferrable": False})],
        "timetables": lambda: [
            type(DAG("d", schedule=each, start_date=datetime(2026, 7, 1, tzinfo=UTC)).timetable).__name__
            for each in ("@daily", timedelta(hours=1))
        ],
        "dates": dates,
        "params": params,
        "resources": resources,
        "whole_fields": lambda: [len(text) == len(field("x" * size)) for size in (39, 40, 41, 4096, 4097) for text in ("x" * size,)],
    }  # fmt: skip


OWN = {
    "max_active_tasks": 2,
    "max_active_runs": 3,
    "max_consecutive_failed_dag_runs": 4,
    "catchup": False,
    "disable_bundle_versioning": False,
}


def field(value):
    """A rendered field as people are shown it."""
    if PACKAGE == "airflow":
        from airflow.sdk.execution_time.task_runner import _serialize_template_field

        return _serialize_template_field(value, "field")
    from types import SimpleNamespace

    from airlock_runner.task.render import shown as shown_by_our_runner

    return shown_by_our_runner(SimpleNamespace(template_fields=["field"], field=value))["field"]


def shown(value):
    value = getattr(value, "value", value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def answer(part):
    try:
        return part()
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}


def answers(parts):
    if "error" in (parts := parts or answer(file)):
        return {"file": parts}
    return {name: answer(part) for name, part in parts.items()}


def in_a_process(environ, parts=None):
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(reader)
        os.environ.update(environ)
        with os.fdopen(writer, "w") as out:
            json.dump(answers(parts), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as given:
        printed = given.read()
    os.waitpid(pid, 0)
    return json.loads(printed)


given = json.load(sys.stdin)
if PACKAGE == "airlock":
    from airlock.names import install

    install()
out = {name: in_a_process(environ) for name, environ in given["imported"].items()}
before = file()
out |= {name: in_a_process(environ, before) for name, environ in given["used"].items()}
# Airflow may print as it is imported.
print("\n" + json.dumps(out))
