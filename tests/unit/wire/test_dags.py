"""A DAG as plain data: every field survives the way from its writer to its reader, and a reader checks what it reads."""

import functools
import types
import typing
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airlock_wire.dags import schedule
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.mapping import Argument, ConcatSource, Expansion, Literally, MapSource, XComSource, ZipSource
from airlock_wire.dags.params import SerializedParam
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.version import content_hash, plain
from airlock_wire.protocol.dags import disclose, enclose
from airlock_wire.protocol.messages import LazySerializedDag

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
NUMBER = st.floats(0, 1e6, allow_nan=False) | st.just(300.0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)
SCALARS = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(1, 1000),
    float: NUMBER,
    type(None): st.none(),
    typing.Any: JSON,
    datetime: st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
}


@functools.cache
def strategy(kind):
    """A strategy for a type: of a struct, whatever its fields may hold."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in SCALARS:
        return SCALARS[kind]
    if origin is typing.Annotated:
        return strategy(arguments[0])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.sampled_from(arguments).flatmap(strategy)
    if origin is list:
        return st.lists(st.deferred(lambda: strategy(arguments[0])), max_size=1)
    if origin is dict:
        return st.dictionaries(TEXT, st.deferred(lambda: strategy(arguments[1])), max_size=1)
    return structs(kind) if issubclass(kind, msgspec.Struct) else st.sampled_from(list(kind))


@st.composite
def structs(draw, kind):
    """A struct with its required fields and a few of the others."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    optional = [field.name for field in fields if not field.required]
    some = draw(st.lists(st.sampled_from(optional), max_size=4, unique=True)) if optional else []
    names = [*(field.name for field in fields if field.required), *some]
    return kind(**{name: draw(strategy(hints[name])) for name in names})


@st.composite
def dags(draw):
    """A DAG with anything in its fields, whose ids and references are in order."""
    dag, count, group_count = draw(strategy(SerializedDag)), draw(st.integers(0, 4)), draw(st.integers(0, 2))
    task_ids, group_ids = [f"t{n}" for n in range(count)], [f"g{n}" for n in range(group_count)]

    def some(ids):
        return draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []

    def expansion():
        return draw(st.none() | expansions(task_ids))

    asset = [{"name": draw(st.sampled_from("ab")), "uri": "u"}]
    tasks = [
        msgspec.structs.replace(
            draw(strategy(SerializedTask)),
            task_id=task_id,
            downstream_task_ids=some(task_ids[n + 1 :]),
            group_id=draw(st.sampled_from([None, *group_ids])),
            expansion=expansion(),
            inlets=draw(st.sampled_from([[], asset])),
            outlets=[],
            is_setup=False,
            execution_timeout_seconds=draw(st.none() | st.floats(0.5, 1e6)),
        )
        for n, task_id in enumerate(task_ids)
    ]
    groups = [
        SerializedGroup(
            group_id=group_id,
            parent_group_id=draw(st.sampled_from([None, *group_ids[:n]])),
            tooltip=draw(TEXT),
            children=some(task_ids),
            expansion=expansion(),
            upstream_group_ids=some(group_ids),
            downstream_task_ids=some(task_ids),
        )
        for n, group_id in enumerate(group_ids)
    ]
    return msgspec.structs.replace(
        dag,
        dag_id="d",
        format="airlock/2",
        tasks=tasks,
        groups=groups,
        result_task_id=draw(st.sampled_from([None, *task_ids])),
    )


def expansions(task_ids):
    leaf = st.builds(Literally, length=st.integers(0, 5))
    if task_ids:
        leaf |= st.builds(XComSource, task_id=st.sampled_from(task_ids))
    source = st.recursive(
        leaf,
        lambda inner: (
            st.builds(MapSource, source=inner)
            | st.builds(ZipSource, sources=st.lists(inner, min_size=1, max_size=2), longest=st.booleans())
            | st.builds(ConcatSource, sources=st.lists(inner, min_size=1, max_size=2))
        ),
        max_leaves=3,
    )
    product = st.dictionaries(st.sampled_from("xyz"), source, min_size=1).map(
        lambda by_name: Expansion(arguments=[Argument(name=name, source=each) for name, each in by_name.items()])
    )
    return product | source.map(lambda each: Expansion(kind="kwargs", arguments=[Argument(name="kwargs", source=each)]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(dags())
def test_a_dag_that_was_sent_and_read_is_the_same_dag(dag):
    written = msgspec.json.encode(enclose(dag))
    read = disclose(msgspec.json.decode(written, type=LazySerializedDag))

    assert dag == read
    assert written == msgspec.json.encode(enclose(read))
    assert content_hash(dag) == content_hash(read)


def dag(*tasks, **fields):
    tasks = tasks or (SerializedTask(task_id="t"),)
    return SerializedDag(**{"dag_id": "d", "tasks": list(tasks), **fields})


def test_a_value_that_equals_its_default_is_left_out_whichever_object_it_is():
    task = SerializedTask(task_id="t", retry_delay_seconds=float("300"), retry_exponential_backoff=float("0"))

    assert {"task_id": "t"} == plain(task)
    assert {"task_id": "t", "do_xcom_push": False} == plain(SerializedTask(task_id="t", do_xcom_push=False))


def test_zero_seconds_are_not_taken_for_false():
    assert 0 == plain(schedule.CronTrigger(expression="@daily", run_immediately=0.0))["run_immediately"]


def task(task_id, **fields):
    return SerializedTask(task_id=task_id, **fields)


X, Y = Argument(name="x", source=Literally(length=1)), Argument(name="y", source=Literally(length=2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dag(line=1, source="a", relative_file="a.py"), dag(line=2, source="b", relative_file="b.py")),
        (dag(task("a"), task("b")), dag(task("b"), task("a"))),
        (dag(task("a", line=3)), dag(task("a", line=4))),
        (dag(params={"a": SerializedParam(), "b": SerializedParam()}), dag(params={"b": SerializedParam(), "a": SerializedParam()})),
        (
            dag(task("a"), task("b"), groups=[SerializedGroup(group_id="g", children=["a", "b"])]),
            dag(task("a"), task("b"), groups=[SerializedGroup(group_id="g", children=["b", "a"])]),
        ),
    ],
)  # fmt: skip
def test_the_version_stays_where_only_places_and_orders_differ(one, other):
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dag(task("a")), dag(task("a", retries=1))),
        (dag(), dag(schedule=schedule.Once())),
        (dag(schedule=schedule.Null()), dag(schedule=schedule.Continuous())),
        # The last argument varies fastest, so another order gives other indexes.
        (dag(task("a", expansion=Expansion(arguments=[X, Y]))), dag(task("a", expansion=Expansion(arguments=[Y, X])))),
        (dag(doc_md="a"), dag(doc_md="b")),
    ],
)
def test_the_version_changes_with_the_content(one, other):
    assert content_hash(one) != content_hash(other)


def product(*sources):
    return Expansion(arguments=[Argument(name=f"a{n}", source=source) for n, source in enumerate(sources)])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (dag(format="airlock/1"), "serialized DAG of format 'airlock/1', expected 'airlock/2'"),
        (dag(dag_id="a/b"), "dag_id 'a/b' must be 1 to 240 bytes"),
        (dag(task("a b")), "DAG 'd': task_id 'a b' must be"),
        (dag(task("a"), task("a")), "DAG 'd': task_id 'a' is there twice"),
        (dag(task("a"), groups=[SerializedGroup(group_id="a")]), "DAG 'd': group_id 'a' is there twice"),
        (dag(task("a", retries=-1)), "task_id 'a': retries must be"),
        (dag(task("a", pool_slots=0)), "task_id 'a': pool_slots must be 1"),
        (dag(task("a", priority_weight=2**40)), "task_id 'a': priority_weight must be"),
        (dag(task("a", max_active_tis_per_dag=-1)), "max_active_tis_per_dag must be"),
        (dag(task("a", retry_exponential_backoff=float("inf"))), "retry_exponential_backoff must be"),
        (dag(task("a", max_retry_delay_seconds=-1.0)), "max_retry_delay must be 0 to"),
        (dag(task("a", is_setup=True, is_teardown=True)), "is not both a setup and a teardown"),
        (dag(task("a", outlets=[{"name": " "}])), "task_id 'a': outlets: the name of Asset must not be empty"),
        (dag(task("a", downstream_task_ids=["b"])), "task_id 'a': downstream_task_ids names 'b', and the DAG has nothing"),
        (dag(task("a", group_id="g")), "task_id 'a': group_id names 'g'"),
        (dag(task("a", expansion=product(XComSource(task_id="b")))), "task_id 'a': expansion names 'b'"),
        (dag(task("a", expansion=product(Literally(length=-1)))), "a length must be at least 0"),
        (dag(task("a", expansion=product(*[Literally(length=1000)] * 2))), "mapped over more than 100000 values"),
        (dag(task("a", expansion=product())), "an expansion has at least one argument"),
        (dag(task("a", expansion=Expansion(kind="kwargs", arguments=[X]))), "an expansion of kwargs has one argument"),
        (dag(task("a", expansion=Expansion(arguments=[X, X]))), "each name once"),
        (dag(groups=[SerializedGroup(group_id="g", parent_group_id="h")]), "group_id 'g': parent_group_id names 'h'"),
        (dag(groups=[SerializedGroup(group_id="g", children=["h"])]), "group_id 'g': children names 'h'"),
        (dag(groups=[SerializedGroup(group_id="g", upstream_task_ids=["h"])]), "upstream_task_ids names 'h'"),
        (dag(groups=[SerializedGroup(group_id="g", parent_group_id="g")]), "groups are in each other in a circle: 'g', 'g'"),
        (
            dag(task("a", downstream_task_ids=["b"]), task("b", downstream_task_ids=["a"])),
            "its tasks depend on each other in a circle: 'a' >> 'b' >> 'a'",
        ),
        (dag(result_task_id="x"), "result_task_id names 'x'"),
        (dag(max_active_runs=-1), "max_active_runs must be 0 to"),
        (dag(dagrun_timeout_seconds=-1.0), "dagrun_timeout must be 0 to"),
        (dag(*[task(f"t{n}") for n in range(20_001)]), "it has 20001 tasks and groups; at most 20000"),
    ],
)  # fmt: skip
def test_a_reader_refuses_what_the_sdk_would_have_refused(broken, message):
    envelope = LazySerializedDag(data={"format": broken.format, **plain(broken)})

    with pytest.raises(msgspec.ValidationError) as refusal:
        disclose(envelope)
    assert message in str(refusal.value)


def test_a_trigger_rule_that_does_not_exist_is_refused_by_name():
    envelope = enclose(dag(task("a", trigger_rule="dummy")))

    with pytest.raises(
        msgspec.ValidationError, match=r"Invalid enum value 'dummy' - at `\$\.tasks\[0\]\.trigger_rule`"
    ):
        disclose(envelope)


def test_a_moment_has_one_text_whatever_its_zone_and_its_class_are():
    class Own(datetime):
        """As some libraries have it."""

    texts = {
        plain(dag(start_date=moment))["start_date"]
        for moment in (
            datetime(2026, 1, 1, tzinfo=UTC),
            Own(2026, 1, 1, tzinfo=UTC),
            Own.fromisoformat("2026-01-01T02:00:00+02:00"),
        )
    }

    assert {"2026-01-01T00:00:00Z"} == texts


def test_text_of_an_own_class_becomes_plain_text():
    class Own(str):
        """As some libraries have it."""

        __slots__ = ()

    text = plain(dag(doc_md=Own("x")))["doc_md"]

    assert (str, "x") == (type(text), text)


def test_a_moment_without_a_time_zone_is_refused():
    envelope = enclose(dag())
    envelope.data["start_date"] = "2026-01-01T00:00:00"

    with pytest.raises(msgspec.ValidationError, match="start_date"):
        disclose(envelope)


def test_a_chain_that_is_longer_than_pythons_stack_is_read():
    long = dag(*[task(f"t{n}", downstream_task_ids=[f"t{n + 1}"] if n < 4999 else []) for n in range(5000)])

    assert long == disclose(enclose(long))
