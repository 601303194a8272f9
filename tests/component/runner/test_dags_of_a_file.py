"""Which DAGs a file defines: those that it makes, whoever helps it, and none of another file's."""

from airlock_wire.protocol.dags import disclose
from airlock_wire.protocol.messages import LazySerializedDag

FACTORY = """
from airlock.sdk import DAG, dag, task
from airlock.standard.operators.empty import EmptyOperator

with DAG("of_the_module"):
    EmptyOperator(task_id="t")

class Team(DAG):
    def __init__(self, dag_id):
        super().__init__(dag_id, tags=["team"])

def make(name):
    with DAG(name) as made:
        EmptyOperator(task_id="t")

@dag(dag_id="decorated")
def decorated():
    EmptyOperator(task_id="t")
"""


def dags_of(sidecar, code):
    sidecar.write(FACTORY, "factory.py")
    sidecar.write(code)
    sidecar.start({"type": "DagFileParseRequest", "file": "/x/d.py", "bundle_path": "/x", "bundle_name": "b"})
    result = sidecar.asked[-1]
    assert not result["import_errors"]
    return {dag.dag_id: dag.line for dag in (disclose(LazySerializedDag(**each)) for each in result["serialized_dags"])}


def test_dags_that_another_modules_function_opens_are_the_files_whose_line_calls_it(sidecar):
    code = """\
    from factory import Team, decorated, make
    for name in ("a", "b"):
        make(name)
    decorated()
    with Team("c"):
        pass
    """

    assert {"a": 3, "b": 3, "decorated": 4, "c": 5} == dags_of(sidecar, code)


def test_the_dag_of_a_function_that_is_an_asset_is_of_its_file(sidecar):
    code = """\
    from airlock.sdk import Asset, asset

    @asset(schedule=None)
    def one(self): ...

    @asset.multi(schedule=one, outlets=[Asset("x")])
    def several(self): ...
    """

    assert ["one", "several"] == list(dags_of(sidecar, code))


def test_a_file_that_was_imported_as_a_module_before_has_its_dags_once(sidecar):
    code = """\
    import sys
    from airlock.sdk import DAG
    if __name__ != "d":
        import d
    with DAG("only"):
        pass
    """

    assert {"only": 5} == dags_of(sidecar, code)
