"""Parse mode: one DAG file in, one DagFileParsingResult out."""

import os
import py_compile
import zipfile

import pytest

from airlock_wire.protocol.dags import disclose
from airlock_wire.protocol.messages import LazySerializedDag


def request(sidecar, file="d.py"):
    folder = "/where/the/server/sees/it"
    return {"type": "DagFileParseRequest", "file": f"{folder}/{file}", "bundle_path": folder, "bundle_name": "b"}


def parsed(sidecar, code, file="d.py"):
    """What the runner says of a file; ``code`` None leaves the file out."""
    if code is not None:
        sidecar.write(code, file)
    sidecar.start(request(sidecar, file))
    assert 0 == sidecar.code
    result = sidecar.asked[-1]
    assert (result["type"], result["fileloc"]) == ("DagFileParsingResult", f"/where/the/server/sees/it/{file}")
    return result


def import_error(sidecar, code, file="d.py"):
    result = parsed(sidecar, code, file)
    assert [] == result["serialized_dags"]
    assert list(result["import_errors"]) == [file]
    return result["import_errors"][file]


def test_every_dag_of_a_file_is_serialized(sidecar):
    result = parsed(
        sidecar,
        """
        from datetime import timedelta
        from airlock.sdk import DAG, dag, task

        @task(retries=2, retry_delay=timedelta(minutes=1), execution_timeout=90)
        def a(): ...

        with DAG("kept", tags=["y", "x"], params={"p": [1]}) as one:
            a() >> a()
        with DAG("not_kept"):
            a()

        @dag
        def made():
            a()
        made()
        """,
    )

    dags = [disclose(LazySerializedDag(**envelope)) for envelope in result["serialized_dags"]]
    assert ["kept", "not_kept", "made"] == [dag.dag_id for dag in dags]
    kept = dags[0]
    assert (["x", "y"], [1]) == (kept.tags, kept.params["p"].value)
    assert ["a", "a__1"] == [task.task_id for task in kept.tasks]
    a = kept.tasks[0]
    assert (2, 60, 90, 5) == (a.retries, a.retry_delay_seconds, a.execution_timeout_seconds, a.line)
    assert None is result["import_errors"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\n", "d.py:1: NoDag: no DAG is defined here; write `with DAG("),
        ("x = (\n", "d.py:1: SyntaxError: '(' was never closed; correct this line"),
        ("\n\n1 / 0\n", "d.py:3: ZeroDivisionError: division by zero;"),
        ("import nopackage\n", "d.py:1: ModuleNotFoundError: No module named 'nopackage'; add the package to"),
        ("import sys\nsys.exit(4)\n", "d.py:2: SystemExit: the file ends the process (code 4); remove the call"),
        (
            "from airlock.sdk import DAG\nwith DAG('x'): ...\nwith DAG('x'): ...\n",
            "d.py:3: DuplicateDag: DAG 'x' is also defined in line 2; give one of them another dag_id",
        ),
        (
            "from airlock.sdk import DAG, task\n@task\ndef t(): ...\nwith DAG('x'):\n    a = t(); b = t(); a >> b >> a\n",
            "d.py:4: CyclicDag: the tasks of DAG 'x' wait for each other: t >> t__1 >> t;",
        ),
        (
            "from airlock.sdk import DAG\nwith DAG('x', params={'p': {1}}): ...\n",
            "d.py:2: ParamValidationError: a param must be JSON, and {1} is not",
        ),
        (
            "from airlock.sdk import DAG\nwith DAG('x', retrys=2): ...\n",
            "d.py:2: TypeError: DAG 'x' has no argument 'retrys';",
        ),
        (
            "from airlock.sdk import *\nwith DAG('x'): BaseOperator(task_id='t').retry_delay = None\n",
            "d.py:2: AttributeError: DAG 'x': ",
        ),
        (None, "d.py: no such file in the bundle"),
    ],
)
def test_a_file_that_gives_no_dag_says_where_why_and_what_to_do(sidecar, code, expected):
    assert import_error(sidecar, code).startswith(expected)


def test_the_line_is_the_deepest_one_inside_the_bundle(sidecar):
    sidecar.write("import json\n\ndef read():\n    return json.loads('{')\n", "shared.py")

    error = import_error(sidecar, "import shared\nshared.read()\n")

    assert error.startswith("shared.py:4: JSONDecodeError: ")


def test_a_bundle_module_is_found_from_a_file_in_a_folder(sidecar):
    (sidecar.bundle / "folder").mkdir()
    sidecar.write("NAME = 'from_shared'\n", "shared.py")

    code = "from airlock.sdk import DAG\nimport shared\nwith DAG(shared.NAME): ...\n"
    result = parsed(sidecar, code, "folder/d.py")

    assert "from_shared" == result["serialized_dags"][0]["data"]["dag_id"]


def test_a_dag_that_another_file_made_and_this_one_only_opened_elsewhere_is_not_its_own(sidecar):
    sidecar.write("from airlock.sdk import DAG\nwith DAG('theirs'): ...\n", "other.py")

    result = parsed(sidecar, "from airlock.sdk import DAG\nimport other\nwith DAG('mine'): ...\n")

    assert ["mine"] == [envelope["data"]["dag_id"] for envelope in result["serialized_dags"]]


def test_prints_and_warnings_of_a_dag_file_are_fine(sidecar):
    result = parsed(
        sidecar,
        """
        import warnings
        from airlock.sdk import DAG
        print("hi")
        warnings.warn("old")
        with DAG("x"): ...
        """,
    )

    assert None is result["import_errors"]
    assert "hi\n" == sidecar.stdout


def test_a_lookup_that_is_denied_while_parsing_is_an_import_error_with_its_line(sidecar):
    detail = {"message": "nothing is granted to it. Move the call into a task"}
    sidecar.answers["GetVariable"] = {"type": "ErrorResponse", "error": "PERMISSION_DENIED", "detail": detail}

    error = import_error(sidecar, "from airlock.sdk import Variable\nVariable.get('k', default='d')\n")

    assert error.startswith(
        "d.py:2: PermissionDenied: Variable.get('k') was denied: nothing is granted to it. Move the "
    )


def archive(sidecar, **members):
    with zipfile.ZipFile(sidecar.bundle / "d.zip", "w") as file:
        for name, text in members.items():
            file.writestr(name, text)


def test_every_module_at_the_root_of_an_archive_is_a_dag_file_and_they_import_each_other(sidecar):
    archive(
        sidecar,
        **{
            "one.py": "from airlock.sdk import DAG\nimport shared, package.inner\nwith DAG(shared.NAME): ...\n",
            "two.py": "from airlock.sdk import DAG\nimport one\nwith DAG('two'): ...\n",
            "shared.py": "NAME = 'named_in_shared'\n",
            "package/__init__.py": "",
            "package/inner.py": "from airlock.sdk import DAG\nwith DAG('inner'): ...\n",
            "no_words.py": "1 / 0\n",
        },
    )

    result = parsed(sidecar, None, "d.zip")

    assert None is result["import_errors"]
    data = [envelope["data"] for envelope in result["serialized_dags"]]
    assert [("named_in_shared", "d.zip"), ("two", "d.zip")] == [(dag["dag_id"], dag["relative_file"]) for dag in data]
    assert data[1]["source"].startswith("from airlock.sdk import DAG\nimport one\n")


def test_an_error_in_an_archive_names_the_module_and_its_line(sidecar):
    archive(sidecar, **{"one.py": "import airlock  # dag\n\n1 / 0\n"})

    assert import_error(sidecar, None, "d.zip").startswith("d.zip/one.py:3: ZeroDivisionError: division by zero")


def test_a_module_of_an_archive_does_not_take_the_place_of_an_installed_one(sidecar):
    code = "import json\nfrom airlock.sdk import DAG\nwith DAG(json.loads('\"d\"')): ...\n"
    archive(sidecar, **{"json.py": "from airlock.sdk import DAG\nloads = None\nwith DAG('j'): ...\n", "one.py": code})

    result = parsed(sidecar, None, "d.zip")

    assert (None, ["j", "d"]) == (
        result["import_errors"], [envelope["data"]["dag_id"] for envelope in result["serialized_dags"]],
    )  # fmt: skip


def test_a_file_is_parsed_as_it_is_although_its_bytecode_is_of_the_same_second_and_size(sidecar):
    code = "from airlock.sdk import DAG\nwith DAG('x1'): ...\n"
    sidecar.write(code)
    path = sidecar.bundle / "d.py"
    os.utime(path, (1000, 1000))
    py_compile.compile(str(path))
    sidecar.write(code.replace("x1", "x2"))
    os.utime(path, (1000, 1000))

    result = parsed(sidecar, None)

    assert ["x2"] == [envelope["data"]["dag_id"] for envelope in result["serialized_dags"]]
