#!/usr/bin/env bash
# Builds the wheels that a user's Airflow image needs: our executor, and the wire that it shares with the operator.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev
rm -rf dist
for member in wire executor; do
    # The build backend is installed, so that no build fetches anything. A fixed time makes the same wheel each time.
    SOURCE_DATE_EPOCH=1577836800 .venvs/uv/bin/uv build --quiet --offline --wheel --no-build-isolation \
        --no-create-gitignore --python .venvs/dev/bin/python --out-dir dist "$member"
done
ls dist/*.whl
