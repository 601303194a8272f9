"""
Calls the author's callbacks for what became of the task, and sends the mail that tells of it. An error in one is
logged, and changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from airlock.sdk.definitions.context import Context
from airlock_runner.logs import Logs
from airlock_runner.mail.addresses import is_wanted

#: The callbacks of each state that is reported. A pause has none.
OF_STATE: Final = {
    "success": "on_success_callback",
    "failed": "on_failure_callback",
    "up_for_retry": "on_retry_callback",
    "skipped": "on_skipped_callback",
}


def call(task: Any, name: str, context: Mapping[str, Any], logs: Logs) -> None:
    """Calls all callbacks of this name, in the author's order."""
    for callback in getattr(task, name, None) or ():
        try:
            callback(context)
        except Exception as e:  # noqa: BLE001 - the author's code: the task's outcome stands whatever it raises
            logs.write("error", f"{name} of task {task.task_id} failed: {type(e).__name__}: {e}", error=e)


def mail(task: Any, state: str, context: Context, error: BaseException, logs: Logs) -> None:
    """Sends the mail that the author wants about this state, if one is wanted."""
    if not is_wanted(task, state):
        return
    from airlock_runner.mail import alert  # deferred: it loads what sends mail

    try:
        alert.send(task, state, context, error, logs)
    except Exception as e:  # noqa: BLE001 - the author's templates and backend, and the mail server
        logs.write("error", f"the mail about task {task.task_id} was not sent: {type(e).__name__}: {e}", error=e)
