"""Airflow's import names. Each test is a process of its own, for what it imports stays."""

import subprocess
import sys

import pytest
from doubles.imports import imported_by

from airlock.names.resolving import lookup, missing_module
from airlock.names.table import ELSEWHERE, MODULES


def printed(code, **options):
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", f"from airlock.names import install; install(); install()\n{code}"],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def test_a_name_is_ours_itself():
    code = """
import airlock.sdk, airflow, airflow.sdk
from airflow.sdk import DAG, Asset
from airflow.models import DAG as old
from airflow.exceptions import AirflowException
from airflow.sdk.definitions.asset import AssetWatcher
from airflow.sdk.execution_time import macros
import airflow.timetables.trigger as trigger
print(DAG is airlock.sdk.DAG is old, Asset is airlock.sdk.Asset, AirflowException is airlock.sdk.AirlockException)
print(airflow.__version__, airflow.sdk.__version__, macros.ds_add('2026-01-01', 1), trigger.CronTriggerTimetable.__module__)
"""
    assert "True True True\n3.3.2 1.3.2 2026-01-02 airlock.names.timetables" == printed(code)


def test_a_type_of_runs_makes_ids_and_is_read_out_of_one():
    code = """
from airflow.utils.types import DagRunType
print(DagRunType.BACKFILL_JOB.generate_run_id(suffix="x"), DagRunType.from_run_id("scheduled__y"), DagRunType.from_run_id("z"))
"""
    assert "backfill__x scheduled manual" == printed(code)


def test_a_tasks_own_instance_is_no_row_of_a_server():
    code = """
from airflow.models import TaskInstance as also
from airflow.models.taskinstance import TaskInstance
print(isinstance(object(), TaskInstance), also is TaskInstance)
"""
    assert "False True" == printed(code)


def test_what_many_dag_files_import_beside_the_sdk_is_there():
    code = """
from airflow.exceptions import AirflowConfigException
from airflow.providers.standard.utils.skipmixin import SkipMixin
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.types import DagRunProtocol, RuntimeTaskInstanceProtocol
from airflow.typing_compat import Literal, Self
from airflow.utils.log.logging_mixin import LoggingMixin
from airflow.version import version

class Client(LoggingMixin): ...

print(Client().log.name, version)
"""
    assert "__main__.Client 3.3.2" == printed(code)


def test_a_variable_of_the_old_path_has_its_old_arguments():
    code = """
import airlock.sdk
from airflow.models import Connection, Variable
from airflow.models.variable import Variable as also
from airlock.sdk import _channel
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, OKResponse, VariableResult

kept = {}

class Channel:
    def ask(self, message, *_):
        match type(message).__name__:
            case "PutVariable":
                kept[message.key] = message.value
                return OKResponse(ok=True)
            case "GetVariable" if message.key in kept:
                return VariableResult(key=message.key, value=kept[message.key])
        return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)

_channel.install(Channel())
print(also is Variable, issubclass(Variable, airlock.sdk.Variable), issubclass(Connection, airlock.sdk.Connection))
print(Variable.get("a", default_var=None), Variable.get("a", 5), Variable.setdefault("a", {"x": 1}, deserialize_json=True))
print(Variable.setdefault("a", 7, deserialize_json=True))
Variable.update("a", "new")
print(Variable.get("a"))
try:
    Variable.update("b", "new")
except KeyError as e:
    print("no", e.args[0].partition(";")[0])
"""
    expected = "True True True\nNone 5 {'x': 1}\n{'x': 1}\nnew\nno there is no variable 'b'"

    assert expected == printed(code)


def test_a_star_gives_what_the_table_lists():
    assert "True" == printed("import airflow.sdk; print({'DAG', 'Param', 'asset'} <= set(dir(airflow.sdk)))")


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("from airflow.sdk import DAGG", "Airlock has no airflow.sdk.DAGG; did you mean 'DAG'?"),
        (
            "from airflow.models import DagRun",
            "Airlock has no airflow.models.DagRun: tasks and DAG files have no database",
        ),
        (
            "import airflow.providers.amazon.aws.hooks.s3",
            "Airflow's provider 'amazon' (apache-airflow-providers-amazon)",
        ),
        (
            "from airflow.providers.apache.kafka.hooks import x",
            "provider 'apache-kafka' (apache-airflow-providers-apache-kafka)",
        ),
        ("from airflow.operators.email import EmailOperator", "provider 'smtp'"),
        ("from airflow.operators.dummy import DummyOperator", "use EmptyOperator"),
        ("from airflow.utils.dates import days_ago", "write the date"),
        ("from airflow.models import DagBag", "run `airlock dags list-import-errors FOLDER`"),
        ("from airflow.dag_processing.dagbag import DagBag", "run `airlock dags list-import-errors FOLDER`"),
        ("import airflow.nothing", "Airlock has no module 'airflow.nothing'"),
        ("import airflow.providers.standard.nothing", "Airlock has no module 'airflow.providers.standard.nothing'"),
        ("from airflow.providers.standard.weekday import Nothing", "not one of the standard provider's"),
        ("from airflow.utils.weight_rule import Nothing", "Airlock has no airflow.utils.weight_rule.Nothing"),
    ],
)
def test_what_we_lack_is_an_import_error_that_names_the_alternative(statement, text):
    assert text in printed(f"try: {statement}\nexcept ImportError as e: print(e)\nelse: print('imported')")


def test_a_name_that_is_asked_for_without_an_import_is_an_attribute_error():
    code = "import airflow.sdk as s; print(hasattr(s, 'nothing'), getattr(s, 'nothing', 3), hasattr(s, '__wrapped__'))"

    assert "False 3 False" == printed(code)


def test_an_old_path_warns_at_the_line_that_imports_it():
    code = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from airflow.models.param import Param
(warning,) = caught
print(warning.category.__mro__[1].__name__, warning.filename, warning.lineno, warning.message)
"""
    assert (
        "FutureWarning <string> 6 airflow.models.param.Param is deprecated and will be removed in a later release of Airflow; "
        "use airflow.sdk.Param"
    ) == printed(code)


def test_a_module_that_moved_as_a_whole_warns_when_it_is_imported():
    code = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import airflow.models.xcom_arg
print(caught[0].filename, caught[0].message)
"""
    assert "<string> airflow.models.xcom_arg is deprecated" in printed(code)


def test_airflow_itself_is_left_alone_and_a_folder_of_that_name_is_not_airflow(tmp_path):
    package = tmp_path / "real" / "airflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("sdk = 'theirs'")
    (tmp_path / "dags" / "airflow").mkdir(parents=True)
    code = "import sys; sys.path.insert(0, {!r}); import airflow.{} as sdk; print(getattr(sdk, '__name__', sdk))"

    assert "theirs" == printed(
        code.format(str(tmp_path / "real"), "__init__").replace("airflow.__init__ as sdk", "airflow; sdk = airflow.sdk")
    )
    assert "airflow.sdk" == printed(code.format(str(tmp_path / "dags"), "sdk"))


def test_a_folder_of_that_name_adds_its_modules(tmp_path):
    folder = tmp_path / "airflow" / "example_dags" / "plugins"
    folder.mkdir(parents=True)
    (folder / "workday.py").write_text(
        "from airflow.plugins_manager import AirflowPlugin\nclass P(AirflowPlugin): name = 'p'"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"

    assert "p" == printed(code + "from airflow.example_dags.plugins.workday import P; print(P.name)")
    assert "Airlock has no module 'airflow.absent'" in printed(
        f"{code}try: import airflow.absent\nexcept ImportError as e: print(e)"
    )


def test_a_plugins_file_can_be_imported():
    code = """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from airflow.task.priority_strategy import PriorityWeightStrategy
from airflow.providers.common.compat.sdk import TriggerRule, timezone, AirflowException

@hookimpl
def one(): pass

@hookimpl(tryfirst=True)
def other(): pass

class Light(PriorityWeightStrategy):
    def get_weight(self, ti): return 1

print(one.airflow_impl, other.airflow_impl, AirflowPlugin.timetables, Light() == Light(), TriggerRule.ALWAYS.value)
"""
    assert "{} {'tryfirst': True} [] True always" == printed(code)


def test_a_name_whose_home_is_not_there_yet_is_missing(monkeypatch):
    monkeypatch.setitem(MODULES, "airflow.sdk.io.store", "airlock.sdk.absent airlock.absent.too")

    assert (None, "") == lookup("airflow.sdk.io.store", "attach")


def test_the_states_of_the_core_are_text():
    code = "from airflow.utils.state import State, DagRunState; print(State.SUCCESS, DagRunState.FAILED == 'failed', None in State.unfinished)"

    assert "success True True" == printed(code)


def test_names_cost_nothing_until_they_are_used():
    assert {"airlock.names", "airlock.names.finder"} == {
        name for name in imported_by("airlock.names") if name.startswith("airlock.")
    }
    assert "True" == printed(
        "import sys, airlock.sdk; before = {m for m in sys.modules if m.startswith('airlock.sdk')}\n"
        "from airflow.sdk import DAG; print(before == {m for m in sys.modules if m.startswith('airlock.sdk')})"
    )


def test_every_path_of_the_table_is_of_a_module_that_the_table_has():
    for module in ELSEWHERE:
        assert module in MODULES
        assert "" == missing_module(module)
    assert (None, "") == lookup("airflow.sdk", "Nothing")
