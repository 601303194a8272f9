"""What fetches a bundle: which files are copied, what of its output is masked, what it understands."""

import json
import os
import stat
from types import SimpleNamespace

import pytest

from airlock_runner.airflow import bundle, fetching, masking

PASSWORD = "pa55/word+of:it"


# --- the copy ---


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "versions" / "c0ffee"
    for name in ("dags/load.py", "dags/.airflowignore", ".git/config", "sub/.git", "run.sh"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "run.sh").chmod(0o700)
    (root / "dags/load.py").chmod(0o600)
    (tmp_path / "secret").write_text(PASSWORD)
    return root


@pytest.mark.parametrize("part", ["versions", "versions/c0ffee", "versions/c0ffee/dags", "versions/c0ffee/dags/deep"])
def test_no_part_of_the_way_to_a_bundles_files_is_a_link(tmp_path, part):
    way = "versions/c0ffee/dags/deep"
    (tmp_path / "base" / way).mkdir(parents=True)
    made = SimpleNamespace(base_dir=tmp_path / "base", path=tmp_path / "base" / way)
    assert str(tmp_path / "base" / way) == fetching.folder_of(made)

    linked = tmp_path / "base" / part
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(fetching.Unfetched, match="is a link"):
        fetching.folder_of(made)


def test_the_way_to_a_bundles_files_does_not_lead_up(tmp_path):
    (tmp_path / "base" / "a" / "b").mkdir(parents=True)
    made = SimpleNamespace(base_dir=tmp_path / "base", path=f"{tmp_path}/base/a/b/../../a")
    with pytest.raises(fetching.Unfetched, match="subdir"):
        fetching.folder_of(made)


def test_an_administrators_own_folder_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "current").symlink_to("checkout")
    made = SimpleNamespace(base_dir=tmp_path / "base", path=tmp_path / "current")

    assert str(tmp_path / "checkout") == fetching.folder_of(made)


@pytest.mark.parametrize("old", ["0.0.9", "0.4.0", "1.0.0", "1.0.0rc1", ""])
def test_an_old_git_provider_is_refused(old):
    with pytest.raises(fetching.Unfetched, match=r"1\.0\.1 or newer"):
        fetching.check_git_provider(old)


@pytest.mark.parametrize("new", ["1.0.1", "1.0.2rc1", "1.1", "2.0.0"])
def test_a_git_provider_of_today_is_taken(new):
    assert None is fetching.check_git_provider(new)


def copied(root, tmp_path):
    into = tmp_path / "target"
    done = fetching.copy(str(root), str(into))
    return done, sorted(
        str(path.relative_to(into)) for path in into.rglob("*") if path.is_symlink() or not path.is_dir()
    )


def test_files_are_copied_and_nothing_of_git(tree, tmp_path):
    done, files = copied(tree, tmp_path)

    assert ["dags/.airflowignore", "dags/load.py", "run.sh"] == files
    assert (3, len("dags/load.py" + "dags/.airflowignore" + "run.sh"), []) == tuple(done)


def test_a_copy_can_be_read_by_any_user_and_run_where_it_could_be(tree, tmp_path):
    copied(tree, tmp_path)
    into = tmp_path / "target"
    modes = {str(p.relative_to(into)): stat.S_IMODE(p.stat().st_mode) for p in (into, *into.rglob("*"))}

    assert (0o755, 0o755, 0o644, 0o755) == (modes["."], modes["dags"], modes["dags/load.py"], modes["run.sh"])


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("dags/a", "/proc/self/environ"),
        ("dags/a", "../../../secret"),
        ("a", "/etc"),
        ("a", ".git/config"),
        ("a", "sub/../.git"),
        ("dags/a", "../../c0ffee/dags/load.py"),
        ("a", "hop"),
    ],
)
def test_a_link_that_leads_out_of_the_tree_is_left_out_and_named(tree, tmp_path, link, target):
    (tree / "hop").symlink_to(tmp_path / "secret")
    (tree / link).symlink_to(target)
    done, files = copied(tree, tmp_path)

    assert {link, "hop"} == set(done.left_out)
    assert not {link, "hop"} & set(files)
    assert PASSWORD not in "".join(p.read_text() for p in (tmp_path / "target").rglob("*") if p.is_file())


def test_a_link_within_the_tree_is_still_a_link(tree, tmp_path):
    (tree / "dags/common").symlink_to("../sub")
    (tree / "again.sh").symlink_to("run.sh")
    (tree / "nowhere").symlink_to("not/there")
    copied(tree, tmp_path)
    into = tmp_path / "target"

    assert ["../sub", "run.sh", "not/there"] == [
        os.readlink(into / each) for each in ("dags/common", "again.sh", "nowhere")
    ]


def test_what_is_no_file_is_left_out_rather_than_waited_for(tree, tmp_path):
    os.mkfifo(tree / "pipe")

    assert ["pipe"] == copied(tree, tmp_path)[0].left_out


def test_a_bundle_without_its_folder_or_in_the_target_is_refused(tree, tmp_path):
    with pytest.raises(fetching.Unfetched, match=r"it has no folder .*none; check its kwargs"):
        fetching.copy(str(tmp_path / "none"), str(tmp_path / "target"))
    with pytest.raises(fetching.Unfetched, match="is the one to copy to"):
        fetching.copy(str(tree), str(tree / "target"))
    assert not (tmp_path / "target").exists()


# --- Airflow's side, played ---


@pytest.fixture
def airflow(monkeypatch, tree):
    """A manager of Airflow's with one bundle, whose version it is told."""
    made = SimpleNamespace(version="c0ffee", error=None)

    class Manager:
        def get_all_bundle_names(self):
            return ["sales"]

        def get_bundle(self, name, version):
            def initialize():
                if made.error:
                    raise made.error

            return SimpleNamespace(
                initialize=initialize, get_current_version=lambda: made.version, path=tree, asked=(name, version)
            )

    module = SimpleNamespace(DagBundlesManager=Manager)
    monkeypatch.setattr(fetching, "import_module", lambda name: module)
    return made


@pytest.mark.parametrize("found", ["c0ffee", SimpleNamespace(version="c0ffee")])
@pytest.mark.parametrize("asked", ["c0ffee", ""])
def test_the_version_that_came_is_told(airflow, tmp_path, found, asked):
    airflow.version = found

    assert "c0ffee" == fetching.fetch("sales", asked, str(tmp_path / "t"))[0]


@pytest.mark.parametrize(
    ("found", "asked", "says"),
    [
        ("beef", "c0ffee", "what came is version beef"),
        (None, "c0ffee", "have no versions; leave spec.bundle.version out"),
    ],
)
def test_another_version_than_was_asked_for_is_not_taken(airflow, tmp_path, found, asked, says):
    airflow.version = found
    with pytest.raises(fetching.Unfetched, match=says):
        fetching.fetch("sales", asked, str(tmp_path / "t"))

    assert not (tmp_path / "t").exists()


def test_a_full_volume_says_what_to_do(airflow, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching.shutil, "copyfile", full)
    with pytest.raises(fetching.Unfetched, match="No space left on device; an administrator raises its sizeLimit"):
        fetching.fetch("sales", "", str(tmp_path / "t"))


def test_an_image_without_airflow_is_told_so(tmp_path):
    with pytest.raises(fetching.Unfetched, match=r"No module named 'airflow'.*image must have Airflow 3"):
        fetching.fetch("sales", "", str(tmp_path / "t"))


def test_an_error_is_said_with_its_causes_and_what_a_command_said(airflow, tmp_path):
    git = RuntimeError("Cmd('git') failed due to: exit code(128)")
    git.stderr = "\n  stderr: 'Cloning into bare...\nfatal: Authentication failed for 'http://h/r/'\nplease see\n'"
    airflow.error = RuntimeError("Error cloning repository")
    airflow.error.__cause__ = git
    with pytest.raises(fetching.Unfetched) as refused:
        fetching.fetch("sales", "", str(tmp_path / "t"))

    assert "Error cloning repository: fatal: Authentication failed for 'http://h/r/'; check" in str(refused.value)


# --- what is masked ---

AS_URI = "git://deploy:pa55%2Fword%2Bof%3Ait@h/?private_key=MIIEpQIBAAKC"
AS_JSON = json.dumps({"login": "deploy", "password": PASSWORD, "extra": {"private_key": "-----BEGIN\nMIIEpQIBAAKC\n"}})
NESTED = json.dumps({"password": PASSWORD, "extra": json.dumps({"private_key_passphrase": "MIIEpQIBAAKC"})})


@pytest.mark.parametrize("connection", [AS_URI, AS_JSON, NESTED])
@pytest.mark.parametrize(
    "line",
    [
        f"fatal: could not read {PASSWORD} from",
        "fatal: https://deploy:pa55%2Fword%2Bof%3Ait@h/r.git not found",
        "password=pa55%2Fword%2Bof%3Ait was refused",
        "key MIIEpQIBAAKC is wrong",
    ],
)
def test_secrets_of_connections_are_masked_in_each_form(connection, line):
    shown = masking.masker({"AIRFLOW_CONN_GIT_DEFAULT": connection})(line)

    assert "***" in shown
    assert not [each for each in (PASSWORD, "pa55%2Fword", "MIIEpQ") if each in shown]


@pytest.mark.parametrize(
    "url", ["https://u:pw@h/r", "http://ghp_abcdef@h/r", "ssh://git:x@h:22/r", "https://u:p@w@h/r"]
)
def test_user_and_password_of_any_address_are_masked(url):
    assert "***@h" in masking.masker({})(f"fatal: {url} not found")
    assert not [each for each in ("pw", "ghp_", "git:x", "p@w") if each in masking.masker({})(url)]


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "MY_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SSH_PRIVATE_KEY", "GIT_AUTH"]
)
def test_a_variable_whose_name_says_that_it_is_secret_is_masked(name):
    assert "it is ***." == masking.masker({name: "abcdef123"})("it is abcdef123.")


def test_what_is_no_secret_can_be_read():
    env = {
        "HOME": "/airlock/bundle-work",
        "AIRFLOW_CONN_GIT_DEFAULT": json.dumps({"host": "https://h/r", "login": "git"}),
    }
    line = "fatal: repository 'https://h/r' not found below /airlock/bundle-work by git"

    assert line == masking.masker(env)(line)


@pytest.mark.parametrize("value", ["", "{", "not a uri", "git://[", "[]", '{"extra": "{"}', '{"password": null}'])
def test_a_connection_that_is_none_is_masked_as_a_whole_and_breaks_nothing(value):
    assert "fine" == masking.masker({"AIRFLOW_CONN_X": value})("fine")


# --- the command ---


@pytest.mark.parametrize(
    ("argv", "asked"),
    [
        (["sales", "c0ffee", "/t/sales/"], ("sales", "c0ffee", "/t/sales", 300.0)),
        (["--deadline-seconds", "5", "sales", "", "/t"], ("sales", "", "/t", 5.0)),
        (["sales", "c0ffee"], None),
        (["", "c0ffee", "/t"], None),
        (["sales", "c0ffee", ""], None),
        (["--deadline-seconds", "soon", "sales", "", "/t"], None),
        (["--deadline-seconds", "0", "sales", "", "/t"], None),
        (["--deadline-seconds", "nan", "sales", "", "/t"], None),
        (["--deadline-seconds"], None),
        ([], None),
    ],
)
def test_the_command_is_as_its_usage_says(argv, asked):
    found = bundle.parse(argv)

    assert asked == (None if found is None else tuple(found))


def test_wrong_usage_is_told(capsys):
    assert 80 == bundle.main(["sales"])
    assert "NAME VERSION TARGET" in capsys.readouterr().err


def test_lines_come_whole_and_one_that_is_too_long_is_not_shown_in_part():
    lines = bundle._Lines()
    long = b"x" * 70000

    assert [] == lines.complete(b"a", last=False)
    assert ["ab", "c"] == lines.complete(b"b\nc\n", last=False)
    assert [] == lines.complete(long, last=False)
    assert ["(a line that is too long to show)", "d"] == lines.complete(b"secret\nd\n", last=False)
    assert ["(a line that is too long to show)"] == lines.complete(long + b"\n", last=False)
    assert ["no end \\xff"] == lines.complete(b"no end \xff", last=True)
