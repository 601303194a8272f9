#!/usr/bin/env bash
# The embedded default: one run of the DAG in examples/tour.py, without a cluster, with its logs, results and timeline.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh runtime
# Made anew each time, and left there: its log is worth a look.
export AIRLOCK_HOME=$PWD/.build/demo
rm -rf "$AIRLOCK_HOME"
.venvs/runtime/bin/airlock dags test examples/tour.py
