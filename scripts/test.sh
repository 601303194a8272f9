#!/usr/bin/env bash
# Every test tier, in the order in which a failure is cheapest to learn of. With CI=true a tier that cannot run fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
absent=()
run() {
    local tier=$1
    echo
    echo "== $tier"
    shift
    "$@" || failed+=("$tier")
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
pytest=(.venvs/dev/bin/python -P -m pytest -q)
# What runs behind others, which wait or need one processor, gets what these leave; `shown` waits for it. It is a group
# of processes of its own, so that it can be sent what Ctrl-C sends, and ends what it started.
said=$(mktemp)
beside=""
behind() {
    set -m
    nice "$@" </dev/null >"$said" 2>&1 &
    beside=$!
    set +m
}
shown() {
    local status=0
    wait "$beside" || status=$?
    beside=""
    cat "$said"
    return "$status"
}
started=""
finish() {
    if [ -n "$beside" ]; then
        kill -INT -- "-$beside"
        wait "$beside"
    fi
    rm -f "$said"
    [ -z "$started" ] || scripts/cluster.sh down
}
trap finish EXIT
behind scripts/lint.sh
run "unit" "${pytest[@]}" tests/unit
run "repo" "${pytest[@]}" tests/repo
run "lint, types, import contracts" shown
# Four at a time: most of this tier waits for outages and deadlines to pass.
run "component" "${pytest[@]}" -n 4 --dist worksteal tests/component
[ "$(id -u)" = 0 ] || cannot "component, isolation: only root can give user code a user of its own"
run "demo" make --no-print-directory demo
contract=()
if scripts/environment.sh airflow; then
    contract=("${pytest[@]}" -n 2 tests/contract --ignore=tests/contract/peer)
    # By itself: on a machine that is busy with other things Airflow's own scheduler fails launches ("state mismatch").
    run "contract, side by side with a running Airflow" "${pytest[@]}" tests/contract/peer
else
    cannot "contract: Airflow could not be installed, see above"
fi

# A cluster that was up before stays as it is; one that was brought up for these tests goes with them.
if [ "$(scripts/cluster.sh status)" = "no cluster is up" ]; then
    export AIRLOCK_CLUSTER_MAY_END=1
    started=yes
fi
echo
echo "== a cluster with Airlock in it"
if line=$(scripts/up.sh); then
    eval "$line"
    run "api, e2e" scripts/e2e.sh shared
    # Tests that have the cluster alone mostly wait, and leave half of this machine to others.
    [ ${#contract[@]} -eq 0 ] || behind "${contract[@]}"
    run "e2e, alone" scripts/e2e.sh alone
    [ ${#contract[@]} -eq 0 ] || run "contract" shown
    # By themselves: they restart the cluster's components and bring it up anew, within deadlines.
    run "the cluster itself" scripts/e2e.sh cluster
else
    [ ${#contract[@]} -eq 0 ] || run "contract" "${contract[@]}"
    cannot "api, e2e: no cluster could be brought up, see above"
fi

echo
[ ${#absent[@]} -eq 0 ] || printf '== not run: %s\n' "${absent[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "all tiers that can run here passed"
