"""What a sidecar does not import before it listens: each of these costs milliseconds of every task's start."""

from doubles.imports import imported_by

UNWANTED = {
    "asyncio", "difflib", "email", "http", "inspect", "logging", "obstore", "ssl", "subprocess", "tokenize", "tomllib",
    "traceback", "typing_extensions",
}  # fmt: skip


def test_a_sidecar_listens_before_it_has_imported_any_of_these():
    assert set() == imported_by("airlock_sidecar.process") & UNWANTED
