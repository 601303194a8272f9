#!/usr/bin/env bash
# The embedded default: an API server on SQLite in a scratch folder, one task of examples/hello.py, its log and result.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh runtime
# Made anew each time, and left there: its log is worth a look.
export AIRLOCK_HOME=$PWD/.build/demo
rm -rf "$AIRLOCK_HOME"
.venvs/runtime/bin/airlock tasks run examples/hello.py greet
