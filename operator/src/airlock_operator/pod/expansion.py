"""
Escapes dollar signs in a container's arguments and environment. A kubelet replaces ``$(NAME)`` by a variable's value,
and ``$$`` by one dollar sign, wherever they stand. Pure.
"""


def unexpanded(text: str) -> str:
    """
    Returns the text that a kubelet turns into ``text``, whatever is in it. Each dollar sign is doubled, also both of
    ``$$(A)``.
    """
    return text.replace("$", "$$")
