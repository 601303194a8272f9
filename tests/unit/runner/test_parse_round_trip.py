"""What the server knows of a DAG is what its author wrote, and a DAG that is parsed twice gives the same bytes."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from airlock.sdk import DAG, Asset, Param, TaskGroup, task
from airlock.standard.operators.bash import BashOperator
from airlock.standard.operators.empty import EmptyOperator
from airlock_runner.parse.dag import serialize
from airlock_wire.dags.version import content_hash
from airlock_wire.protocol.dags import disclose, enclose

WORDS = st.text("abcdefghijklmnop-_0123456789", min_size=1, max_size=12).filter(lambda text: text[0].isalpha())
TEXT = st.text(max_size=20).map(lambda text: text.encode(errors="ignore").decode())
SECONDS = st.integers(0, 10**6).map(float) | st.floats(0, 10**6, allow_nan=False).map(lambda value: round(value, 3))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds it
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9, allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RULES = st.sampled_from(["all_success", "all_done", "one_failed", "none_failed", "always", "none_skipped", "one_done"])


@st.composite
def options(draw):
    """Options of a task, by the names that its author writes."""
    given_options = {
        "retries": st.integers(0, 20),
        "retry_delay": SECONDS.map(lambda seconds: timedelta(seconds=seconds)),
        "max_retry_delay": SECONDS.filter(bool).map(lambda seconds: timedelta(seconds=seconds)),
        "execution_timeout": SECONDS.filter(bool).map(lambda seconds: timedelta(seconds=seconds)),
        "owner": TEXT.filter(bool),
        "queue": TEXT.filter(bool),
        "pool": WORDS,
        "pool_slots": st.integers(1, 100),
        "priority_weight": st.integers(-1000, 1000),
        "weight_rule": st.sampled_from(["downstream", "upstream", "absolute"]),
        "depends_on_past": st.booleans(),
        "trigger_rule": RULES,
        "start_date": MOMENTS,
        "end_date": MOMENTS,
        "max_active_tis_per_dag": st.integers(1, 50),
        "do_xcom_push": st.booleans(),
        "doc_md": TEXT.filter(bool),
        "task_display_name": TEXT.filter(bool),
        "params": st.dictionaries(WORDS, JSON, max_size=2),
    }
    names = draw(st.sets(st.sampled_from(sorted(given_options)), max_size=6))
    return {name: draw(given_options[name]) for name in sorted(names)}


@st.composite
def plans(draw):
    """A DAG as a plan: its arguments; its tasks with their kind, group and options; and its arrows, forward only."""
    ids = draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))
    groups = draw(st.lists(WORDS.map(lambda word: f"g_{word}".replace(".", "_")), max_size=2, unique=True))
    kinds = st.sampled_from(["empty", "bash", "python", "mapped"])
    tasks = [(each, draw(kinds), draw(st.sampled_from([None, *groups])), draw(options())) for each in ids]
    pairs = [(a, b) for a in range(len(ids)) for b in range(a + 1, len(ids))]
    arrows = draw(st.lists(st.sampled_from(pairs), max_size=6, unique=True)) if pairs else []
    arguments = {
        "description": draw(st.none() | TEXT),
        "tags": draw(st.lists(WORDS, max_size=4, unique=True)),
        "start_date": draw(st.none() | MOMENTS),
        "catchup": draw(st.none() | st.booleans()),
        "max_active_runs": draw(st.none() | st.integers(1, 99)),
        "max_active_tasks": draw(st.none() | st.integers(1, 99)),
        "dagrun_timeout": draw(st.none() | SECONDS.filter(bool).map(lambda seconds: timedelta(seconds=seconds))),
        "params": {name: Param(value) for name, value in draw(st.dictionaries(WORDS, JSON, max_size=3)).items()},
        "doc_md": draw(st.none() | TEXT.filter(bool)),
        "owner_links": {},
    }
    return draw(WORDS), arguments, groups, tasks, arrows


def build(plan, shuffle):
    """Makes the DAG of a plan. ``shuffle`` changes the order of what has no order."""
    dag_id, arguments, group_ids, tasks, arrows = plan
    order = random.Random(shuffle)
    tags = list(arguments["tags"])
    order.shuffle(tags)
    with DAG(dag_id, **{**arguments, "tags": tags}) as dag:
        groups = {each: TaskGroup(each) for each in group_ids}
        made = [_task(task_id, kind, groups.get(group), given) for task_id, kind, group, given in tasks]
        drawn = list(arrows)
        order.shuffle(drawn)
        for before, after in drawn:
            made[before] >> made[after]
    return dag


def _task(task_id, kind, group, given):
    where = {"task_id": task_id, **({"task_group": group} if group is not None else {}), **given}
    if kind == "empty":
        return EmptyOperator(**where, outlets=[Asset("orders", "s3://orders")])
    if kind == "bash":
        return BashOperator(**where, bash_command="echo {{ ds }}", env={"B": "1", "A": "2"})
    if kind == "mapped":
        mapped = {name: value for name, value in where.items() if name != "params"}
        return BashOperator.partial(**mapped).expand(bash_command=["a", "b", "c"])

    @task(**where)
    def function():
        return 1

    return function().operator


def text_of(dag):
    return msgspec.json.encode(enclose(serialize(dag, "folder/file.py", "the text")))


@settings(max_examples=50)
@given(plans(), st.integers(), st.integers())
def test_two_parses_of_one_file_give_the_same_bytes_and_version(plan, one, other):
    first, second = text_of(build(plan, one)), text_of(build(plan, other))

    assert first == second


@settings(max_examples=50)
@given(plans(), st.integers())
def test_the_server_knows_what_the_author_wrote(plan, shuffle):
    dag_id, arguments, group_ids, tasks, arrows = plan
    dag = disclose(
        msgspec.json.decode(text_of(build(plan, shuffle)), type=type(enclose(serialize(build(plan, 0), "f"))))
    )

    assert (dag_id, sorted(arguments["tags"])) == (dag.dag_id, dag.tags)
    assert arguments["description"] == dag.description
    assert arguments["start_date"] == dag.start_date
    assert (arguments["catchup"], arguments["max_active_runs"]) == (dag.catchup, dag.max_active_runs)
    assert arguments["max_active_tasks"] == dag.max_active_tasks
    limit = arguments["dagrun_timeout"]
    assert (None if limit is None else limit.total_seconds()) == dag.dagrun_timeout_seconds
    assert {name: param.value for name, param in arguments["params"].items()} == {
        name: param.value for name, param in dag.params.items()
    }
    assert group_ids == [group.group_id for group in dag.groups]
    full = [f"{group}.{task_id}" if group else task_id for task_id, _, group, _ in tasks]
    assert full == [each.task_id for each in dag.tasks]
    for place, (known, (_, kind, group, given_options)) in enumerate(zip(dag.tasks, tasks, strict=True)):
        assert group == known.group_id
        assert (kind == "mapped") == known.mapped
        assert {full[after] for before, after in arrows if before == place} == set(known.downstream_task_ids)
        _same_options(known, given_options, dag.start_date)
    assert len(content_hash(dag)) > 16


def _same_options(known, given_options, dag_starts):
    names = {"retry_delay": "retry_delay_seconds", "max_retry_delay": "max_retry_delay_seconds",
             "execution_timeout": "execution_timeout_seconds", "task_display_name": "display_name"}  # fmt: skip
    for name, value in given_options.items():
        if name == "params":
            if not known.mapped:
                assert value == {key: param.value for key, param in known.params.items() if key in value}
            continue
        kept = getattr(known, names.get(name, name))
        if name == "start_date" and dag_starts is not None:
            value = max(value, dag_starts)  # No task starts before its DAG, as in Airflow.
        if isinstance(value, timedelta):
            value = value.total_seconds()
        if name == "task_display_name" and kept is None:
            kept = known.task_id
        assert value == kept, name


@settings(max_examples=50)
@given(plans(), st.integers())
def test_a_change_of_an_option_is_another_version(plan, shuffle):
    dag = serialize(build(plan, shuffle), "f.py")
    first = dag.tasks[0]
    changed = msgspec.structs.replace(first, retries=first.retries + 1)
    other = msgspec.structs.replace(dag, tasks=[changed, *dag.tasks[1:]])
    moved = msgspec.structs.replace(dag, relative_file="elsewhere.py", line=dag.line + 1, source="other")

    assert content_hash(dag) != content_hash(other)
    assert content_hash(dag) == content_hash(moved)
