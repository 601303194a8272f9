"""
Tells whose fault it is that a container could not be started: the image's, or the node's container runtime. Pure.

A kubelet reports both in the same way, as StartError or RunContainerError with the runtime's own sentence. A sentence
that nobody knows is taken for the runtime's: its price is another attempt, and not the user's task.
"""

#: The beginning of what a runtime says about the image's own first process.
_EXEC = "exec: "
#: Parts of the sentence where the image lacks what its container is to run, or to run as.
_OF_THE_IMAGE = (
    "executable file not found", "exec format error", "chdir to cwd", "unable to find user", "unable to find group",
    "no matching entries in passwd", "no users found", "no such user", "not a directory", "is a directory",
)  # fmt: skip
#: Parts of the sentence where the runtime, the kubelet or the node failed. Another start can succeed.
_OF_THE_NODE = (
    "context canceled", "context deadline exceeded", "DeadlineExceeded", "timed out", "timeout", "transport is closing",
    "connection refused", "connection reset", "connection error", "error reading from server", "Unavailable",
    "ttrpc: closed", "is reserved for", "reserve container name", "resource temporarily unavailable",
    "cannot allocate memory", "no space left on device", "too many open files", "signal: killed", "unexpected EOF",
    "device or resource busy", "sandbox", "shim disconnected", "shim exited", "broken pipe", "cgroup",
)  # fmt: skip


def of_the_image(message: str) -> bool:
    """Tells whether a container could not be started because of its image, or of what the TaskRun asks of it."""
    if of_the_node(message):
        return False
    return _EXEC in message or any(words in message for words in _OF_THE_IMAGE)


def of_the_node(message: str) -> bool:
    """Tells whether the runtime, the kubelet or the node failed."""
    return any(words in message for words in _OF_THE_NODE)
