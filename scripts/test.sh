#!/usr/bin/env bash
# Every test tier, in the order in which a failure is cheapest to learn of. With CI=true a tier that cannot run fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
absent=()
run() {
    echo
    echo "== $1"
    shift
    "$@" || failed+=("$*")
}
# A tier that this machine cannot run is a failure where everything has to run, and is named otherwise.
cannot() {
    if [ "${CI:-}" = true ]; then
        failed+=("$1")
    else
        absent+=("$1")
    fi
}
scripts/environment.sh dev || exit 1
pytest=(.venvs/dev/bin/python -m pytest -q)
# The checks need one processor, and so do these two tiers.
said=$(mktemp)
scripts/lint.sh >"$said" 2>&1 &
linting=$!
lint() {
    local status=0
    wait "$linting" || status=$?
    cat "$said"
    return "$status"
}
started=""
finish() {
    # A shell's background command does not hear Ctrl-C.
    jobs -p | xargs -r kill
    rm -f "$said"
    [ -z "$started" ] || scripts/cluster.sh down
}
trap finish EXIT
run "unit" "${pytest[@]}" tests/unit
run "repo" "${pytest[@]}" tests/repo
run "lint, types, import contracts" lint
# Four at a time: most of this tier waits for outages and deadlines to pass.
run "component" "${pytest[@]}" -n 4 --dist worksteal tests/component
[ "$(id -u)" = 0 ] || cannot "component, isolation: only root can give user code a user of its own"
if scripts/environment.sh airflow; then
    # Two at a time again, the folder whose Airflow takes longest first.
    run "contract" "${pytest[@]}" -n 2 tests/contract
else
    cannot "contract: Airflow could not be installed, see above"
fi
run "demo" make --no-print-directory demo

# A cluster that was up before stays as it is; one that was brought up for these tests goes with them.
if [ "$(scripts/cluster.sh status)" = "no cluster is up" ]; then
    export AIRLOCK_CLUSTER_MAY_END=1
    started=yes
fi
echo
echo "== a cluster with Airlock in it"
if line=$(scripts/up.sh); then
    eval "$line"
    run "api, e2e" scripts/e2e.sh
else
    cannot "api, e2e: no cluster could be brought up, see above"
fi

echo
[ ${#absent[@]} -eq 0 ] || printf '== not run: %s\n' "${absent[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "all tiers that can run here passed"
