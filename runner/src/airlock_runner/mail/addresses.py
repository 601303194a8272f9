"""Whom a task's mails go to, and about which states. It loads nothing that sends mail."""

from typing import Any, Final

#: The option of a task that asks for a mail, by the state that the task came to.
_OPTIONS: Final = {"failed": "email_on_failure", "up_for_retry": "email_on_retry"}


def is_wanted(task: Any, state: str) -> bool:
    """Tells whether the task's author wants a mail about this state."""
    return state in _OPTIONS and bool(task.email) and bool(getattr(task, _OPTIONS[state]))


def addresses(email: Any) -> list[str]:
    """Returns the addresses of one text, separated by commas or semicolons, or of a list."""
    if email is None:
        return []
    if isinstance(email, str):
        return [each.strip() for each in email.replace(";", ",").split(",") if each.strip()]
    return list(email)
