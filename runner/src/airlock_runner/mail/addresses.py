"""Whom a task's mails go to."""

from typing import Any


def addresses(email: Any) -> list[str]:
    """Returns the addresses of one text, separated by commas or semicolons, or of a list."""
    if email is None:
        return []
    if isinstance(email, str):
        return [each.strip() for each in email.replace(";", ",").split(",") if each.strip()]
    return list(email)
