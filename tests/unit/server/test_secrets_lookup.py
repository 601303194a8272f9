"""Which backend answers: the order, failures, the time limit, what is remembered, and what is never in the log."""

import asyncio
import threading

import pytest

from airlock_server.keys.encryption import Undecryptable
from airlock_server.secrets.backend import BackendFailed, Variable
from airlock_server.secrets.cache import Cache
from airlock_server.secrets.lookup import DATABASE, Secrets, Stored
from airlock_server.secrets.workers import Workers
from airlock_server.store.connections import Connection

VALUE = "open-sesame"


class Backend:
    """Has ``value`` for every name, raises it if it is an exception, and counts its calls."""

    remembered = True

    def __init__(self, name, value, blocks=True):
        self.name, self.value, self.blocks, self.calls = name, value, blocks, 0

    def variable(self, key):
        return self._answer(Variable(self.value))

    def connection(self, conn_id):
        return self._answer(Connection(conn_id=conn_id, conn_type=str(self.value)))

    def _answer(self, answer):
        self.calls += 1
        if isinstance(self.value, BaseException):
            raise self.value
        return None if self.value is None else answer


def order(words, **values):
    return [DATABASE if word == "database" else Backend(word, values.get(word)) for word in words.split()]


def find(secrets, stored=None):
    """The variable's and the connection's answer, each as one word."""

    async def both():
        variable = await secrets.variable("k", secrets.stored(lambda: stored and Variable(stored)))
        of_type = secrets.stored(lambda: stored and Connection(conn_id="k", conn_type=stored))
        connection = await secrets.connection("k", of_type)
        return variable and variable.value, connection and connection.conn_type

    return asyncio.run(both())


@pytest.mark.parametrize(
    ("words", "values", "stored", "answer"),
    [
        ("database", {}, "d", "d"),
        ("database", {}, None, None),
        ("a database", {"a": "a"}, "d", "a"),
        ("a database", {}, "d", "d"),
        ("database a", {"a": "a"}, "d", "d"),
        ("database a", {"a": "a"}, None, "a"),
        ("a b database", {"b": "b"}, "d", "b"),
        ("a b database", {"a": "a", "b": "b"}, "d", "a"),
        ("a database b", {"b": "b"}, None, "b"),
        ("a", {"a": "a"}, "d", "a"),
        ("a", {}, "d", None),
        ("a database", {"a": RuntimeError(VALUE)}, "d", "d"),
        ("a b database", {"a": SystemExit(VALUE), "b": "b"}, "d", "b"),
        ("a database", {"a": RuntimeError(VALUE)}, None, None),
    ],
)
@pytest.mark.parametrize("blocks", [True, False])
def test_the_first_backend_that_has_a_name_answers(words, values, stored, answer, blocks, caplog):
    backends = order(words, **values)
    for backend in backends:
        if backend != DATABASE:
            backend.blocks = blocks

    assert (answer, answer) == find(Secrets(backends), stored)
    assert VALUE not in caplog.text


def test_a_backend_that_fails_is_logged_by_name_and_kind_of_error(caplog):
    find(Secrets(order("a database", a=ValueError(f"the password is {VALUE}"))))
    records = [vars(record) for record in caplog.records]

    assert [("a", "variable", "k", "ValueError"), ("a", "connection", "k", "ValueError")] == [
        (record["backend"], record["kind"], record["key"], record["error"]) for record in records
    ]
    assert VALUE not in str(records)


def test_a_backend_that_takes_too_long_is_passed_over_and_does_not_hold_up_the_loop():
    release = threading.Event()
    slow = Backend("slow", VALUE)
    slow.variable = lambda _: release.wait(20)
    secrets = Secrets([slow, DATABASE], Workers(0.2))

    async def drive():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        answer = await secrets.variable("k", Stored(Variable("d")))
        ticking.cancel()
        return answer, ticks

    answer, ticks = asyncio.run(drive())
    release.set()
    assert Variable("d") == answer
    assert ticks > 5


def test_calls_wait_for_a_thread_and_all_are_answered():
    async def drive():
        workers = Workers(20, threads=2)
        return await asyncio.gather(*(workers.acall(lambda number=number: number) for number in range(100)))

    assert list(range(100)) == asyncio.run(drive())


def test_what_the_store_cannot_decrypt_is_an_error_only_if_nobody_before_has_it():
    def broken():
        raise Undecryptable("variable/k/value")

    async def look(words, **values):
        secrets = Secrets(order(words, **values))
        return await secrets.variable("k", secrets.stored(broken))

    assert Variable("a") == asyncio.run(look("a database", a="a"))
    with pytest.raises(Undecryptable):
        asyncio.run(look("a database"))


@pytest.mark.parametrize(("value", "seconds", "calls"), [("a", 0, 2), ("a", 60, 1), (None, 60, 1), (OSError(), 60, 2)])
def test_an_answer_is_remembered_if_it_is_set_and_a_failure_never_is(value, seconds, calls):
    backend = Backend("a", value)
    secrets = Secrets([backend], None, Cache(seconds, 10))

    async def twice():
        return [await secrets.variable("k", Stored()) for _ in range(2)]

    first, second = asyncio.run(twice())
    assert first == second
    assert calls == backend.calls


def test_the_cache_forgets_by_time_and_by_number():
    now = [0.0]
    cache = Cache(10, 2, lambda: now[0])
    for key in "abc":
        cache.put(key, key)

    assert [(False, None), (True, "b"), (True, "c")] == [cache.get(key) for key in "abc"]
    now[0] = 10.0
    assert (False, None) == cache.get("b")


@pytest.mark.parametrize(
    ("words", "values", "backend"),
    [
        ("a database", {"a": "a"}, "a"),
        ("a b database", {"b": "b"}, "b"),
        ("a b database", {"a": BackendFailed("x"), "b": "b"}, "b"),
        ("database a", {"a": "a"}, None),
        ("database", {}, None),
        ("a database", {}, None),
    ],
)
def test_a_write_is_shadowed_by_the_first_backend_before_the_store_that_has_the_name(words, values, backend):
    assert backend == Secrets(order(words, **values)).shadow("variable", "k")
