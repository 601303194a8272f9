"""
The sidecar's process: hide, take the token, listen, live.

What costs start-up time (HTTP) is loaded in a thread of its own once the socket listens.
"""

import os
import signal
import sys
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airlock_sidecar import settings
from airlock_sidecar.lifecycle.launch_loop import Lifecycle
from airlock_sidecar.logs.store import LogStore
from airlock_sidecar.peer.listener import Listener
from airlock_sidecar.state.journal import Journal
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream import token
from airlock_sidecar.upstream.calls import Calls
from airlock_sidecar.upstream.token_exchange import TokenExchange
from airlock_sidecar.upstream.token_file import TokenFile
from airlock_wire import sidecar_settings as names
from airlock_wire.process import kernel
from airlock_wire.process.imports import without
from airlock_wire.process.settings import SettingsError
from airlock_wire.workload import Parse, Timetable, Workload, of_task_instance

if TYPE_CHECKING:
    from airlock_sidecar.logs.shipping.objects import Objects

_USAGE = """\
usage: python -m airlock_sidecar

Holds the token of one launch and speaks the Execution API for its runner. It takes no arguments: everything is
set by AIRLOCK__SECTION__KEY in the environment (sections api, sidecar, logging, logs), as the operator or the local
executor sets it. Every setting is described in airlock_sidecar/settings.py.
"""


def main() -> int:
    """Runs one sidecar; returns 0 after an orderly end, 2 for wrong settings."""
    if len(sys.argv) > 1:
        print(_USAGE)  # noqa: T201 - this is what was asked for
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    kernel.hide()
    # SIGTERM is blocked before any thread is made; only the thread that waits for it takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        config = settings.from_environment(os.environ)
        text = config.sidecar.workload.encode() or Path(config.sidecar.workload_file).read_bytes()
        work = msgspec.json.decode(text, type=Workload)
        _bring_launcher(config.sidecar)
        store = _log_store(config, work)
    except (SettingsError, OSError, msgspec.MsgspecError) as e:
        print(f"airlock-sidecar: {e}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    if config.sidecar.die_with_parent:
        kernel.end_with(os.getppid())
    launch = _resume(config.sidecar, work, store)
    _ship(config, launch, store, work)
    _live(config, launch, store)
    # Threads that wait for a server or a pipe must not delay the end: everything that matters is written.
    os._exit(0)


def _bring_launcher(sidecar_settings: settings.Sidecar) -> None:
    """Copies the launcher to where the runner's container waits for it, if that is set; raises SettingsError."""
    if not sidecar_settings.launcher_parent:
        return
    from airlock_sidecar import launcher_copy  # most sidecars need not load it

    source, parent = Path(sidecar_settings.launcher_source), Path(sidecar_settings.launcher_parent)
    try:
        launcher_copy.copy(source, parent)
    except OSError as e:
        advice = f"{source} must be the launcher's folder, and {parent} a folder that may be written to"
        raise SettingsError(f"{names.LAUNCHER_PARENT}: nothing was copied: {e}; {advice}") from e


def _resume(sidecar_settings: settings.Sidecar, work: Workload, store: LogStore) -> Launch:
    """Opens the launch's journal, and notes this start of the sidecar and the token from the pipe in it."""
    journal = (
        Journal(sidecar_settings.state_fd)
        if sidecar_settings.state_fd >= 0
        else Journal.open(f"{sidecar_settings.state_dir}/state")
    )
    piped = token.read_pipe(sidecar_settings.token_fd) if sidecar_settings.token_fd >= 0 else ""
    launch = Launch(work, journal, store)
    with launch.remembering() as memory:
        memory.starts += 1
        memory.pid = memory.pid or os.getpid()
        memory.token = memory.token or piped
    return launch


def _live(config: settings.SidecarSettings, launch: Launch, store: LogStore) -> None:
    """Starts the threads, listens, and runs the launch until the record is written and SIGTERM came."""
    calls = Calls(config.api.timeout_seconds, launch.clock)
    connect = partial(_prepare, config, launch, calls)
    if of_task_instance(launch.workload):
        life = Lifecycle(config, launch, calls, connect)
    else:
        # Hardly any file looks something up while it is imported, and HTTP takes longer to load than a file to parse.
        calls.provide_later(connect)
        life = Lifecycle(config, launch, calls, lambda: None)
    threading.excepthook = _end_broken
    threading.Thread(target=_wait_for_sigterm, args=(life,), name="sigterm", daemon=True).start()
    listener = Listener(config.sidecar.socket_dir, config.sidecar.runner_uid, launch.refused)
    launch.mark("listening")
    if store.shipper is not None:
        store.shipper.start()
    life.run(listener)


def _log_store(config: settings.SidecarSettings, work: Workload) -> LogStore:
    """
    Opens the try's log: below the shared folder if one is set, else below the local one. The output of a DAG file that
    is parsed, and of a timetable, stays local.
    """
    shared = (
        config.logs.store if not isinstance(work, Parse | Timetable) and settings.place_of(config.logs) is None else ""
    )
    try:
        if shared:
            return LogStore(shared, work.log_path)
        # With an object store the shipper frees the file's parts, once the store has them.
        keep = 0 if config.logs.store else config.sidecar.log_keep_mib * 1024 * 1024
        return LogStore(config.sidecar.log_dir, work.log_path, keep)
    except OSError as e:
        raise SettingsError(f"{names.LOGS_STORE if shared else names.LOG_DIR}: {e}") from e


def _ship(config: settings.SidecarSettings, launch: Launch, store: LogStore, work: Workload) -> None:
    """Gives the log a shipper, if an object store is set; else no module of it is loaded."""
    place = settings.place_of(config.logs)
    if place is None or isinstance(work, Parse | Timetable):
        return
    from airlock_sidecar.logs.shipping.shipper import Shipper

    def connect() -> "Objects":
        from airlock_sidecar.logs.shipping.objects import Objects

        return Objects(place, config.logs)

    store.shipper = Shipper(store.file, work.log_path, config.logs, connect, launch.log)


def _wait_for_sigterm(life: Lifecycle) -> None:
    """
    Waits for the signal in a thread and passes it on, because a signal handler could miss it.

    Python runs handlers in the main thread between two instructions. A signal can arrive after the main thread has
    checked for signals and before it waits for the queue's lock. Then it is handled only after the next event. That
    happened in one of fifty thousand waits, and in a pod it costs the whole grace period.
    """
    signal.sigwait({signal.SIGTERM})
    life.terminate()


def _end_broken(failure: threading.ExceptHookArgs) -> None:
    """Ends the process after a thread died: the other threads would wait for it, and a restart continues the launch."""
    import traceback  # costs 7 ms, and only a thread that died needs it

    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


def _prepare(config: settings.SidecarSettings, launch: Launch, calls: Calls) -> None:
    """
    Loads HTTP, and gets the task's token by an exchange or from a file, if one of them is set.
    """
    address = config.api
    if not address.url:
        return
    # A server on the loopback does not use TLS, and TLS is most of what HTTP costs to import.
    with without("ssl") if address.url.startswith("http://") else nullcontext():
        from airlock_sidecar.upstream.api import connect

    task_token = token.Token(launch.memory.token, launch.keep_token)
    api, exchanges = connect(address, task_token, lambda: launch.memory.api_version)
    say = partial(launch.log, level="warning")
    sidecar_settings = config.sidecar
    if sidecar_settings.token_file:
        token_source = TokenFile(
            sidecar_settings.token_file, launch, task_token, say, wait_seconds=sidecar_settings.token_wait_seconds
        )
        token_source.begin()
        calls.provide(api, token_source)
        return
    if exchanges is None:
        calls.provide(api)
        return
    exchange = TokenExchange(exchanges, sidecar_settings.pod_token_file, launch, task_token, say)
    exchange.begin(calls.given_up)
    launch.mark("exchanged")
    calls.provide(api, exchange)
