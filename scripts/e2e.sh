#!/usr/bin/env bash
# The cluster tiers, against the cluster that `make up` brings up. The cluster's own tests come last and by themselves:
# they restart its components, and what ends it (where AIRLOCK_CLUSTER_MAY_END=1 allows that) is the last of them.
set -euo pipefail
cd "$(dirname "$0")/.."
line=$(scripts/up.sh)
eval "$line"
status=0
.venvs/dev/bin/python -m pytest -q --durations=12 tests/api tests/e2e --ignore=tests/e2e/cluster || status=$?
.venvs/dev/bin/python -m pytest -q tests/e2e/cluster || status=$?
exit "$status"
