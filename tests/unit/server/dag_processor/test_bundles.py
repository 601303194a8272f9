"""The bundles of the settings, and where their logs go."""

from pathlib import Path

import pytest

from airlock_server.dag_processor.bundles import DEFAULT, Bundle, configured, with_examples
from airlock_server.dag_processor.events import outermost
from airlock_server.dag_processor.launches import log_path, point_to
from airlock_server.dag_processor.sources.git import GitSource
from airlock_server.dag_processor.sources.image import ImageSource
from airlock_wire.process.settings import SettingsError

FOLDER, STORAGE = Path("/home/dags"), Path("/home/bundles")


def test_without_a_list_there_is_the_folder_of_dags():
    assert [("dags-folder", FOLDER)] == [(each.name, each.path) for each in configured("", FOLDER, STORAGE)]


def test_bundles_are_listed_as_for_airflow():
    setting = """[
        {"name": "one", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": "/x"}},
        {"name": "two", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}}
    ]"""

    assert [("one", Path("/x")), ("two", FOLDER)] == [
        (each.name, each.path) for each in configured(setting, FOLDER, STORAGE)
    ]


def test_a_repository_is_a_bundle_with_its_versions_in_the_storage():
    kwargs = '{"repo_url": "https://host/r", "tracking_ref": "main", "subdir": "dags", "refresh_interval": 60}'
    setting = f'[{{"name": "g", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {kwargs}}}]'

    [bundle] = configured(setting, FOLDER, STORAGE)

    source = GitSource(repo_url="https://host/r", tracking_ref="main", subdir="dags")
    assert (STORAGE / "g", source) == (bundle.path, bundle.source)


def test_an_image_is_a_bundle_with_its_versions_in_the_storage():
    kwargs = '{"image": "registry.example:5000/team/dags:main", "subdir": "dags", "insecure": true}'
    setting = f'[{{"name": "i", "classpath": "ImageDagBundle", "kwargs": {kwargs}}}]'

    [bundle] = configured(setting, FOLDER, STORAGE)

    source = ImageSource(image="registry.example:5000/team/dags:main", subdir="dags", insecure=True)
    assert (STORAGE / "i", source) == (bundle.path, bundle.source)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("nonsense", "is not a JSON list of bundles"),
        ('{"name": "a"}', "is not a JSON list of bundles"),
        ('[{"name": "a"}, {"name": "a"}]', "two bundles have the name 'a'"),
        ('[{"name": "../a"}]', "'../a' cannot be a bundle's name"),
        ('[{"name": "local"}]', "'local' cannot be a bundle's name"),
        ('[{"name": "a", "kwargs": {"pth": "/x"}}]', "has no argument 'pth'; it has path"),
        ('[{"name": "a", "kwargs": {"path": 3}}]', "path of bundle 'a' must be a text"),
        ('[{"name": "a", "classpath": "x.GitDagBundle", "kwargs": {"repo_url": "u"}}]', "needs repo_url and tracking_ref"),
        (
            '[{"name": "a", "classpath": "x.GitDagBundle", "kwargs": {"repo_url": "--upload-pack=x", "tracking_ref": "m"}}]',
            "repo_url of bundle 'a' must be a text that does not start with '-'",
        ),
        (
            '[{"name": "a", "classpath": "x.GitDagBundle", "kwargs": {"git_conn_id": "g"}}]',
            "has no argument 'git_conn_id'; it has repo_url, tracking_ref, subdir",
        ),
        ('[{"name": "a", "classpath": "ImageDagBundle"}]', "bundle 'a' needs image with its registry"),
        (
            '[{"name": "a", "classpath": "ImageDagBundle", "kwargs": {"image": "team/dags:main"}}]',
            "bundle 'a' needs image with its registry",
        ),
        (
            '[{"name": "a", "classpath": "ImageDagBundle", "kwargs": {"image": "r.example/d", "insecure": "yes"}}]',
            "insecure of bundle 'a' must be true or false",
        ),
        ('[{"name": "a", "classpath": "x.S3DagBundle"}]', "bundle 'a' is a S3DagBundle, and only"),
    ],
)  # fmt: skip
def test_a_list_that_is_wrong_says_which_entry_and_why(setting, words):
    with pytest.raises(SettingsError, match="dag_bundle_config_list") as error:
        configured(setting, FOLDER, STORAGE)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ([], []),
        (["/a", "/a/b", "/a-b", "/a/b/c"], ["/a", "/a-b"]),
        (["/x/y", "/x/y"], ["/x/y"]),
        (["/", "/a"], ["/"]),
    ],
)  # fmt: skip
def test_only_the_outermost_folders_are_watched(folders, expected):
    assert frozenset(expected) == outermost(folders)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.py", "2026-06-30/b/a.py.log"),
        ("x/y/a.py", "2026-06-30/b/x/y/a.py.log"),
        ("n" * 300, f"2026-06-30/b/{'n' * 251}.log"),
    ],
)  # fmt: skip
def test_each_file_has_a_log_of_each_day(file, expected):
    assert expected == log_path("2026-06-30", "b", file)


def test_a_link_leads_to_the_logs_of_the_day(tmp_path):
    point_to(tmp_path / "logs", "2026-06-30")
    point_to(tmp_path / "logs", "2026-07-01")

    assert ("2026-07-01", ["latest"]) == (
        str((tmp_path / "logs" / "latest").readlink()), [path.name for path in (tmp_path / "logs").iterdir()],
    )  # fmt: skip


def test_the_examples_are_a_bundle_in_the_first_folder_that_there_is(tmp_path):
    others = configured("", tmp_path, STORAGE)
    (tmp_path / "examples").mkdir()

    assert [DEFAULT, "examples"] == [
        bundle.name for bundle in with_examples(others, [tmp_path / "none", tmp_path / "examples"])
    ]


def test_examples_that_are_not_installed_and_a_bundle_of_their_name_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="the examples are not installed here"):
        with_examples([], [tmp_path / "none"])
    with pytest.raises(SettingsError, match="'examples' is that of"):
        with_examples([Bundle(name="examples", path=tmp_path)], [tmp_path])
