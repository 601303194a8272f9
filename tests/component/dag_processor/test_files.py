"""What the DAG processor sees of a folder's files while they change: real files, real parses."""

import json
import os
import signal
import zipfile

import pytest

pytestmark = pytest.mark.slow


def test_each_file_is_parsed_and_its_dags_are_stored(processing):
    processing.dag("a")
    processing.dag("b", "sub/b.py")
    processing.write("import airlock  # dag\n1 / 0\n", "broken.py")
    processing.write("import airlock  # a dag is only mentioned\n", "empty.py")
    processing.write("no words\n", "notes.py")
    with zipfile.ZipFile(processing.bundle / "z.zip", "w") as archive:
        archive.writestr("inside.py", "from airlock.sdk import DAG\nwith DAG('zipped'): ...\n")

    processing.run()

    assert {"a": "a.py", "b": "sub/b.py", "zipped": "z.zip"} == processing.dags()
    assert {"broken.py": "broken.py:2: ZeroDivisionError: division by zero; correct this line"} == processing.errors()
    assert [("a", 1, "dags-folder")] == processing.ask(
        "SELECT dag_id, number, bundle_name FROM dag_version WHERE dag_id = 'a'"
    )


def test_a_file_that_is_saved_changed_broken_mended_and_removed_is_seen_by_its_event(processing):
    # The searches that would find them without events come too late for this test.
    processing.start(dag_processor__bundle_refresh_check_interval=3600, dag_processor__min_file_process_interval=3600)
    processing.dag("first")
    processing.wait_for(lambda: {"first": "first.py"} == processing.dags())

    processing.dag("second", "first.py")
    processing.wait_for(lambda: {"second": "first.py"} == processing.dags())

    processing.write("from airlock.sdk import DAG\nwith DAG('second') as", "first.py")
    processing.wait_for(lambda: {} == processing.dags() and "first.py" in processing.errors())
    assert "first.py:2: SyntaxError" in processing.errors()["first.py"]

    processing.dag("second", "first.py")
    processing.wait_for(lambda: {"second": "first.py"} == processing.dags() and {} == processing.errors())

    (processing.bundle / "first.py").unlink()
    processing.wait_for(lambda: {} == processing.dags())


def test_a_file_in_a_new_folder_and_behind_a_link_is_seen_by_its_event(processing):
    elsewhere = processing.bundle.parent / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    os.symlink(elsewhere, processing.bundle / "link")
    processing.dag("first")
    processing.start(dag_processor__bundle_refresh_check_interval=3600)
    processing.wait_for(lambda: {"first"} == set(processing.dags()))

    processing.dag("deep", "new/folder/deep.py")
    processing.wait_for(lambda: {"first", "deep"} == set(processing.dags()))
    (elsewhere / "linked.py").write_text("from airlock.sdk import DAG\nwith DAG('linked'): ...\n")
    processing.wait_for(lambda: {"first", "deep", "linked"} == set(processing.dags()))


def test_a_file_that_moves_takes_its_dag_along(processing):
    processing.dag("moves")
    processing.start()
    processing.wait_for(lambda: {"moves": "moves.py"} == processing.dags())

    (processing.bundle / "moves.py").rename(processing.bundle / "moved.py")

    processing.wait_for(lambda: {"moves": "moved.py"} == processing.dags())
    assert {} == processing.errors()


def test_what_a_file_prints_is_in_its_log(processing):
    processing.write("from airlock.sdk import DAG\nprint('hello from the file')\nwith DAG('d'): ...\n", "sub/d.py")

    processing.run()

    assert "hello from the file" in processing.log_of("sub/d.py")


def test_the_output_goes_to_stdout_too_if_the_setting_says_so(processing):
    processing.write("from airlock.sdk import DAG\nprint('hello from the file')\nwith DAG('d'): ...\n")

    processing.run(dag_processor__dag_processor_log_target="stdout")

    assert "hello from the file" in processing.output.read_text()


def test_two_files_with_one_dag_keep_it_with_the_first_and_the_other_has_an_error(processing):
    processing.dag("same", "one.py")
    processing.run()
    processing.dag("same", "two.py")

    processing.run()

    assert {"same": "one.py"} == processing.dags()
    assert "DAG 'same' is also defined in one.py" in processing.errors()["two.py"]


def test_a_bundle_whose_folder_goes_away_keeps_its_dags(processing):
    processing.dag("a")
    processing.start(dag_processor__bundle_refresh_check_interval=0.1, dag_processor__min_file_process_interval=0.1)
    processing.wait_for(lambda: {"a"} == set(processing.dags()))

    processing.bundle.rename(processing.bundle.with_name("away"))
    processing.wait_for(lambda: "cannot be listed" in processing.output.read_text())
    processing.bundle.with_name("away").rename(processing.bundle)
    processing.dag("b")

    processing.wait_for(lambda: {"a", "b"} == set(processing.dags()))
    assert {} == processing.errors()


def test_only_the_bundles_that_are_named_are_parsed(processing):
    other = processing.bundle.with_name("other")
    other.mkdir(mode=0o755)
    (other / "o.py").write_text("from airlock.sdk import DAG\nwith DAG('other'): ...\n")
    processing.dag("mine")
    listed = f'[{{"name": "mine"}}, {{"name": "other", "kwargs": {{"path": "{other}"}}}}]'

    processing.run("-n", "1", "--bundle", "other", dag_processor__dag_bundle_config_list=listed)

    assert {"other": "o.py"} == processing.dags()
    assert [("mine", 1), ("other", 1)] == processing.ask("SELECT name, active FROM dag_bundle ORDER BY name")


def test_a_signal_ends_it_in_an_orderly_way_while_a_file_is_parsed(processing):
    processing.write("import time, airlock  # dag\nprint('begins', flush=True)\ntime.sleep(100)\n")
    processing.start()
    processing.wait_for(lambda: "begins" in processing.log_of("d.py"))

    processing.process.send_signal(signal.SIGTERM)

    assert 0 == processing.process.wait(60)
    assert {} == processing.errors()


READS = (
    "from airlock.sdk import DAG, Variable\n"
    "for n in range(int(Variable.get('how_many', default=1))):\n    with DAG(f'd{n}'): ...\n"
)


def test_a_file_may_read_variables_while_it_is_imported(processing):
    processing.write(READS)
    processing.run()
    assert {"d0"} == set(processing.dags())
    processing.command("variables", "set", "how_many", "2")
    processing.run()

    assert {"d0", "d1"} == set(processing.dags())
    assert {} == processing.errors()


def test_where_variables_are_granted_to_namespaces_a_file_has_none(processing):
    processing.write(READS)
    processing.run(access__default="granted")

    assert {} == processing.dags()
    assert "d.py:2: PermissionDenied: Variable.get('how_many') was denied" in processing.errors()["d.py"]
    assert "Move the call into a task" in processing.errors()["d.py"]


def test_what_the_author_does_not_say_is_the_servers_setting(processing):
    processing.write(
        "from airlock.sdk import DAG, BaseOperator\nwith DAG('plain'): BaseOperator(task_id='t')\n"
        "with DAG('own', max_active_tasks=2): BaseOperator(task_id='t', retries=1)\n"
    )
    processing.run(core__default_task_retries=4, core__max_active_tasks_per_dag=5, scheduler__catchup_by_default="true")

    stored = {name: json.loads(data) for name, data in processing.ask("SELECT dag_id, data FROM dag_version")}
    assert {"plain": [4, 5, True], "own": [1, 2, True]} == {
        name: [dag["tasks"][0]["retries"], dag["max_active_tasks"], dag["catchup"]] for name, dag in stored.items()
    }
