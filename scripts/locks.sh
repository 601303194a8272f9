#!/usr/bin/env bash
# Compiles every lock anew: hashed, without index addresses. Run it after changing a dependency; commit the result.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-$PWD/.venvs/uv/bin/uv}
ours=()
for member in wire sdk runner sidecar operator server executor; do ours+=(--no-emit-package "airlock-$member"); done
compile() {
    target=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
        --custom-compile-command "make locks" "${ours[@]}" --output-file "requirements/$target.txt" "$@"
}
echo "uv==0.13.8" | compile uv -
for image in runner sidecar server; do compile "$image" "$image/pyproject.toml"; done
compile operator operator/pyproject.toml --extra traces
compile runtime {runner,sidecar,server}/pyproject.toml
compile dev {sdk,runner,sidecar,operator,server,executor}/pyproject.toml --extra traces --extra io --group dev
compile airflow --group airflow
compile schemathesis --group schemathesis
compile docs --group docs
