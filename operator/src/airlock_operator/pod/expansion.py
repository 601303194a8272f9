"""
What a kubelet makes of a dollar sign in a container's arguments and environment: ``$(NAME)`` is a variable's value, and
``$$`` is one dollar sign, wherever it stands. Pure.
"""


def unexpanded(text: str) -> str:
    """What a kubelet turns into ``text``, whatever is in it. Each dollar sign is doubled: ``$$(A)`` has two to keep."""
    return text.replace("$", "$$")
