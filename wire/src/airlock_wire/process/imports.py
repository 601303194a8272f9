"""
Imports that cost a start-up budget, left out while something else is imported that only prefers to have them.

Measured where both are installed: msgspec imports `typing_extensions` for names that `typing` has too, at 9 to 25 ms,
and `http.client` imports `ssl`, at 15 to 20 ms, also for plain HTTP. Standard library of Python 3.10 only.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(module: str) -> Iterator[None]:
    """
    Inside the block ``module`` is as if it were not installed, unless somebody has it already; afterwards it is
    there again for everybody. Only for a moment at start-up, before there are other threads that import.
    """
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment] # None is the import system's own "not there"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]
