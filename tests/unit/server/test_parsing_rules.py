"""What a parsed file means for the DAGs that are known: tables."""

import pytest

from airlock_server.rules.parsing import Known, Latest, Settlement, Step, outdated, settle, varies, version_step


def known(*dags):
    return {dag.dag_id: dag for dag in dags}


def dag(dag_id="d", bundle="b", file="f.py", **more):
    return Known(dag_id=dag_id, bundle=bundle, file=file, **more)


@pytest.mark.parametrize(
    ("case", "dags", "listed", "expected"),
    [
        ("a new DAG", [], ["d"], {"taken": ["d"]}),
        ("a DAG of the file", [dag()], ["d"], {"taken": ["d"]}),
        ("a stale DAG of the file", [dag(stale=True)], ["d"], {"taken": ["d"]}),
        ("a DAG that moved from a file that is gone", [dag(file="old.py", stale=True)], ["d"], {"taken": ["d"]}),
        ("a claim that was never parsed", [dag(file=None)], ["d"], {"taken": ["d"]}),
        ("a file that was run by its path", [dag(bundle="local", file=None)], ["d"], {"taken": ["d"]}),
        ("a file that names it no more", [dag(), dag("e")], ["e"], {"taken": ["e"], "lost": ["d"]}),
        ("a DAG of another file is not lost", [dag("e", file="g.py")], ["d"], {"taken": ["d"]}),
        ("an empty file", [dag()], [], {"lost": ["d"]}),
    ],
)  # fmt: skip
def test_a_file_has_the_dags_that_it_lists(case, dags, listed, expected):
    assert Settlement(**expected) == settle("b", "f.py", listed, known(*dags), fails=False)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (dag(file="g.py"), "is also defined in g.py, which had it first"),
        (dag(bundle="other"), "belongs to bundle 'other', which had it first"),
        (dag(bundle="other", file=None), "belongs to bundle 'other'"),
        (dag(bundle="other", stale=True), "belongs to bundle 'other'"),
        (dag(bundle="local", file="f.py"), "belongs to bundle 'local'"),
        (dag(bundle=None), "belongs to TaskRuns that were made by hand"),
    ],
)  # fmt: skip
def test_a_dag_that_another_has_is_refused_and_the_others_of_the_file_are_not(owner, words):
    settlement = settle("b", "f.py", ["d", "e"], known(owner), fails=False)

    assert (["e"], ["d"], []) == (settlement.taken, list(settlement.refused), settlement.lost)
    assert words in settlement.refused["d"]


def test_all_dags_of_a_file_that_fails_are_broken_and_no_others():
    dags = known(dag(), dag("e"), dag("x", file="g.py"), dag("y", bundle="other"))

    assert Settlement(broken=["d", "e"]) == settle("b", "f.py", [], dags, fails=True)


@pytest.mark.parametrize(
    ("latest", "step"),
    [
        (None, Step.ADD),
        (Latest(content_hash="h", source="", used=False), Step.SAME),
        (Latest(content_hash="h", source="", used=True), Step.SAME),
        (Latest(content_hash="other", source="", used=False), Step.REPLACE),
        (Latest(content_hash="other", source="", used=True), Step.ADD),
    ],
)  # fmt: skip
def test_there_is_a_new_version_only_if_the_dag_changed_and_the_latest_was_used(latest, step):
    assert step is version_step(latest, "h")


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        (None, False),
        (Latest(content_hash="h", source="text", used=False), False),
        (Latest(content_hash="other", source="before", used=False), False),
        (Latest(content_hash="other", source="text", used=False), True),
    ],
)  # fmt: skip
def test_a_dag_varies_if_it_changes_and_its_file_does_not(latest, expected):
    assert expected is varies(latest, "h", "text")


@pytest.mark.parametrize(
    ("last_parsed", "last_finish", "expected"),
    [(100.0, 100.0, False), (100.0, 150.0, False), (100.0, 151.0, True), (100.0, 90.0, False)],
)  # fmt: skip
def test_a_dag_is_outdated_once_its_file_was_parsed_without_it_for_long(last_parsed, last_finish, expected):
    assert expected is outdated(last_parsed, last_finish, 50.0)
