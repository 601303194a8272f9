"""What a sidecar does not import before it listens: each of these costs milliseconds of every task's start."""

import subprocess
import sys

UNWANTED = {
    "asyncio", "difflib", "email", "http", "inspect", "logging", "obstore", "ssl", "subprocess", "tokenize", "tomllib",
    "traceback", "typing_extensions",
}  # fmt: skip


def test_a_sidecar_listens_before_it_has_imported_any_of_these():
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from airlock_wire.imports import without\n"
        "with without('typing_extensions'):\n    import airlock_sidecar.process\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)

    assert set() == set(done.stdout.split()) & UNWANTED
