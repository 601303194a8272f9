#!/usr/bin/env bash
# The cluster tiers, against the cluster that `make up` brings up; or parts of them, on one that is up already.
#   scripts/e2e.sh [shared] [alone] [cluster]
# shared: two sessions of tests share the cluster (tests/kube/place.py), those that need a real Airflow, which mostly
# wait for it, and the others, two files at a time. alone: the tests that need the cluster alone, and those that look
# back at all others. cluster: its own tests, last and by themselves, as they restart its components; and what ends it
# (where AIRLOCK_CLUSTER_MAY_END=1 allows that) is the last of them.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# = 0 ]; then
    line=$(scripts/up.sh)
    eval "$line"
    set -- shared alone cluster
fi
status=0
cluster=tests/e2e/cluster
pytest=(.venvs/dev/bin/python -P -m pytest -q --durations=12)
said=$(mktemp)
# A shell's background command does not hear Ctrl-C.
trap 'jobs -p | xargs -r kill; rm -f "$said"' EXIT

shared() {
    "${pytest[@]}" tests/e2e --ignore="$cluster" -m airflow >"$said" 2>&1 &
    local beside=$!
    "${pytest[@]}" -n 2 --dist loadfile tests/api tests/e2e --ignore="$cluster" \
        -m "not airflow and not alone and not last" || status=$?
    wait "$beside" || status=$?
    cat "$said"
}

for part; do
    case "$part" in
        shared) shared ;;
        alone) "${pytest[@]}" tests/e2e --ignore="$cluster" -m "(alone or last) and not airflow" || status=$? ;;
        cluster) "${pytest[@]}" "$cluster" || status=$? ;;
        *)
            echo "no part is named $part; they are shared, alone and cluster" >&2
            exit 2
            ;;
    esac
done
exit "$status"
