#!/usr/bin/env bash
# The embedded default: an API server on SQLite in a scratch folder, one task of examples/hello.py, its log and result.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh runtime
AIRLOCK_HOME=$(mktemp -d)
export AIRLOCK_HOME
trap 'rm -rf "$AIRLOCK_HOME"' EXIT
# The environment of the checks has everything that this needs; a machine that has only that one uses it.
.venvs/runtime/bin/airlock tasks run examples/hello.py greet
