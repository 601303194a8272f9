"""
Airflow's own runner, unchanged, as the launcher's child. Standard library of Python 3.10 only, but for Airflow itself.

It does what Airflow's supervisor does between its fork and its runner's ``main``: log records go as JSON lines to the
log pipe, the frames socket is descriptor 0, and the metadata database is out of reach. Airflow is imported here, while
the sidecar starts, and ``main`` is called from its module. With ``python -m`` that module would exist twice, and a
task's requests would go to the copy that has no connection.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any, NoReturn

from airlock_runner import stdio
from airlock_runner.airflow import environment
from airlock_runner.link import receive_frames
from airlock_wire.pod import BEGINS_BYTE, CHILD_EXIT_BROKEN, EXIT_OK

#: The Airflow whose runner this is written for, as the first two numbers of its version.
SUPPORTED = ("3", "3")
#: The oldest Python that this Airflow runs on.
PYTHON = (3, 10)

_FRAMES_FD = 0


class Unusable(Exception):
    """This image has no Airflow that can run here; the text says what the image has instead, and what to do."""


def run(log: int, handoff: int, bundle_root: str) -> NoReturn:
    """
    Serves one launch and ends the process, with Airflow's own exit code; with 1 when Airflow cannot be used.

    ``log`` is the writing end of a pipe for log lines, ``handoff`` a socket on which the launcher passes the frames
    socket. An empty ``bundle_root`` leaves it to Airflow's configuration where the DAG files are.
    """
    code = CHILD_EXIT_BROKEN
    try:
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        stdio.print_by_line()
        _forget_the_launcher()
        os.environ |= environment.bundle_settings(os.environ, bundle_root)
        main = load(log)
        os.dup2(receive_frames(handoff), _FRAMES_FD)
        _tell_the_beginning(handoff)
        code = _exit_code_of(main)
    except Unusable as e:
        print(f"airlock: {e}", file=sys.stderr)  # noqa: T201 - the task's log gets it
    except BaseException:  # noqa: BLE001 - the process's edge: whatever it was, the task's log gets it
        import traceback  # only for a runner that broke

        traceback.print_exc()
    finally:
        stdio.flush()
        os._exit(code)


def load(log: int) -> Callable[[], Any]:
    """
    Imports Airflow's runner, with logs as JSON lines on ``log`` and its database out of reach; returns its ``main``.

    Raises Unusable where there is no Airflow 3.3, or a Python that is too old for it.
    """
    _check_versions()
    # This comes first, though importing Airflow's package has already imported most of the rest.
    configure = import_module("airflow.sdk.log").configure_logging
    configure(json_output=True, output=os.fdopen(log, "wb", buffering=0), sending_to_supervisor=True)
    runner = import_module("airflow.sdk.execution_time.task_runner")
    import_module("airflow.sdk.execution_time.supervisor").block_orm_access()
    main: Callable[[], Any] = runner.main
    return main


def _tell_the_beginning(handoff: int) -> None:
    """
    Makes Airflow's runner tell the launcher when the task begins, as it tells its listeners: right before ``execute``.

    The listener is added where the runner first asks for its listeners, since that is when Airflow loads its plugins.
    """
    runner: Any = import_module("airflow.sdk.execution_time.task_runner")
    implements = import_module("airflow.listeners").hookimpl
    listeners = runner.get_listener_manager

    class Beginning:
        # First, because a listener that raises keeps those after it from being called.
        @implements(tryfirst=True)  # type: ignore[untyped-decorator] # Airflow is not installed here
        def on_task_instance_running(self) -> None:
            with contextlib.suppress(OSError):
                os.write(handoff, BEGINS_BYTE)

    beginning = Beginning()

    def with_ours() -> Any:
        manager = listeners()
        manager.add_listener(beginning)
        return manager

    runner.get_listener_manager = with_ours


def _check_versions() -> None:
    needed = ".".join(SUPPORTED)
    fix = f"use an image whose `python` has apache-airflow {needed} (this one is {sys.executable})"
    if sys.version_info < PYTHON:
        old, new = (".".join(str(number) for number in version[:2]) for version in (sys.version_info, PYTHON))
        raise Unusable(f"the image has Python {old}, and Airflow {needed} needs {new} or newer: {fix}")
    installed = _installed()
    if not installed:
        raise Unusable(f"the image has no Airflow for this task to run in: {fix}")
    if tuple(installed.split(".")[:2]) != SUPPORTED:
        raise Unusable(f"the image has Airflow {installed}, and this Airlock runs tasks in Airflow {needed}: {fix}")


def _installed() -> str:
    """
    Returns the installed Airflow's version, empty if there is no Airflow. It reads metadata and imports nothing, since
    a wrong Airflow would start to initialise.
    """
    for name in ("apache-airflow-core", "apache-airflow"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _forget_the_launcher() -> None:
    """Gives user code its own modules, arguments and standard input, instead of the launcher's."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    # Only if this code came into the image as a folder of its own: installed modules lie beside the user's.
    if os.path.exists(os.path.join(folder, "__main__.py")):
        sys.path[:] = [path for path in sys.path if os.path.realpath(path) != folder]
        for name in [name for name in sys.modules if name.partition(".")[0] in ("airlock_runner", "airlock_wire")]:
            del sys.modules[name]
    del sys.argv[1:]
    # Descriptor 0 becomes the frames socket; code that reads standard input must not read from that.
    sys.stdin = sys.__stdin__ = open(os.devnull, encoding="utf-8")  # type: ignore[misc] # noqa: SIM115


def _exit_code_of(main: Callable[[], Any]) -> int:
    try:
        main()
        code = EXIT_OK
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else CHILD_EXIT_BROKEN
    # Airflow's own supervised process does the same: it ends without Python's shutdown, and libraries rely on these.
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way
    return code
