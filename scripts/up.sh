#!/usr/bin/env bash
# A real cluster with Airlock in it, found again where it is up and nothing changed. What it says goes to stderr; on
# stdout is one line to evaluate, so that this works:  eval "$(make -s up)"
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev >&2
line=$(PYTHONPATH=tools .venvs/dev/bin/python -P -m cluster up)
eval "$line"
helm=.venvs/dev/bin/helm
namespace=airlock-system
# What is installed is known by the content of the chart and of the images.
wanted=$({ find charts/airlock -type f -print0 | sort -z | xargs -0 sha256sum; PYTHONPATH=tools .venvs/dev/bin/python -P -m cluster images; } | sha256sum | cut -c1-40)
installed=$(kubectl get namespace "$namespace" -o 'jsonpath={.metadata.annotations.airlock\.dev/test-content}' 2>/dev/null || true)
if [ "$wanted" != "$installed" ]; then
    echo "installing Airlock's chart" >&2
    kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace" >&2
    kubectl label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >&2
    ran_before=$(kubectl -n "$namespace" get deployment airlock-operator airlock-server --ignore-not-found -o name)
    "$helm" upgrade --install airlock charts/airlock --namespace "$namespace" --timeout 3m >&2
    # The images' names stay when their content changes, so a Deployment that was there would keep its old pods.
    if [ -n "$ran_before" ]; then
        kubectl -n "$namespace" rollout restart deployment/airlock-operator deployment/airlock-server >&2
    fi
fi
for part in operator server; do
    kubectl -n "$namespace" rollout status "deployment/airlock-$part" --timeout=180s >&2
done
kubectl annotate --overwrite namespace "$namespace" "airlock.dev/test-content=$wanted" >/dev/null
echo "Airlock is up. Type the next line, and then: kubectl apply -f manifests/samples/hello.yaml" >&2
echo "$line"
