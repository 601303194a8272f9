"""Bundles that are git repositories."""

import json
import os

import pytest

from airlock_server.dag_processor.sources.folders import CannotFetch
from airlock_server.dag_processor.sources.git import GitSource, fetch

DAG = "from airlock.sdk import DAG\nwith DAG({!r}): ...\n"


def source(repository, **more):
    return GitSource(**{"repo_url": str(repository.path), "tracking_ref": "main"} | more)


def get(repository, tmp_path, **more):
    return fetch(source(repository, **more), tmp_path / "storage", os.environ)


def test_a_version_is_a_folder_of_a_commits_files_that_stays_as_it_was(repository, tmp_path):
    first = repository.commit(a="one")
    folder, version = get(repository, tmp_path)
    second = repository.commit(a="two", b="new")
    newer, newer_version = get(repository, tmp_path)

    assert ((first, "one"), (second, "two")) == (
        (version, (folder / "a.py").read_text()), (newer_version, (newer / "a.py").read_text()),
    )  # fmt: skip
    assert ["a.py", "b.py"] == sorted(path.name for path in newer.iterdir())
    assert (newer, newer_version) == get(repository, tmp_path)


@pytest.mark.parametrize("what", ["branch", "tag", "commit"])
def test_a_branch_a_tag_and_a_commit_can_be_followed(repository, tmp_path, what):
    version = repository.commit(a="one")
    repository.git("branch", "other")
    repository.git("tag", "v1")
    repository.commit(a="two")

    assert (
        version == get(repository, tmp_path, tracking_ref={"branch": "other", "tag": "v1", "commit": version}[what])[1]
    )


def test_a_branch_that_was_rewritten_is_followed(repository, tmp_path):
    repository.commit(a="one")
    repository.commit(a="two")
    get(repository, tmp_path)
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    rewritten = repository.commit(a="three")

    assert rewritten == get(repository, tmp_path)[1]


def test_a_folder_of_the_repository_is_the_bundle_and_nothing_outside_of_it(repository, tmp_path):
    repository.commit(dags__a="one", other="two")

    assert ["a.py"] == [path.name for path in get(repository, tmp_path, subdir="dags")[0].iterdir()]
    for subdir in ("nowhere", "..", "../.."):
        with pytest.raises(CannotFetch, match="has no folder"):
            get(repository, tmp_path, subdir=subdir)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tracking_ref": "nowhere"}, "has no branch, tag or commit 'nowhere'"),
        ({"repo_url": "/nonexistent"}, "git fetch: "),
        ({"repo_url": "ext::touch /tmp/airlock-never"}, "transport 'ext' not allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_says_why(repository, tmp_path, more, words):
    repository.commit(a="one")

    with pytest.raises(CannotFetch) as error:
        get(repository, tmp_path, **more)
    assert words in str(error.value)


def test_a_login_in_a_url_is_not_in_the_message(repository, tmp_path):
    with pytest.raises(CannotFetch) as error:
        get(repository, tmp_path, repo_url="http://user:hunter2@127.0.0.1:9/repository")
    assert "hunter2" not in str(error.value)


def test_a_few_versions_stay_on_the_disk(repository, tmp_path):
    for number in range(13):
        repository.commit(a=str(number))
        folder, _ = get(repository, tmp_path)

    assert 10 == len(list((tmp_path / "storage" / "versions").iterdir()))
    assert "12" == (folder / "a.py").read_text()


@pytest.mark.slow
def test_each_version_is_parsed_and_noted(processing, repository):
    first = repository.commit(dags__a=DAG.format("a"), dags__b=DAG.format("b"))
    kwargs = {"repo_url": str(repository.path), "tracking_ref": "main", "subdir": "dags"}
    listed = json.dumps([{"name": "g", "classpath": "GitDagBundle", "kwargs": kwargs}])
    processing.start(
        dag_processor__dag_bundle_config_list=listed, dag_processor__refresh_interval=0.2,
        dag_processor__dag_bundle_storage_path=processing.bundle.parent / "fetched",
    )  # fmt: skip
    processing.wait_for(lambda: {"a": "a.py", "b": "b.py"} == processing.dags())
    assert [(first,)] == processing.ask("SELECT DISTINCT bundle_version FROM dag")

    (repository.path / "dags" / "b.py").unlink()
    second = repository.commit(dags__c=DAG.format("c"))

    processing.wait_for(lambda: {"a": "a.py", "c": "c.py"} == processing.dags())
    processing.wait_for(lambda: [(second,)] == processing.ask("SELECT bundle_version FROM dag WHERE dag_id = 'a'"))
    assert [("g", second)] == processing.ask("SELECT name, version FROM dag_bundle")
    assert {} == processing.errors()


@pytest.mark.slow
def test_a_bundle_that_cannot_be_fetched_leaves_the_others_alone(processing):
    processing.dag("mine")
    listed = json.dumps([
        {"name": "mine"},
        {"name": "g", "classpath": "GitDagBundle", "kwargs": {"repo_url": "/nonexistent", "tracking_ref": "main"}},
    ])  # fmt: skip

    processing.run(dag_processor__dag_bundle_config_list=listed)

    assert {"mine": "mine.py"} == processing.dags()
    assert "it cannot be fetched" in processing.output.read_text()
