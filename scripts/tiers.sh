#!/usr/bin/env bash
# Runs tiers of tests: all of them, or those that the words name (tools/tiers/table.py).
#   scripts/tiers.sh [all | e2e | soak | NAME ...]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev
PYTHONPATH=tools exec .venvs/dev/bin/python -P -m tiers "$@"
