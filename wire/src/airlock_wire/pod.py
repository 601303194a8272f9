"""
What the containers of one pod agree on: names, exit codes, and the lines of the control channel.

The launcher imports this in any image, beside any packages, so it uses only the standard library of Python 3.10.

How a launch talks, on two Unix stream connections that the launcher opens before any user code exists:

* ``control``: JSON lines both ways. The hello carries the reading ends of three pipes (log records, stdout,
  stderr) as descriptors; the launcher keeps copies of them, so that a sidecar that dies and comes back loses
  no output and user code that prints meanwhile gets no broken pipe.
* ``frames``: the runner's requests and their answers (``protocol.frames``). The launcher passes it to the child.

The hello also says how the runner speaks: ``api_version`` is the version whose answers it reads. ``json_values`` says
that it takes and sends XComs as JSON text. The sidecar then passes them on as they are, and says so in its first frame.
``clears_xcoms`` says that it removes the XComs of an earlier try itself: a class of the author's keeps their values
elsewhere, and purges them. Airlock's server then leaves the XComs to it, as Airflow's server does always.

After both hellos the sidecar stops listening. A launcher that reconnects to a restarted sidecar proves itself
with the nonce it was given after the fork, which the child never saw.
"""

from typing import Any, Final

#: The socket's name in the folder that sidecar and runner share.
SOCKET_NAME: Final = "sidecar.sock"

#: The file in the sidecar's state folder that says that the task was handed to the runner.
BEGUN_FILE: Final = "begun"

#: The order of the descriptors that come with the control hello.
STREAMS: Final = ("log", "stdout", "stderr")

#: The user that user code runs as: its own, in a pod always, on a laptop where that can be. Each user's group has its
#: number.
RUNNER_UID: Final = 50000
#: The user that the sidecar runs as in a pod.
SIDECAR_UID: Final = 50001
#: The user that the operator and the server run as.
PLATFORM_UID: Final = 50002
#: The user that fetches a bundle: it holds a credential that user code must not have.
BUNDLE_UID: Final = 50003

#: The audience of the pod's projected token that the server exchanges for the task's token.
TOKEN_AUDIENCE: Final = "airlock"  # noqa: S105 - a name, not a token
#: The audience of the token with which the operator asks the server about an attempt. No other pod may have a token of
#: an audience that begins with ``airlock``, and the operator needs none.
OPERATOR_AUDIENCE: Final = "operator.airlock.dev"

#: Where a foreign image's container has the launcher's volume. No other mount lies below it: a folder to mount on could
#: not be made in a volume that is read-only.
LAUNCHER_PARENT: Final = "/airlock/opt"
#: The launcher itself, the folder that ``python`` runs there.
LAUNCHER_DIR: Final = "/airlock/opt/launcher"

#: What the version of a bundle that is fetched may be: a pattern for all of it. It becomes a folder's name and a
#: command's argument in bundle classes, beside the credential. One of them takes ``/any/folder`` for what it has
#: fetched already, and git would take ``--option`` for its own.
BUNDLE_VERSION: Final = r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.:+@=-]*"
#: The same rule in words, for error messages.
BUNDLE_VERSION_RULE: Final = (
    "the version of a bundle that is fetched begins with a letter, a digit or _ and has only these and . : + @ = -, "
    "with no two dots in a row"
)

#: A variable of the runner's container: if it is set, a task ends once its fields are rendered.
RENDER_ONLY: Final = "AIRLOCK__RUNNER__RENDER_ONLY"
#: Further ones: the folder of an object store that large XComs are kept in, from how many bytes
#: on, and how they are compressed.
XCOM_STORE: Final = "AIRLOCK__XCOMS__STORE"
XCOM_STORE_THRESHOLD: Final = "AIRLOCK__XCOMS__STORE_THRESHOLD_BYTES"
XCOM_STORE_COMPRESSION: Final = "AIRLOCK__XCOMS__STORE_COMPRESSION"

# The launcher's words.
HELLO_CONTROL: Final = "control"
HELLO_FRAMES: Final = "frames"
FORKED: Final = "forked"
KEPT: Final = "kept"
SIGNALLED: Final = "signalled"
#: User code begins. Only Airflow's runner has its launcher say it; ours tells it by its ``SetRenderedFields``.
BEGINS: Final = "begins"
#: What such a runner writes on the socket on which its launcher had passed it the frames connection.
BEGINS_BYTE: Final = b"B"
EXITED: Final = "exited"

# The sidecar's words.
WELCOME: Final = "welcome"
NONCE: Final = "nonce"
#: Confirms the event in ``of``. For ``exited`` it says whether the record is ``interrupted``: the launcher was told to
#: stop before the task had reported its end.
ACK: Final = "ack"
STOP: Final = "stop"

#: A control line is short; a longer one is not from a launcher.
MAX_CONTROL_LINE_BYTES: Final = 4096

#: How long the launcher tries to reach a sidecar that has not listened yet.
CONNECT_SECONDS: Final = 60.0
#: How long the launcher tries to reach a sidecar that died; then it ends the runner, as nothing could be reported.
RECONNECT_SECONDS: Final = 120.0
#: Between SIGTERM and SIGKILL when the sidecar stops the runner.
STOP_SECONDS: Final = 5.0
#: How long a launcher that was told to stop waits for the sidecar's acknowledgement, before it signals user code.
SIGNAL_ACK_SECONDS: Final = 1.0
#: How long an ended child's launcher waits for its exit report to be acknowledged. The sidecar acknowledges once
#: the server has the task's state. So this is how long a server may be away at the end of a task.
EXIT_ACK_SECONDS: Final = 3600.0
#: The child is killed this long before the pod's grace period ends.
KILL_BEFORE_GRACE_ENDS_SECONDS: Final = 10.0
#: The pod's grace period by default.
GRACE_SECONDS: Final = 60.0

# The launcher's own exit codes: 80 to 89, and two that readers of pods already know. A child's code travels only in
# the exit report.
EXIT_OK: Final = 0
EXIT_USAGE: Final = 80
EXIT_NEVER_CONNECTED: Final = 81
EXIT_SIDECAR_LOST: Final = 83
#: The launcher was told to stop, and the task ended because of that: the code of a process that SIGTERM ended. A pod
#: then shows Failed, also where no operator saw it end.
EXIT_STOPPED: Final = 143
#: The kernel killed the child for memory: the code that Kubernetes' readers of pods already know.
EXIT_OOM: Final = 137

#: What the child's exit code is when the runner itself, not user code, could not go on.
CHILD_EXIT_BROKEN: Final = 1
#: The same where user code closed the runner's own descriptors, so that nothing could be reported.
CHILD_EXIT_CLOSED: Final = 79


def line(event: str, **fields: Any) -> bytes:
    """Encodes a control line."""
    import json  # costs 3 ms, which the launcher pays beside its child and not before it

    return json.dumps({"event": event, **fields}, separators=(",", ":")).encode() + b"\n"


def parse_line(raw: bytes) -> dict[str, Any]:
    """Returns the map in a control line, whose ``event`` is text; raises ValueError for any other line."""
    import json

    value = json.loads(raw)
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        raise ValueError("a control line is a JSON object with an event")
    return value
