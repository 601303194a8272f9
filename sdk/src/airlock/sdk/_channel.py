"""
The seam between the SDK and whatever carries its requests.

The runner installs a channel before it imports user code. An ordinary Python process has no channel, so every call
raises OutsideTask. Tests install their own.
"""

from typing import Protocol

from airlock.sdk.exceptions import OutsideTask
from airlock_wire.protocol.messages import Message


class Channel(Protocol):
    """Something that answers requests, one at a time."""

    def ask(self, message: Message) -> Message | None:
        """
        Returns the answer to a message; None if the answer is empty. Raises AirlockRuntimeError if it was refused.
        """


class _Installed:
    channel: Channel | None = None


def install(channel: Channel | None) -> None:
    """Makes ``channel`` what the SDK asks; None takes it away."""
    _Installed.channel = channel


def ask(message: Message, call: str) -> Message | None:
    """Returns the installed channel's answer. ``call`` is the user's call, for the message of OutsideTask."""
    if _Installed.channel is None:
        raise OutsideTask(
            f"{call} works only while a task or DAG file runs under Airlock, and this is plain Python, or a process "
            "that the task started; call it in the task's own process and pass the value on"
        )
    return _Installed.channel.ask(message)
