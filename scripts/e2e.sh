#!/usr/bin/env bash
# The cluster tiers, against the cluster that `make up` brings up. Two sessions of tests share it (tests/kube/place.py):
# those that need a real Airflow, which mostly wait for it, and others. Then come the tests that need the cluster alone, and
# those that look back at all others. The cluster's own tests come last and by themselves: they restart its components,
# and what ends it (where AIRLOCK_CLUSTER_MAY_END=1 allows that) is the last of them.
set -euo pipefail
cd "$(dirname "$0")/.."
line=$(scripts/up.sh)
eval "$line"
status=0
cluster=tests/e2e/cluster
pytest=(.venvs/dev/bin/python -m pytest -q --durations=12)

said=$(mktemp)
"${pytest[@]}" tests/e2e --ignore="$cluster" -m airflow >"$said" 2>&1 &
beside=$!
# A shell's background command does not hear Ctrl-C.
trap 'jobs -p | xargs -r kill; rm -f "$said"' EXIT
"${pytest[@]}" tests/api tests/e2e --ignore="$cluster" -m "not airflow and not alone and not last" || status=$?
wait "$beside" || status=$?
cat "$said"
"${pytest[@]}" tests/e2e --ignore="$cluster" -m "(alone or last) and not airflow" || status=$?
"${pytest[@]}" "$cluster" || status=$?
exit "$status"
