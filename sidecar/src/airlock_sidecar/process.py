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
from airlock_wire.process import kernel
from airlock_wire.process.imports import without
from airlock_wire.process.settings import PREFIX, SettingsError
from airlock_wire.workload import Execute, Workload

if TYPE_CHECKING:
    from airlock_sidecar.logs.shipping.objects import Objects

_USAGE = """\
usage: python -m airlock_sidecar

Holds the token of one launch and speaks the Execution API for its runner. It takes no arguments: everything is
set by AIRLOCK__SECTION__KEY in the environment (sections api, sidecar, logging, logs), as the operator or the local
executor sets it. Every setting is described in airlock_sidecar/settings.py.
"""


def main() -> int:
    """Runs one sidecar; 0 after an orderly end, 2 when it was set up wrongly."""
    if len(sys.argv) > 1:
        print(_USAGE)  # noqa: T201 - this is what was asked for
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    kernel.hide()
    # Held back in every thread but the one that waits for it, and that before any thread is made.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        config = settings.from_environment(os.environ)
        text = config.sidecar.workload.encode() or Path(config.sidecar.workload_file).read_bytes()
        work = msgspec.json.decode(text, type=Workload)
        store = _log_store(config, work)
    except (SettingsError, OSError, msgspec.MsgspecError) as e:
        print(f"airlock-sidecar: {e}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    mine = config.sidecar
    if mine.die_with_parent:
        kernel.end_with(os.getppid())
    journal = Journal(mine.state_fd) if mine.state_fd >= 0 else Journal.open(f"{mine.state_dir}/state")
    piped = token.read_pipe(mine.token_fd) if mine.token_fd >= 0 else ""
    launch = Launch(work, journal, store)
    _ship(config, launch, store, work)
    with launch.remembering() as memory:
        memory.starts += 1
        memory.pid = memory.pid or os.getpid()
        memory.token = memory.token or piped
    calls = Calls(config.api.timeout_seconds)
    life = Lifecycle(config, launch, calls, lambda: _prepare(config, launch, calls))
    threading.excepthook = _end_broken
    threading.Thread(target=_wait_for_sigterm, args=(life,), name="sigterm", daemon=True).start()
    listener = Listener(mine.socket_dir, mine.runner_uid, launch.refused)
    launch.mark("listening")
    if store.shipper is not None:
        store.shipper.start()
    life.run(listener)
    # Threads that wait for a server or a pipe must not hold the process back: all that matters is written.
    os._exit(0)


def _log_store(config: settings.SidecarSettings, work: Workload) -> LogStore:
    """
    Returns the try's log: below the folder that readers share, where one is set, else below the local one. What a file
    of DAGs prints while it is read stays local.
    """
    shared = config.logs.store if isinstance(work, Execute) and settings.place_of(config.logs) is None else ""
    try:
        if shared:
            return LogStore(shared, work.log_path)
        # What an object store is still to get is freed by its shipper, once it is there.
        keep = 0 if config.logs.store else config.sidecar.log_keep_mib * 1024 * 1024
        return LogStore(config.sidecar.log_dir, work.log_path, keep)
    except OSError as e:
        raise SettingsError(f"{PREFIX}{'LOGS__STORE' if shared else 'SIDECAR__LOG_DIR'}: {e}") from e


def _ship(config: settings.SidecarSettings, launch: Launch, store: LogStore, work: Workload) -> None:
    """Gives the log its shipper, where an object store is set. Nothing of it is loaded where none is."""
    place = settings.place_of(config.logs)
    if place is None or not isinstance(work, Execute):
        return
    from airlock_sidecar.logs.shipping.shipper import Shipper

    def connect() -> "Objects":
        from airlock_sidecar.logs.shipping.objects import Objects

        return Objects(place, config.logs)

    store.shipper = Shipper(store.file, work.log_path, config.logs, connect, launch.log)


def _wait_for_sigterm(life: Lifecycle) -> None:
    """
    Passes the signal on, from a thread, because a handler can come too late by a whole wait.

    Python runs handlers in the main thread between two instructions. A signal that arrives when that thread has
    looked for one and is on its way into the queue's lock does not wake it: seen in one of fifty thousand waits, and
    in a pod it costs the whole grace period.
    """
    signal.sigwait({signal.SIGTERM})
    life.terminate()


def _end_broken(failure: threading.ExceptHookArgs) -> None:
    """A thread that died would leave the others waiting for it; a kubelet's restart takes up where it was."""
    import traceback  # costs 7 ms, for a thread that never dies

    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


def _prepare(config: settings.SidecarSettings, launch: Launch, calls: Calls) -> None:
    """
    Loads HTTP, and gets the task's token where the pod's is exchanged for it, or a file has it. A launch that parses
    needs neither.
    """
    address = config.api
    if not address.url:
        return
    # A server on the loopback needs no TLS, and its library is most of what HTTP costs to import.
    with without("ssl") if address.url.startswith("http://") else nullcontext():
        from airlock_sidecar.upstream.api import connect

    held = token.Token(launch.memory.token, launch.keep_token)
    api, exchanges = connect(address, held, lambda: launch.memory.api_version)
    say = partial(launch.log, level="warning")
    mine = config.sidecar
    if mine.token_file:
        kept = TokenFile(mine.token_file, launch, held, say, wait_seconds=mine.token_wait_seconds)
        kept.begin()
        calls.provide(api, kept)
        return
    if exchanges is None:
        calls.provide(api)
        return
    exchange = TokenExchange(exchanges, mine.pod_token_file, launch, held, say)
    exchange.begin(calls.given_up)
    launch.mark("exchanged")
    calls.provide(api, exchange)
