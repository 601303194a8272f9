"""DAG processors: how long a folder of DAG files takes, first and again, a save until it is seen, and their memory."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench import processes, servers
from bench.servers import BenchError
from bench.stacks import airflow
from bench.tables import Figure, table

FILES, TASKS = 100, 10
_PROCESSES = 2
_SAVES = 5
_LIMIT_SECONDS = 300.0
_POLL_SECONDS = 0.01
_FILE = """
from datetime import datetime
from airflow.sdk import DAG, task

with DAG("dag_{number}", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):
    before = None
    for n in range({tasks}):
        @task(task_id=f"task_{{n}}")
        def work(x=None):
            return n
        before = work(before)
"""


class Stack(NamedTuple):
    """A DAG processor: its command, its environment, its database, and the column of a DAG's last parse."""

    command: list[str]
    env: Mapping[str, str]
    database: Path
    parsed_at: str


class Samples(NamedTuple):
    """What was measured of one stack: seconds, and MB of summed PSS."""

    first: list[float]
    again: list[float]
    saves: list[float]
    at_rest_mb: list[float]
    peak_mb: list[float]


def section(scratch: Path, _: int) -> str:
    """Returns the figures, as Markdown."""
    ours = _measured(_airlock(scratch / "parsing-airlock"))
    theirs = _measured(_airflow(scratch / "parsing-airflow"))
    rows = [
        ("processor's start to all DAGs in the database", "s", ours.first, theirs.first),
        ("all files touched to all parsed again", "s", ours.again, theirs.again),
        ("a file saved to its new DAG in the database", "s", ours.saves, theirs.saves),
        ("memory at rest, summed PSS", "MB", ours.at_rest_mb, theirs.at_rest_mb),
        ("peak memory while parsing, summed PSS", "MB", ours.peak_mb, theirs.peak_mb),
    ]
    return f"""## DAG processors

{FILES} files of one DAG of {TASKS} tasks, the same for both, {_PROCESSES} parsing processes, SQLite. Both run until
everything is measured. Airflow's looks at its folders every second here, and at a file that was just parsed at
once: by default it waits 300 s and 30 s. Memory is of one more round, which was not timed.

{table([Figure(*row) for row in rows])}
"""


def _airlock(home: Path) -> Stack:
    _write_files(home / "dags")
    env = servers.airlock_env(home, 0) | {"AIRLOCK__DAG_PROCESSOR__PARSING_PROCESSES": str(_PROCESSES)}
    return Stack([sys.executable, "-m", "airlock_server", "dag-processor"], env, home / "airlock.db", "last_parsed_at")


def _airflow(home: Path) -> Stack:
    _write_files(home / "dags")
    env = airflow.env(
        home,
        AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES=str(_PROCESSES),
        AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL="0",
        AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL="1",
        AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL="1",
    )
    command = str(airflow.python().with_name("airflow"))
    subprocess.run([command, "db", "migrate"], env=env, check=True, capture_output=True, timeout=_LIMIT_SECONDS)
    return Stack([command, "dag-processor"], env, home / "airflow.db", "last_parsed_time")


def _write_files(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"dag_{number}.py").write_text(_FILE.format(number=number, tasks=TASKS))


def _measured(stack: Stack) -> Samples:
    folder = stack.database.parent / "dags"
    began = time.monotonic()
    with _running(stack) as pid:
        first = _until(began, lambda: _count(stack, "1") == FILES)
        at_rest = processes.tree_pss_mb([pid])
        again = _touched(stack, folder)
        saves = [_saved(stack, folder, number) for number in range(_SAVES)]
        with processes.PeakMemory([pid]) as memory:
            _touched(stack, folder)
        return Samples([first], [again], saves, [at_rest], [memory.mb])


@contextmanager
def _running(stack: Stack) -> Iterator[int]:
    log = stack.database.parent / "processor.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            stack.command, env=dict(stack.env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process.pid
    except BenchError as e:
        raise BenchError(f"{e}\n{log.read_text(errors='replace')[-3000:]}") from e
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _touched(stack: Stack, folder: Path) -> float:
    """Returns how long it takes until all files were parsed after they were touched."""
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    began = time.monotonic()
    for file in folder.glob("*.py"):
        os.utime(file)
    return _until(began, lambda: _count(stack, f"{stack.parsed_at} > '{moment}'") >= FILES)


def _saved(stack: Stack, folder: Path, number: int) -> float:
    """Returns how long it takes until a DAG that was added to a file is there."""
    file = folder / f"dag_{number}.py"
    began = time.monotonic()
    file.write_text(file.read_text() + f'\nfresh = DAG("fresh_{number}")\n')
    return _until(began, lambda: _count(stack, f"dag_id = 'fresh_{number}'") == 1)


def _count(stack: Stack, where: str) -> int:
    try:
        with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True, timeout=5)) as conn:
            count: int = conn.execute(f"select count(*) from dag where {where}").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return 0  # It is not there yet, or is being written.


def _until(began: float, done: Callable[[], bool]) -> float:
    while not done():
        if time.monotonic() - began > _LIMIT_SECONDS:
            raise BenchError(f"a DAG processor was not done after {_LIMIT_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
