"""
Brings the launcher into an image that has nothing of ours (docs/adr/0013). Pure.

The sidecar's image has it. The sidecar copies it into a volume, and the container that runs it waits for the copy:
an init container for that would cost each pod a third container.
"""

from typing import Any

from airlock_wire import pod as shared

Json = dict[str, Any]

VOLUME = "airlock-launcher"

# A copy appears by one rename, so it is whole or it is not there. The working folder of a foreign image is left out of
# the path, and its site packages too: they may hold a module of any name, and take long. As the container's first
# process it must take SIGTERM itself.
_WAIT = f"""\
import sys
sys.path[:] = [each for each in sys.path if each]
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os._exit({shared.EXIT_STOPPED}))
end = time.monotonic() + {shared.CONNECT_SECONDS:g}
while not os.path.exists(sys.argv[1]):
    if time.monotonic() > end:
        sys.stderr.write("airlock-launcher: the sidecar did not bring it in {shared.CONNECT_SECONDS:g} s; "
                         "see the log of the container sidecar, and if its image is of the operator's version\\n")
        sys.exit({shared.EXIT_NEVER_CONNECTED})
    time.sleep(0.02)
os.execvp("python", ["python", *sys.argv[1:]])
"""


def command() -> list[str]:
    """Returns the command that runs the launcher with a container's arguments, once it is there."""
    return ["python", "-S", "-c", _WAIT, shared.LAUNCHER_DIR]


def mount(*, read_only: bool = True) -> Json:
    """Returns the mount of the launcher's volume: read-only but for the sidecar."""
    return {"name": VOLUME, "mountPath": shared.LAUNCHER_PARENT} | ({"readOnly": True} if read_only else {})


def volume() -> Json:
    """Returns the launcher's volume."""
    return {"name": VOLUME, "emptyDir": {"sizeLimit": "16Mi"}}
