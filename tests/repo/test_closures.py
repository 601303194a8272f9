"""What each image installs is a short list, and so is what its processes import."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What may be in each image's lock. A name more is a decision: it belongs into an ADR.
CLOSURES = {
    "runner": {
        "attrs", "croniter", "jinja2", "jsonschema", "jsonschema-specifications", "markupsafe", "msgspec", "pendulum",
        "python-dateutil", "referencing", "rpds-py", "typing-extensions", "tzdata",
    },
    "sidecar": {"msgspec", "obstore", "typing-extensions"},
    "operator": {
        "aiohappyeyeballs", "aiohttp", "aiohttp-retry", "aiosignal", "annotated-types", "attrs", "certifi",
        "charset-normalizer", "click", "durationpy", "frozenlist", "googleapis-common-protos", "idna", "iso8601", "jsonpatch",
        "jsonpointer", "kopf", "kubernetes", "msgspec", "multidict", "oauthlib", "opentelemetry-api",
        "opentelemetry-exporter-http-transport", "opentelemetry-exporter-otlp-common",
        "opentelemetry-exporter-otlp-proto-common", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-proto",
        "opentelemetry-sdk", "opentelemetry-semantic-conventions", "prometheus-client", "propcache", "protobuf",
        "pydantic", "pydantic-core", "python-dateutil",
        "python-json-logger", "pyyaml", "requests", "requests-oauthlib", "typing-extensions", "typing-inspection",
        "tzdata", "urllib3", "websocket-client", "yarl",
    },
    "server": {
        "alembic", "anyio", "attrs", "cffi", "click", "croniter", "cryptography", "greenlet", "h11", "httptools", "idna", "jsonschema",
        "jsonschema-specifications", "mako", "markupsafe", "msgspec", "prometheus-client", "psycopg", "psycopg-binary", "pycparser",
        "pyjwt", "python-dateutil", "pyyaml", "referencing", "rpds-py", "sqlalchemy", "typing-extensions", "tzdata", "uvicorn",
        "uvloop", "watchfiles",
    },
}  # fmt: skip


def locked(name):
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if line[:1].isalnum()}


@pytest.mark.parametrize("image", CLOSURES)
def test_an_image_installs_only_what_it_may(image):
    assert locked(image) <= CLOSURES[image]


def test_what_runs_user_code_carries_no_http_jwt_kubernetes_or_database():
    assert not locked("runner") & {"httpx", "h11", "pyjwt", "kubernetes", "kopf", "sqlalchemy", "cryptography"}


@pytest.mark.parametrize("lock", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_a_lock_is_hashed_and_names_no_address(lock):
    text = (ROOT / "requirements" / lock).read_text()
    entries = [line for line in text.splitlines() if line[:1].isalnum()]

    assert "://" not in text
    assert "index-url" not in text
    assert len(entries) <= text.count("--hash=sha256:")


#: Modules that a process must not have imported by the time it works: start-up time, or the wrong side of the line.
FORBIDDEN = {
    "airlock_sidecar.process": [
        "airlock",
        "airlock_runner",
        "airlock_server",
        "http.client",
        "ssl",
        "asyncio",
        "jwt",
        "opentelemetry",
    ],
    "airlock_runner.launcher": [
        "airlock",
        "msgspec",
        "logging",
        "asyncio",
        "http",
        "ssl",
        "subprocess",
        "opentelemetry",
    ],
    "airlock_runner.airflow.child": [
        "airlock",
        "opentelemetry",
        "msgspec",
        "logging",
        "asyncio",
        "http",
        "ssl",
        "subprocess",
        "airflow",
    ],
    "airlock_runner.child": [
        "http",
        "ssl",
        "asyncio",
        "logging",
        "jinja2",
        "airlock_sidecar",
        "airlock_server",
        "opentelemetry",
    ],
    # Traces are off by default, and then cost nothing.
    "airlock_operator.__main__": ["opentelemetry", "google.protobuf", "airlock", "jwt"],
    "airlock_server.__main__": ["airlock", "airlock_runner", "airlock_sidecar", "alembic"],
}


@pytest.mark.parametrize("module", FORBIDDEN)
def test_a_process_starts_without_what_it_must_not_import(module):
    code = f"import sys, {module}; print(*sorted(set({FORBIDDEN[module]!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "" == done.stdout.strip()
