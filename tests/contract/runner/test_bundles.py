"""
A bundle from git, fetched as the operator's init container fetches it, by Airflow's own class of it with a credential;
and a task of it in Airflow's own runner, which has the files and no credential.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from doubles.gitserver import LOGIN, PASSWORD, GitServer, Repository
from doubles.taskruns import open_attempt, run

from airlock_operator.pod import bundle as bundles
from airlock_operator.pod import runner
from airlock_operator.settings import Pods

pytestmark = pytest.mark.slow

SECONDS = 90
DAG = """
import os
from pathlib import Path

from airflow.sdk import DAG, task

from {helper} import WHAT

HERE = Path(__file__).parent

with DAG("sales"):

    @task
    def load():
        environment = "\\n".join(f"{{name}}={{value}}" for name, value in os.environ.items())
        try:
            (HERE / "mine").write_text("x")
            writable = True
        except OSError:
            writable = False
        return {{"what": WHAT, "writable": writable, "environment": environment, "here": str(HERE)}}

    load()
"""
#: How the credential would look in a file: as it is, in an address, in a header.
FORMS = (PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode())


def leaks(folder: Path) -> list[str]:
    """The files below a folder that have the credential in them, in any form."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(p.relative_to(folder)) for p in files if any(form.encode() in p.read_bytes() for form in FORMS)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    made = Repository(tmp_path_factory.mktemp("git"))
    # A bundle's root is on the path of its modules; a name that no other test's modules have.
    files = {"load.py": DAG.format(helper="sales_helper"), "sales_helper.py": 'WHAT = "old"\n', ".gitignore": "*.pyc\n"}
    made.old = made.commit(files, {"environ": "/proc/self/environ"})
    made.new = made.commit({"sales_helper.py": 'WHAT = "new"\n', "later.py": ""})
    return made


@pytest.fixture
def server(repository):
    served = GitServer(repository.served)
    yield served
    served.close()


@pytest.fixture
def hanging(repository):
    served = GitServer(repository.served, hangs=True)
    yield served
    served.close()


class Fetch:
    """The init container as the operator makes it, with folders of the test for its volumes."""

    def __init__(self, folder: Path, python: Path, launcher: Path) -> None:
        self.folder, self.work, self.target = folder, folder / "work", folder / "bundle"
        self._command = [str(python), str(launcher)]
        self.work.mkdir()
        self.target.mkdir()

    @property
    def files(self) -> Path:
        return self.target / "sales"

    def taskrun(self, name: str = "sales", version: str = "", **spec):
        bundle = {"name": name} | ({"version": version} if version else {})
        return run(
            status=open_attempt(), runner="airflow", **{"source": None, "bundle": bundle, "file": "load.py"} | spec
        )

    def start(
        self, bundle: dict, version: str, connection: dict | None, name: str = "", deadline: str = ""
    ) -> subprocess.Popen:
        listed = json.dumps([{"image": "i", "name": "sales"} | bundle])
        taskrun = self.taskrun(version=version)
        container = bundles.container(taskrun, bundles.fetched(taskrun, listed), resources={}, proxies=[])
        arguments = [self._here(each) for each in container["args"]]
        arguments[arguments.index("sales")] = name or "sales"
        arguments[arguments.index("--deadline-seconds") + 1] = deadline or "60"
        env = {each["name"]: self._here(each["value"]) for each in container["env"]}
        env |= {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        if connection is not None:
            env["AIRFLOW_CONN_GIT_DEFAULT"] = json.dumps({"conn_type": "git", "login": LOGIN} | connection)
        return subprocess.Popen(
            [*self._command, *arguments], env=env, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def git(self, server: GitServer, version: str, password: str = PASSWORD, **how) -> subprocess.CompletedProcess:
        """It, to its end."""
        process = self.start(GIT, version, {"host": server.url, "password": password}, **how)
        return self.end(process)

    def end(self, process: subprocess.Popen) -> subprocess.CompletedProcess:
        stdout, stderr = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def runner_sees(self, listed: str, **spec) -> str:
        """Airflow's configuration of bundles in the runner, as the operator makes it."""
        container = runner.container(self.taskrun(**spec), Pods(bundles=listed))
        env = {each["name"]: each["value"] for each in container["env"]}
        return self._here(env["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])

    def _here(self, text: str) -> str:
        return text.replace(bundles.WORK_DIR, str(self.work)).replace(bundles.BUNDLE_DIR, str(self.target))


GIT = {"classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {"tracking_ref": "main"}}
LOCAL = {"classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}


@pytest.fixture
def fetch(tmp_path, airflow_python, launcher_folder):
    return Fetch(tmp_path, airflow_python, launcher_folder)


@pytest.fixture
def read_only():
    """The start of a command that sees a folder as a pod's read-only mount; as root a mount, else its rights."""

    def before(folder: Path) -> tuple[str, ...]:
        if os.geteuid() == 0:
            mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
            return ("unshare", "--mount", "sh", "-c", mount, str(folder))
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o555)
        return ()

    return before


def last_line(done: subprocess.CompletedProcess) -> str:
    return done.stderr.strip().splitlines()[-1]


# --- what is fetched ---


def test_the_pinned_version_is_fetched_with_the_credential_and_leaves_none_of_it(fetch, server, repository):
    done = fetch.git(server, repository.old)

    assert 0 == done.returncode, done.stderr
    assert f"version {repository.old}, 3 files" in done.stdout
    assert 'WHAT = "old"\n' == (fetch.files / "sales_helper.py").read_text()
    assert {".gitignore", "load.py", "sales_helper.py"} == {
        path.name for path in fetch.target.rglob("*") if path.is_file()
    }
    assert [] == leaks(fetch.target)
    # It did need the credential, and its links lead nowhere.
    assert {None, LOGIN} == set(server.asked)
    assert "'environ' was left out" in done.stderr
    assert not [form for form in FORMS if form in done.stdout + done.stderr]


def test_the_search_would_find_a_leak(fetch):
    """The control of the test above: what a clone, a link that was followed and a header would leave."""
    for place, text in (
        ("a/.git/config", f"url = http://{LOGIN}:{quote(PASSWORD, safe='')}@h/r"),
        ("b", f"x{PASSWORD}y"),
        ("c", FORMS[2]),
    ):
        (fetch.target / place).parent.mkdir(parents=True, exist_ok=True)
        (fetch.target / place).write_text(text)

    assert {"a/.git/config", "b", "c"} == set(leaks(fetch.target))


@pytest.mark.parametrize("link", ["../..", "../../bare", "real", "/proc/self"])
@pytest.mark.parametrize("subdir", ["dags", "dags/more"])
def test_a_link_for_a_subdir_picks_no_folder(fetch, tmp_path, link, subdir):
    """Whoever pushes to the repository would choose which folder of the container the runner gets."""
    repository = Repository(tmp_path / "git")
    version = repository.commit({"real/more/load.py": "", "real/load.py": ""}, {"dags": link})
    server = GitServer(repository.served)
    bundle = {**GIT, "kwargs": GIT["kwargs"] | {"subdir": subdir}}
    done = fetch.end(fetch.start(bundle, version, {"host": server.url, "password": PASSWORD}))
    server.close()

    assert 1 == done.returncode, done.stderr
    assert "is a link" in last_line(done)
    assert [] == list(fetch.target.iterdir())


def test_without_a_version_the_newest_is_fetched(fetch, server, repository):
    done = fetch.git(server, "")

    assert (0, True) == (done.returncode, f"version {repository.new}, 4 files" in done.stdout), done.stderr
    assert 'WHAT = "new"\n' == (fetch.files / "sales_helper.py").read_text()


def test_what_an_earlier_start_left_half_done_is_never_taken_for_the_bundle(fetch, server, hanging, repository):
    process = fetch.start(GIT, repository.old, {"host": hanging.url, "password": PASSWORD})
    until(lambda: hanging.asked)
    process.kill()
    fetch.end(process)
    assert not fetch.files.exists()
    # The worst it could have left: an old tree, and a part of a new one.
    for stale in (fetch.files, fetch.target / "sales.new"):
        (stale / "dir").mkdir(parents=True)
        (stale / "stale.py").write_text("")
    shutil.rmtree(fetch.work / "bundles", ignore_errors=True)

    assert 0 == fetch.git(server, repository.old).returncode
    assert {".gitignore", "load.py", "sales_helper.py"} == {path.name for path in fetch.files.iterdir()}
    assert ["sales"] == [path.name for path in fetch.target.iterdir()]


def test_a_folder_of_the_image_that_fetches_can_be_a_bundle_too(fetch, tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/load.py").write_text("x = 1")
    done = fetch.end(fetch.start(LOCAL | {"kwargs": {"path": str(tmp_path / "dags")}}, "", None))

    assert (0, "x = 1") == (done.returncode, (fetch.files / "load.py").read_text()), done.stderr
    assert "no version, 1 files, 5 bytes" in done.stdout


# --- what is not ---


def refused(fetch, done, says):
    assert 1 == done.returncode
    assert last_line(done).startswith("airlock-launcher: bundle ")
    assert says in last_line(done)
    assert not [form for form in (*FORMS, "wr0ng-password") if form in done.stdout + done.stderr]
    assert [] == list(fetch.target.iterdir())


def test_a_wrong_password_is_told_without_it(fetch, server, repository):
    done = fetch.git(server, repository.old, password="wr0ng-password")

    refused(
        fetch,
        done,
        f"version '{repository.old}', was not fetched: Error cloning repository: fatal: Authentication failed",
    )
    assert "check its kwargs, the Secret that it is fetched with" in last_line(done)


def test_no_connection_is_told(fetch, repository):
    done = fetch.end(fetch.start(GIT, repository.old, None))

    refused(fetch, done, "git_default")
    assert "the connection in the Secret that it is fetched with" in last_line(done)


def test_a_version_that_is_not_there_is_told(fetch, server):
    done = fetch.git(server, "f" * 40)

    refused(fetch, done, f"Version {'f' * 40} not found in the repository")


def test_a_bundle_that_is_not_listed_is_told(fetch, server, repository):
    done = fetch.git(server, repository.old, name="other")

    refused(fetch, done, "bundle 'other'")
    assert "an administrator lists it in the chart's bundles" in last_line(done)


def test_a_class_that_the_image_has_not_is_told(fetch):
    done = fetch.end(fetch.start({"classpath": "no.such.Bundle"}, "", None))

    refused(fetch, done, "the bundle's image must have Airflow 3 and what its classpath")


def test_a_server_that_hangs_is_given_up_and_nothing_goes_on(fetch, hanging, repository):
    done = fetch.git(hanging, repository.old, deadline="20")

    refused(fetch, done, "it took longer than 20 s; check that this pod can reach where it comes from")
    assert hanging.asked
    until(lambda: not processes_about(hanging.url), 10)


def test_a_fetch_whose_pod_is_taken_away_ends_at_once(fetch, hanging, repository):
    process = fetch.start(GIT, repository.old, {"host": hanging.url, "password": PASSWORD})
    until(lambda: hanging.asked)
    process.send_signal(signal.SIGTERM)
    done = fetch.end(process)

    assert (143, []) == (done.returncode, list(fetch.target.iterdir()))
    until(lambda: not processes_about(hanging.url), 10)


@pytest.mark.parametrize("version", ["{folder}", "/proc/self", "--upload-pack=touch", "../../../credential"])
def test_a_version_that_is_a_path_or_an_option_fetches_nothing(fetch, server, tmp_path, version):
    """Airflow's class takes any folder of such a name for what it has fetched already, and would copy what is in it."""
    (tmp_path / "credential").mkdir()
    (tmp_path / "credential/file").write_text(PASSWORD)
    done = fetch.git(server, version.format(folder=tmp_path / "credential"))

    refused(fetch, done, "the version of a bundle that is fetched begins with a letter, a digit or _")
    assert [] == server.asked


def until(true, seconds=SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def processes_about(url: str) -> list[str]:
    """What runs with this address in its command."""
    found = []
    for process in Path("/proc").iterdir() if sys.platform == "linux" else []:
        try:
            command = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
        except OSError:
            continue
        if url.encode() in command:
            found.append(command.decode())
    return found


# --- what the runner makes of it ---


def test_airflows_runner_runs_a_task_of_the_fetched_version_and_has_no_credential(
    fetch, server, repository, pod, api, read_only
):
    assert 0 == fetch.git(server, repository.old).returncode
    listed = json.dumps([{"name": "sales", "image": "i"} | GIT])
    pod.env["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = fetch.runner_sees(listed, version=repository.old)
    ended = pod.run(
        "load", file="load.py", dag_id="sales", bundle="sales", version=repository.old, before=read_only(fetch.target)
    )

    assert (0, "Succeeded") == (ended.code, ended.record.reason), ended.text()
    seen = api.pushed()
    assert ("old", False, str(fetch.files)) == (seen["what"], seen["writable"], seen["here"])
    assert not [form for form in FORMS if form in seen["environment"]]
    assert [] == leaks(fetch.target)


def test_a_volume_that_git_sync_keeps_works_as_it_did(fetch, repository, pod, api, tmp_path, read_only):
    """A link that git-sync moves on to the next checkout, at ``spec.bundle.path``: nothing is fetched."""
    checkout = tmp_path / "git" / ".worktrees" / repository.new
    subprocess.run(["git", "clone", "--quiet", repository.work, checkout], check=True)
    (tmp_path / "git" / "current").symlink_to(checkout)
    listed = json.dumps([{"name": "sales", "image": "i"} | GIT])
    bundle = {"name": "sales", "version": repository.new, "path": str(tmp_path / "git" / "current")}
    pod.env["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = fetch.runner_sees(listed, bundle=bundle)
    ended = pod.run(
        "load", file="load.py", dag_id="sales", bundle="sales", version=repository.new,
        before=read_only(tmp_path / "git"),
    )  # fmt: skip

    assert (0, "Succeeded") == (ended.code, ended.record.reason), ended.text()
    assert ("new", False) == (api.pushed()["what"], api.pushed()["writable"])
