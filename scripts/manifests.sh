#!/usr/bin/env bash
# Writes what follows from others: the chart's copy of the TaskRun resource; install.yaml, which is the chart with its
# default values; docs/messages.md, which is the sidecar's tables of messages; and the pages of docs/reference. Run it
# after changing manifests/crd, charts/airlock, those tables, a setting or a command; a test holds them equal.
#   scripts/manifests.sh [FOLDER]   writes below another folder, for that test
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-.}
mkdir -p "$target/manifests" "$target/charts/airlock/crd"
[ "$target" = . ] || cp -r charts "$target/"
cp manifests/crd/taskruns.yaml "$target/charts/airlock/crd/taskruns.yaml"
{
    cat <<'END'
# Airlock without Helm: kubectl apply -f manifests/install.yaml. It is the chart with its default values; written by
# scripts/manifests.sh.
apiVersion: v1
kind: Namespace
metadata:
  name: airlock-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
END
    .venvs/dev/bin/helm template airlock "$target/charts/airlock" --namespace airlock-system --kube-version 1.31.0
} >"$target/manifests/install.yaml"
PYTHONPATH=tools .venvs/dev/bin/python -P -m reference "$target/docs"
