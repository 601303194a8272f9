"""
The task that both stacks run: one source, but for the line that says whose SDK it is.

User code writes what it measured as JSON into a file; clocks are CLOCK_MONOTONIC, which all processes share.
"""

from pathlib import Path

DAG_ID = "bench"
FILE = "bench_dag.py"
CALLS = 200
LARGE = 10_000_000

_SOURCE = """\
import json
import time

from {sdk} import DAG, Variable, task


def clock():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def leave(**said):
    text = json.dumps(said)[:-1]
    with open({marks!r}, "w") as file:
        file.write(text + ', "last": ' + repr(clock()) + "}}")


def timed(call):
    began = clock()
    call()
    return clock() - began


with DAG({dag_id!r}):

    @task
    def noop():
        first = clock()
        leave(first=first)

    @task
    def roundtrips(ti):
        first = clock()
        ti.xcom_push(key="small", value="x")
        pull = lambda key: ti.xcom_pull(task_ids="roundtrips", key=key)
        assert Variable.get("bench") == "a value"
        assert pull("small") == "x"
        variable = [timed(lambda: Variable.get("bench")) for _ in range({calls})]
        xcom = [timed(lambda: pull("small")) for _ in range({calls})]
        large = "x" * {large}
        write = timed(lambda: ti.xcom_push(key="large", value=large))
        began = clock()
        back = pull("large")
        read = clock() - began
        assert back == large
        leave(first=first, variable=variable, xcom=xcom, write=write, read=read)

    noop(), roundtrips()
"""


def write(folder: Path, sdk: str, marks: Path) -> None:
    """Puts the DAG file for the stack whose SDK is ``sdk`` into its bundle folder."""
    folder.mkdir(parents=True)
    text = _SOURCE.format(sdk=sdk, marks=str(marks), dag_id=DAG_ID, calls=CALLS, large=LARGE)
    (folder / FILE).write_text(text)
