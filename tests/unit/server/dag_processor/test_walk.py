"""Which files of a folder may hold DAGs."""

import os
import zipfile

import pytest

from airlock_server.dag_processor.discovery.walk import Walker

DAG = "from airlock.sdk import DAG\n"


@pytest.fixture
def folder(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def find(root, **options):
    return list(Walker(root=root, **options).find())


def test_python_files_and_archives_at_any_depth_are_listed_by_name(folder):
    root = folder(**{"b.py": DAG, "a.py": DAG, "x/y/c.PY": DAG, "notes.txt": DAG})
    for name in ("z.zip", "no_suffix"):
        with zipfile.ZipFile(root / name, "w") as archive:
            archive.writestr("inside.py", "")

    assert ["a.py", "b.py", "no_suffix", "x/y/c.PY", "z.zip"] == find(root)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("import AIRFLOW, Dag", True),
        ("import airlock, assets", True),
        ("import airlock", False),
        ("dag asset", False),
        ("", False),
    ],
)  # fmt: skip
def test_safe_mode_leaves_out_files_without_the_words(folder, text, listed):
    root = folder(**{"a.py": text})

    assert (["a.py"] if listed else []) == find(root)
    assert ["a.py"] == find(root, safe_mode=False)


def test_each_folder_has_rules_of_its_own_beside_those_above(folder):
    root = folder(
        **{
            ".airflowignore": "skipped/\n*_test.py",
            "a.py": DAG,
            "a_test.py": DAG,
            "skipped/b.py": DAG,
            "sub/.airflowignore": "c.py\n!a_test.py",
            "sub/a_test.py": DAG,
            "sub/c.py": DAG,
            "sub/d.py": DAG,
            "other/c.py": DAG,
        }
    )

    assert ["a.py", "other/c.py", "sub/a_test.py", "sub/d.py"] == find(root)


def test_regular_expressions_are_another_syntax(folder):
    root = folder(**{".airflowignore": "^sub/.*_old", "sub/a_old.py": DAG, "a_old.py": DAG, "sub/a.py": DAG})

    assert ["a_old.py", "sub/a.py"] == find(root, syntax="regexp")


def test_links_are_followed_each_folder_once(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "linked.py").write_text(DAG)
    root = folder(**{"sub/a.py": DAG})
    os.symlink(elsewhere, root / "link")
    os.symlink(elsewhere / "linked.py", root / "one.py")
    os.symlink(root, root / "sub" / "loop")
    os.symlink("/nonexistent.py", root / "dangling.py")
    walker = Walker(root=root)

    assert ["link/linked.py", "one.py", "sub/a.py"] == list(walker.find())
    assert ["sub/loop is passed over: it links to a folder that was there already"] == walker.problems
    assert str(elsewhere) in walker.folders


def test_what_is_not_a_file_is_never_opened(folder):
    root = folder(**{"a.py": DAG})
    os.mkfifo(root / "pipe.py")
    (root / "folder.py").mkdir()

    assert ["a.py"] == find(root)


def test_a_name_that_is_not_utf8_is_passed_over_with_a_word(folder):
    root = folder(**{"a.py": DAG})
    with open(os.fsencode(root) + b"/\xff.py", "w") as file:
        file.write(DAG)
    walker = Walker(root=root)

    assert ["a.py"] == list(walker.find())
    assert "not UTF-8" in walker.problems[0]


def test_a_changed_file_has_another_stamp_and_is_looked_into_again(folder):
    root = folder(**{"a.py": "nothing", "b.py": DAG})
    walker = Walker(root=root)
    before = walker.find()
    (root / "a.py").write_text(DAG)
    os.utime(root / "b.py", ns=(1, 1))

    after = walker.find()

    assert (["b.py"], ["a.py", "b.py"]) == (list(before), list(after))
    assert before["b.py"] != after["b.py"]


def test_of_a_bundle_whose_folder_is_gone_nothing_is_known(tmp_path):
    with pytest.raises(FileNotFoundError):
        Walker(root=tmp_path / "gone").find()
