"""What a process of ours has imported by the time that it has these modules, imported as its command imports them."""

import subprocess
import sys


def imported_by(*modules: str) -> set[str]:
    """The names of every module then, those of the interpreter's own start included."""
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from airlock_wire.process.imports import without\n"
        f"with without('typing_extensions'):\n    import {', '.join(modules)}\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
