"""
Leaves out an expensive import while another module is imported that can do without it.

Measured with both installed: msgspec imports `typing_extensions` for names that `typing` has too, in 9 to 25 ms.
`http.client` imports `ssl`, in 15 to 20 ms, also for plain HTTP. Standard library of Python 3.10 only.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(module: str) -> Iterator[None]:
    """
    Makes ``module`` look as if it were not installed inside the block, unless it is imported already. Afterwards
    everybody can import it. Only for a moment at start-up, before other threads import.
    """
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment] # None is the import system's own "not there"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]
