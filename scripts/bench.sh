#!/usr/bin/env bash
# The benchmarks, side by side with Airflow on this machine; BENCH_PAIRS launches of each (30), BENCH_ROUNDS loads (6).
#   scripts/bench.sh [noop] [roundtrips] [dropin] [heartbeats] [requests] [parsing]
#   scripts/bench.sh [pods] [together] [scale] [waiting] [executor]     on a cluster, where KUBECONFIG is set
#   scripts/bench.sh profile      where the time of our own launch goes
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev
if [ "${1:-}" = profile ]; then
    exec .venvs/dev/bin/python -m bench.profile
fi
# These sections need neither Airflow nor wrk.
on_a_cluster=yes
for section in "${@:-all}"; do
    case $section in pods | together | scale | waiting | executor) ;; *) on_a_cluster=no ;; esac
done
if [ "$on_a_cluster" = yes ]; then
    PYTHONPATH=tools:tests exec .venvs/dev/bin/python -m bench "$@"
fi
[ -n "${AIRLOCK_AIRFLOW_PYTHON:-}" ] || scripts/environment.sh airflow
if ! command -v wrk >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq wrk >/dev/null
    else
        echo "the load generator is missing: apt-get install wrk, or your system's package of that name" >&2
        exit 2
    fi
fi
PYTHONPATH=tools:tests exec .venvs/dev/bin/python -m bench "$@"
