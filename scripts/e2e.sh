#!/usr/bin/env bash
# The cluster tiers, against the cluster that `make up` brings up.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/up.sh)"
.venvs/dev/bin/python -m pytest -q tests/api tests/e2e "$@"
